"""`/docs` y `/openapi.json`: la documentación de la API, sin internet.

Qué es: una página fija con Swagger UI, servida entera desde este paquete, y la descripción OpenAPI.
Qué no es: la descripción misma (`openapi.py`).
Por qué existe: quien prueba el servicio en un avión o detrás de un cortafuegos también necesita verla.
"""

import asyncio
from collections.abc import Sequence
from importlib.resources import files
from typing import Final

import msgspec

from alpespartners.api.http.parametros import sin_parametros
from alpespartners.api.http.peticion import Peticion
from alpespartners.api.http.problemas import no_encontrado
from alpespartners.api.http.respuesta import Respuesta
from alpespartners.api.http.rutas import Ruta, ruta_get
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


def rutas_de_documentacion() -> list[Ruta]:
    """Las rutas de la documentación."""
    octetos = msgspec.json.encode(descripcion())

    async def openapi(peticion: Peticion, _variables: Sequence[str]) -> Respuesta:
        sin_parametros(peticion)
        return Respuesta(octetos)

    return [
        ruta_get("/openapi.json", openapi),
        ruta_get("/docs", _pagina),
        ruta_get("/docs/recursos/{archivo}", _recurso),
    ]


async def _pagina(_peticion: Peticion, _variables: Sequence[str]) -> Respuesta:
    pagina = await asyncio.to_thread(_RECURSOS.joinpath("documentacion.html").read_bytes)
    return Respuesta(pagina, tipo="text/html", cabeceras={"Content-Security-Policy": _POLITICA})


async def _recurso(_peticion: Peticion, variables: Sequence[str]) -> Respuesta:
    for recurso, tipo in _TIPO_POR_RECURSO.items():
        if recurso.rpartition("/")[2] == variables[0]:
            octetos = await asyncio.to_thread(_RECURSOS.joinpath(*recurso.split("/")).read_bytes)
            return Respuesta(octetos, tipo=tipo)
    raise no_encontrado()
