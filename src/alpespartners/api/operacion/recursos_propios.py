"""Los archivos que cargan las páginas: estilos y guiones, servidos desde este paquete.

Por qué existe: una página que no pide nada a otra máquina se ve en un avión y detrás de un cortafuegos, y su
política de contenido puede prohibir todo lo demás.
"""

import asyncio
from collections.abc import Mapping
from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.http.rutas import Atencion, Ruta

_RECURSOS: Final = files("alpespartners.api.operacion").joinpath("recursos")
_TIPO_POR_RECURSO: Final[Mapping[str, str]] = {
    "documentacion.js": "text/javascript",
    "swagger-ui/swagger-ui-bundle.js": "text/javascript",
    "swagger-ui/swagger-ui.css": "text/css",
}


async def leer_recurso(nombre: str) -> bytes:
    """El contenido de un archivo de `recursos/`."""
    return await asyncio.to_thread(_RECURSOS.joinpath(*nombre.split("/")).read_bytes)


def rutas_de_recursos() -> list[Ruta]:
    """Una por archivo, bajo `/docs/recursos/`."""
    return [
        Ruta(
            plantilla=f"/docs/recursos/{recurso.rpartition('/')[2]}",
            metodo="GET",
            atencion=_servir(recurso, tipo),
            alcance=None,
        )
        for recurso, tipo in _TIPO_POR_RECURSO.items()
    ]


def _servir(recurso: str, tipo: str) -> Atencion:
    async def servir(_peticion: Request) -> Response:
        return Response(await leer_recurso(recurso), media_type=tipo)

    return servir
