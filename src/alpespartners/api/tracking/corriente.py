"""`GET /tracking/impresiones` y `/conversiones`: leer todo lo que llega, en su orden y sin saltarse nada.

Qué es: la corriente con su ruta y su descripción.
Qué no es: el orden, el cursor ni por qué no se salta nada (`aplicacion/consultas/leer_corriente.py`).
"""

from functools import partial
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.http.claves import Alcance, exigir_campaña
from alpespartners.api.http.descargas import (
    NO_SE_PUEDE_DESCARGAR,
    descarga,
    en_otros_formatos,
    escritura,
)
from alpespartners.api.http.descripcion import Contestacion, Esquema, Operacion, Parametro
from alpespartners.api.http.esquemas import INSTANTE
from alpespartners.api.http.formatos import FORMATO, Formato
from alpespartners.api.http.paginas import ENLACE, en_su_formato, leer_peticion, parametro_cursor, todas
from alpespartners.api.http.rutas import RutaDescrita
from alpespartners.api.tracking.clases import ClaseHTTP
from alpespartners.api.tracking.consultas import filtros_de
from alpespartners.api.tracking.presentacion import Pagina
from alpespartners.modulos.tracking.aplicacion.clases import Clase
from alpespartners.modulos.tracking.aplicacion.consultas.leer_corriente import (
    PeticionCorriente,
    Tope,
    leer_corriente,
    parametros_de_corriente,
    peticion_de_corriente,
    tope_de_la_corriente,
)
from alpespartners.modulos.tracking.aplicacion.consultas.listar_eventos import DE_INFLUENCER
from alpespartners.modulos.tracking.aplicacion.puertos import Lecturas

_PROPIOS: Final = (
    Parametro(
        nombre="registrado_desde",
        lugar="query",
        esquema=INSTANTE,
        descripcion="`registrado_en` desde este instante, incluido: por dónde empezar sin cursor.",
    ),
    parametro_cursor("solo vale con los mismos filtros."),
)


_CURSOR: Final[Esquema] = {
    "description": "En CSV y NDJSON, el `siguiente` del JSON: por dónde seguir, ahora o más tarde.",
    "schema": {"type": "string"},
}


def ruta_de_corriente(clase: ClaseHTTP, lecturas: Lecturas) -> RutaDescrita:
    """La que da los eventos de todas las campañas, por orden de llegada."""
    leer = partial(peticion_de_corriente, clase.clase)

    async def atender(peticion: Request) -> Response:
        leida = leer_peticion(peticion, parametros_de_corriente(clase.clase), leer)
        exigir_campaña(peticion, leida.parametros.get("campaña_id"))
        nombre = leida.nombre(clase.clase.plural, leida.parametros.get("campaña_id"))
        if leida.pide_todo:
            tope = await tope_de_la_corriente(lecturas, clase.clase, leida.pedido)
            paginas = todas(leida.parametros, leer, partial(_hasta, tope))
            respuesta = await descarga(peticion, escritura(leida.formato, clase.forma), paginas, nombre)
            siguiente, al_dia = tope.siguiente, False
        else:
            pagina = await leer_corriente(lecturas, clase.clase, leida.pedido)
            siguiente, al_dia = pagina.siguiente, pagina.al_dia
            recursos = [clase.recurso(evento) for evento in pagina.elementos]
            cuerpo = clase.corriente(recursos, siguiente, al_dia)
            respuesta = await en_su_formato(leida.formato, clase.forma, cuerpo, nombre)
        if not al_dia:
            respuesta.headers.update(leida.enlace(clase.ruta, siguiente))
        if leida.formato is not Formato.JSON:
            respuesta.headers["Cursor"] = siguiente
        return respuesta

    async def _hasta(tope: Tope, pedido: PeticionCorriente) -> Pagina[Any]:
        hallada = await leer_corriente(lecturas, clase.clase, pedido, tope)
        recursos = [clase.recurso(evento) for evento in hallada.elementos]
        return clase.pagina(recursos, None if hallada.al_dia else hallada.siguiente)

    operacion = Operacion(
        id=f"leer_{clase.clase.plural}",
        etiqueta=clase.etiqueta,
        resumen=f"Leer {clase.todas} según llegan",
        descripcion=(
            "De todas las campañas, por orden de llegada: lo que llega tarde va detrás de lo ya leído, "
            "ocurriera cuando ocurriera. A diferencia de una lista, no se acaba: `siguiente` es siempre un "
            "cursor, y con `al_dia` en `true` no queda nada por ahora. Quien vuelve más tarde con él no se "
            "salta ningún evento ni ve ninguno dos veces, escriban los consumidores que escriban. Con "
            "filtros, una página puede venir vacía sin estar al día. Si la base de datos se reconstruye o se "
            "restaura de una copia, el cursor deja de valer (`cursor_invalido`). En CSV o NDJSON, sin "
            "`limite` va todo lo que hay al preguntar, y se acaba; por dónde seguir lo dicen las cabeceras "
            "`Cursor` y `Link`."
        ),
        parametros=(*_parametros_de(clase.clase), FORMATO),
        contestaciones={
            200: Contestacion(
                descripcion="Una página.",
                formas=(clase.corriente,),
                otros_formatos=en_otros_formatos(clase.forma, clase.forma.ejemplos),
                cabeceras={"Link": ENLACE, "Cursor": _CURSOR},
            ),
            503: NO_SE_PUEDE_DESCARGAR,
        },
    )
    return RutaDescrita(
        plantilla=clase.ruta,
        metodo="GET",
        atencion=atender,
        alcance=Alcance.LECTURA,
        juzga_campañas=True,
        operacion=operacion,
    )


def _parametros_de(clase: Clase) -> list[Parametro]:
    """Los suyos y los de las listas que también tiene."""
    de_las_listas = (*filtros_de(clase), *filtros_de(clase, DE_INFLUENCER))
    por_nombre = {parametro.nombre: parametro for parametro in (*de_las_listas, *_PROPIOS)}
    return [por_nombre[nombre] for nombre in sorted(parametros_de_corriente(clase))]
