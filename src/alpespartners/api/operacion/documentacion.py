"""`/docs` y `/openapi.json`: la documentación de la API, sin internet.

Qué es: una página fija con Swagger UI, servida entera desde este paquete, y la descripción OpenAPI.
Qué no es: la descripción misma (`openapi.py`).
Por qué existe: quien prueba el servicio en un avión o detrás de un cortafuegos también necesita verla.
"""

from collections.abc import Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.http.parametros import sin_parametros
from alpespartners.api.http.respuestas import en_json
from alpespartners.api.http.rutas import Ruta, RutaDescrita
from alpespartners.api.http.tipos_de_medio import JSON
from alpespartners.api.operacion.openapi import descripcion
from alpespartners.api.operacion.recursos_propios import (
    leer_recurso,
    politica_de_contenido,
    rutas_de_recursos,
)

_POLITICA: Final = politica_de_contenido(
    "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "connect-src 'self'"
)


def rutas_de_documentacion(descritas: Sequence[RutaDescrita]) -> list[Ruta]:
    """Las rutas de la documentación de esas; de las suyas no dice nada."""
    octetos = en_json(descripcion(descritas))

    async def openapi(peticion: Request) -> Response:
        sin_parametros(peticion)
        return Response(octetos, media_type=JSON)

    return [
        Ruta(plantilla="/openapi.json", metodo="GET", atencion=openapi, alcance=None),
        Ruta(plantilla="/docs", metodo="GET", atencion=_pagina, alcance=None),
        *rutas_de_recursos(),
    ]


async def _pagina(_peticion: Request) -> Response:
    pagina = await leer_recurso("documentacion.html")
    return Response(pagina, headers=_POLITICA, media_type="text/html")
