"""`GET /tracking/campañas` y `/tracking/influencers`: de quién hay algo, cuánto, y cuándo fue lo último.

Qué es: cada lista con su ruta, sus parámetros y su cursor.
Qué no es: cómo se lee (`modulos/informes/infraestructura/resumenes.py`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.http.claves import Alcance
from alpespartners.api.http.descargas import NO_SE_PUEDE_DESCARGAR, en_otros_formatos
from alpespartners.api.http.descripcion import Contestacion, CuerpoDescrito, Operacion, Parametro
from alpespartners.api.http.formatos import FORMATO
from alpespartners.api.http.paginas import ENLACE, Listado, parametro_cursor, parametro_limite
from alpespartners.api.http.rutas import RutaDescrita
from alpespartners.api.informes.presentacion_de_listas import (
    CampanaResumida,
    InfluencerResumido,
    PaginaCampanas,
    PaginaInfluencers,
    pagina_de_campañas,
    pagina_de_influencers,
)
from alpespartners.api.informes.rutas import INFORMES
from alpespartners.modulos.informes.aplicacion.puertos import LecturaDeResumenes, Pagina, Resumen
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.aplicacion.consultas.cursores import (
    LIMITE_POR_OMISION,
    atadura_de,
    cursor_en_texto,
    lector_de,
    limite_de,
    partes_del_cursor,
)
from alpespartners.modulos.tracking.dominio.excepciones import CampoInvalido, Recolector
from alpespartners.modulos.tracking.dominio.normalizacion import en_nfc
from alpespartners.modulos.tracking.dominio.objetos_valor import (
    LONGITUD_IDENTIFICADOR,
    identificador_consultable,
)

_PARAMETROS: Final = frozenset({"prefijo", "cursor", "limite"})
_VERSION_DEL_CURSOR: Final = 1
_DESCRITOS: Final = (
    Parametro(
        nombre="prefijo",
        lugar="query",
        esquema={"type": "string", "minLength": 1, "maxLength": LONGITUD_IDENTIFICADOR},
        descripcion="Solo los identificadores que empiezan así, letra por letra: `%` y `_` son ellos mismos.",
    ),
    parametro_limite("Cuántos como mucho."),
    parametro_cursor("solo vale para la misma lista y el mismo prefijo."),
)


@dataclass(frozen=True, slots=True)
class _Pedido:
    """Qué página se pide; `despues_de` es la identidad desde la que seguir."""

    prefijo: str
    despues_de: str | None
    limite: int
    atadura: str


@dataclass(frozen=True, slots=True)
class _Lista:
    """Lo que distingue a una lista de otra, y a su dirección en ASCII de la del negocio."""

    plantilla: str
    id_de_la_operacion: str
    de: str
    leer: Callable[[str, str | None, int], Awaitable[Pagina]]
    forma: type[PaginaCampanas | PaginaInfluencers]
    elemento: type[CuerpoDescrito]
    presentar: Callable[[Sequence[Resumen], str | None], PaginaCampanas | PaginaInfluencers]
    descripcion: str


def rutas_de_listas(lectura: LecturaDeResumenes) -> list[RutaDescrita]:
    """La de campañas, la misma en ASCII, y la de influencers."""
    return [
        *(
            _ruta(
                _Lista(
                    f"/tracking/{campañas}",
                    f"listar_{nombre}",
                    "campañas",
                    lectura.campañas,
                    PaginaCampanas,
                    CampanaResumida,
                    pagina_de_campañas,
                    "`/tracking/campañas` y `/tracking/campanas` son la misma lista.",
                )
            )
            for campañas, nombre in (("campañas", "todas_las_campanas"), ("campanas", "campanas"))
        ),
        _ruta(
            _Lista(
                "/tracking/influencers",
                "listar_influencers",
                "influencers",
                lectura.influencers,
                PaginaInfluencers,
                InfluencerResumido,
                pagina_de_influencers,
                "Cada uno, con lo de todas sus campañas; lo que no es de ningún influencer no está.",
            )
        ),
    ]


def _ruta(lista: _Lista) -> RutaDescrita:
    async def pagina(pedido: _Pedido) -> PaginaCampanas | PaginaInfluencers:
        hallada = await lista.leer(pedido.prefijo, pedido.despues_de, pedido.limite)
        siguiente = None
        if hallada.siguiente is not None:
            siguiente = cursor_en_texto(_VERSION_DEL_CURSOR, pedido.atadura, hallada.siguiente)
        # Mil son centésimas de segundo; el bucle atiende a los demás.
        return await asyncio.to_thread(lista.presentar, hallada.elementos, siguiente)

    async def atender(peticion: Request) -> Response:
        return await Listado(
            direccion=quote(lista.plantilla),
            nombre=(lista.de,),
            forma=lista.elemento,
            admitidos=_PARAMETROS,
            leer=partial(_leer_pedido, lista.de),
            pagina=pagina,
        ).responder(peticion)

    operacion = Operacion(
        id=lista.id_de_la_operacion,
        etiqueta=INFORMES,
        resumen=f"Listar {lista.de}",
        descripcion=(
            "Por orden de su identificador, cada uno con todo lo que hubo desde el principio, exacto en el "
            "instante en que se pregunta, y cuándo ocurrió lo último. Recorrer la lista mientras llegan "
            "eventos no repite ninguno ni se salta los que ya estaban. En CSV o NDJSON, sin `limite` va "
            f"entera. {lista.descripcion}"
        ),
        parametros=(*_DESCRITOS, FORMATO),
        contestaciones={
            200: Contestacion(
                descripcion="Una página.",
                formas=(lista.forma,),
                otros_formatos=en_otros_formatos(lista.elemento, lista.elemento.ejemplos),
                cabeceras={"Link": ENLACE},
            ),
            503: NO_SE_PUEDE_DESCARGAR,
        },
    )
    return RutaDescrita(
        plantilla=lista.plantilla,
        metodo="GET",
        atencion=atender,
        alcance=Alcance.LECTURA,
        operacion=operacion,
    )


def _leer_pedido(de: str, parametros: Mapping[str, str]) -> _Pedido:
    """Lee los parámetros; todos son de los que hay.

    Raises:
        DatosInvalidos: con todas las faltas.
    """
    recolector = Recolector()
    leer = lector_de(parametros, recolector)
    prefijo = leer("prefijo", _prefijo) or ""
    limite = leer("limite", limite_de) or LIMITE_POR_OMISION
    recolector.exigir()
    atadura = atadura_de((de, prefijo), _PARAMETROS)
    despues_de = leer("cursor", _posicion, atadura, prefijo)
    recolector.exigir()
    return _Pedido(prefijo, despues_de, limite, atadura)


def _prefijo(nombre: str, texto: str) -> str:
    prefijo = en_nfc(texto)
    if len(prefijo) > LONGITUD_IDENTIFICADOR:
        raise CampoInvalido(
            nombre,
            CodigoDePeticion.PARAMETRO_INVALIDO,
            f"admite como mucho {LONGITUD_IDENTIFICADOR} caracteres",
        )
    return prefijo


def _posicion(nombre: str, texto: str, atadura: str, prefijo: str) -> str:
    match partes_del_cursor(texto):
        case [int(version), str(suya), str(identidad)] if (
            version == _VERSION_DEL_CURSOR
            and suya == atadura
            and identidad.startswith(prefijo)
            and identificador_consultable(identidad) == identidad
        ):
            return identidad
        case _:
            raise CampoInvalido(
                nombre, CodigoDePeticion.CURSOR_INVALIDO, "no es un cursor de esta lista con este prefijo"
            )
