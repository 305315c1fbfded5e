"""`/docs` y `/openapi.json`: la documentación de la API, sin internet.

Qué es: una página fija con Swagger UI, servida entera desde este paquete, y la descripción OpenAPI.
Qué no es: la descripción misma (`openapi.py`).
Por qué existe: quien prueba el servicio en un avión o detrás de un cortafuegos también necesita verla.
"""

import asyncio
from collections.abc import Sequence
from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.http.descripcion import JSON
from alpespartners.api.http.parametros import sin_parametros
from alpespartners.api.http.problemas import no_encontrado
from alpespartners.api.http.respuestas import en_json
from alpespartners.api.http.rutas import Ruta, RutaDescrita
from alpespartners.api.operacion.openapi import descripcion

_RECURSOS: Final = files("alpespartners.api.operacion").joinpath("recursos")
_TIPO_POR_RECURSO: Final = {
    "documentacion.js": "text/javascript",
    "swagger-ui/swagger-ui-bundle.js": "text/javascript",
    "swagger-ui/swagger-ui.css": "text/css",
}
_POLITICA: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def rutas_de_documentacion(descritas: Sequence[RutaDescrita]) -> list[Ruta]:
    """Las rutas de la documentación de esas; de las suyas no dice nada."""
    octetos = en_json(descripcion(descritas))

    async def openapi(peticion: Request) -> Response:
        sin_parametros(peticion)
        return Response(octetos, media_type=JSON)

    return [
        Ruta(plantilla="/openapi.json", metodo="GET", atencion=openapi),
        Ruta(plantilla="/docs", metodo="GET", atencion=_pagina),
        Ruta(plantilla="/docs/recursos/{archivo}", metodo="GET", atencion=_recurso),
    ]


async def _pagina(_peticion: Request) -> Response:
    pagina = await asyncio.to_thread(_RECURSOS.joinpath("documentacion.html").read_bytes)
    return Response(pagina, headers={"Content-Security-Policy": _POLITICA}, media_type="text/html")


async def _recurso(peticion: Request) -> Response:
    for recurso, tipo in _TIPO_POR_RECURSO.items():
        if recurso.rpartition("/")[2] == peticion.path_params["archivo"]:
            octetos = await asyncio.to_thread(_RECURSOS.joinpath(*recurso.split("/")).read_bytes)
            return Response(octetos, media_type=tipo)
    raise no_encontrado()
