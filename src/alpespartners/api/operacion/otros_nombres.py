"""Los nombres que en otros servicios tienen la salud, las métricas y la documentación: llevan a los de este.

Qué es: una redirección permanente (308) por cada uno, que siguen las sondas, Prometheus y los navegadores.
Por qué existe: quien llega nuevo prueba `/health` o `/metrics` antes de leer nada.
"""

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.http.rutas import Atencion, Ruta

_OTROS: Final[Mapping[str, str]] = {
    "/health": "/salud/lista",
    "/healthz": "/salud/lista",
    "/readyz": "/salud/lista",
    "/salud": "/salud/lista",
    "/livez": "/salud/viva",
    "/metrics": "/metricas",
    "/swagger": "/docs",
    "/redoc": "/docs",
    "/openapi": "/openapi.json",
    "/swagger.json": "/openapi.json",
}


def rutas_de_otros_nombres() -> list[Ruta]:
    """Una por cada uno; la documentación no las describe."""
    return [
        Ruta(plantilla=nombre, metodo="GET", atencion=_hacia(nuestro), alcance=None)
        for nombre, nuestro in _OTROS.items()
    ]


def _hacia(direccion: str) -> Atencion:
    async def redirigir(peticion: Request) -> Response:
        consulta = peticion.url.query
        return Response(
            f"Está en {direccion}\n",
            status_code=308,
            headers={"Location": f"{direccion}?{consulta}" if consulta else direccion},
            media_type="text/plain",
        )

    return redirigir
