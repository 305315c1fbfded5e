"""`GET /tracking/impresiones` y `/conversiones`: leer todo lo que llega, en su orden y sin saltarse nada.

Qué es: la corriente con su ruta y su descripción.
Qué no es: el orden, el cursor ni por qué no se salta nada (`aplicacion/consultas/leer_corriente.py`).
"""

from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.http.descripcion import Contestacion, Operacion, Parametro
from alpespartners.api.http.esquemas import INSTANTE
from alpespartners.api.http.paginas import ENLACE, enlace, leer_peticion
from alpespartners.api.http.problemas import SIN_BASE_DE_DATOS
from alpespartners.api.http.respuestas import RespuestaJSON
from alpespartners.api.http.rutas import RutaDescrita
from alpespartners.api.tracking.clases import ClaseHTTP
from alpespartners.api.tracking.consultas import filtros_de
from alpespartners.modulos.tracking.aplicacion.clases import Clase
from alpespartners.modulos.tracking.aplicacion.consultas.leer_corriente import (
    leer_corriente,
    parametros_de_corriente,
    peticion_de_corriente,
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
    Parametro(
        nombre="cursor",
        lugar="query",
        esquema={"type": "string", "minLength": 1},
        descripcion="El `siguiente` de la página anterior; solo vale con los mismos filtros.",
    ),
)


def ruta_de_corriente(clase: ClaseHTTP, lecturas: Lecturas) -> RutaDescrita:
    """La que da los eventos de todas las campañas, por orden de llegada."""

    async def atender(peticion: Request) -> Response:
        parametros, pedido = leer_peticion(
            peticion, parametros_de_corriente(clase.clase), partial(peticion_de_corriente, clase.clase)
        )
        pagina = await leer_corriente(lecturas, clase.clase, pedido)
        recursos = [clase.recurso(evento) for evento in pagina.elementos]
        respuesta = RespuestaJSON(clase.corriente(recursos, pagina.siguiente, pagina.al_dia))
        if not pagina.al_dia:
            respuesta.headers["Link"] = enlace(clase.ruta, parametros, pagina.siguiente)
        return respuesta

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
            "restaura de una copia, el cursor deja de valer (`cursor_invalido`)."
        ),
        parametros=_parametros_de(clase.clase),
        contestaciones={
            200: Contestacion(
                descripcion="Una página.", formas=(clase.corriente,), cabeceras={"Link": ENLACE}
            ),
            503: SIN_BASE_DE_DATOS,
        },
    )
    return RutaDescrita(plantilla=clase.ruta, metodo="GET", atencion=atender, operacion=operacion)


def _parametros_de(clase: Clase) -> list[Parametro]:
    """Los suyos y los de las listas que también tiene."""
    de_las_listas = (*filtros_de(clase), *filtros_de(clase, DE_INFLUENCER))
    por_nombre = {parametro.nombre: parametro for parametro in (*de_las_listas, *_PROPIOS)}
    return [por_nombre[nombre] for nombre in sorted(parametros_de_corriente(clase))]
