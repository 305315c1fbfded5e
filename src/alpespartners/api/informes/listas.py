"""`GET /tracking/campañas` y `/tracking/influencers`: de quién hay algo, cuánto, y cuándo fue lo último.

Qué es: cada lista con su ruta y su descripción.
Qué no es: qué página se pide (`api/http/listas_por_prefijo.py`), ni cómo se lee
(`modulos/informes/infraestructura/resumenes.py`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
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
from alpespartners.api.http.listas_por_prefijo import PARAMETROS, PaginaPedida, pagina_pedida
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
from alpespartners.modulos.tracking.dominio.objetos_valor import LONGITUD_IDENTIFICADOR

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
    async def pagina(pedida: PaginaPedida) -> PaginaCampanas | PaginaInfluencers:
        hallada = await lista.leer(pedida.prefijo, pedida.despues_de, pedida.limite)
        siguiente = pedida.cursor(hallada.siguiente)
        # Mil son centésimas de segundo; el bucle atiende a los demás.
        return await asyncio.to_thread(lista.presentar, hallada.elementos, siguiente)

    async def atender(peticion: Request) -> Response:
        return await Listado(
            direccion=quote(lista.plantilla),
            nombre=(lista.de,),
            forma=lista.elemento,
            admitidos=PARAMETROS,
            leer=partial(pagina_pedida, lista.de),
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
