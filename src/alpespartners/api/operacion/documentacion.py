"""`/docs`, `/openapi.json` y `/asyncapi.json`: la documentación, sin internet.

Qué es: una página fija con Swagger UI, servida entera desde este paquete, la descripción OpenAPI de la API y
la AsyncAPI de los mensajes.
Qué no es: las descripciones mismas (`openapi.py`; la de los mensajes, en la infraestructura).
Por qué existe: quien prueba el servicio en un avión o detrás de un cortafuegos también necesita verla.
"""

from collections.abc import Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.http.parametros import sin_parametros
from alpespartners.api.http.politica_de_contenido import politica_de_contenido
from alpespartners.api.http.respuestas import en_json
from alpespartners.api.http.rutas import Ruta, RutaDescrita
from alpespartners.api.http.tipos_de_medio import JSON
from alpespartners.api.operacion.openapi import descripcion
from alpespartners.api.operacion.recursos_propios import leer_recurso, rutas_de_recursos

_POLITICA: Final = politica_de_contenido(
    "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "connect-src 'self'"
)


def rutas_de_documentacion(descritas: Sequence[RutaDescrita], asyncapi: bytes) -> list[Ruta]:
    """Las rutas de la documentación de esas y de los mensajes; de las suyas no dice nada."""
    return [
        _documento("/openapi.json", en_json(descripcion(descritas))),
        _documento("/asyncapi.json", asyncapi),
        Ruta(plantilla="/docs", metodo="GET", atencion=_pagina, alcance=None),
        *rutas_de_recursos(),
    ]


def _documento(plantilla: str, octetos: bytes) -> Ruta:
    async def documento(peticion: Request) -> Response:
        sin_parametros(peticion)
        return Response(octetos, media_type=JSON)

    return Ruta(plantilla=plantilla, metodo="GET", atencion=documento, alcance=None)


async def _pagina(_peticion: Request) -> Response:
    pagina = await leer_recurso("documentacion.html")
    return Response(pagina, headers=_POLITICA, media_type="text/html")
