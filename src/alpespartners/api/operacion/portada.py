"""`/`: adónde va quien abre la dirección del servicio.

Qué es: a quien pide una página se le lleva al panel; a quien no, en JSON, qué es este servicio, si funciona
ahora y adónde seguir.
Qué no es: una sonda, porque responde 200 aunque el servicio no esté listo (para eso está `/salud/lista`).
Por qué existe: lo primero que hace quien lo arranca es abrir su dirección.
"""

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from alpespartners import __version__
from alpespartners.api.http.parametros import sin_parametros
from alpespartners.api.http.respuestas import RespuestaJSON
from alpespartners.api.http.rutas import Ruta
from alpespartners.api.operacion.salud import Salud

_PANEL: Final = "/panel"
_TIPOS_DE_PAGINA: Final = ("text/html", "application/xhtml+xml")
_CABECERAS: Final = {"Vary": "Accept"}


class Portada(msgspec.Struct):
    """Lo que dice a quien no pide una página."""

    servicio: str
    version: str
    salud: Salud
    panel: str = _PANEL
    documentacion: str = "/docs"
    descripcion: str = "/openapi.json"
    metricas: str = "/metricas"


def ruta_de_portada(averiguar: Callable[[], Awaitable[Salud]]) -> Ruta:
    """La ruta `/`, con quien sabe cómo está el servicio ahora."""

    async def portada(peticion: Request) -> Response:
        sin_parametros(peticion)
        if any(tipo in peticion.headers.get("accept", "") for tipo in _TIPOS_DE_PAGINA):
            return RedirectResponse(_PANEL, 303, _CABECERAS)
        cuerpo = Portada("Alpes Partners · Tracking", __version__, await averiguar())
        return RespuestaJSON(cuerpo, headers=_CABECERAS)

    return Ruta(plantilla="/", metodo="GET", atencion=portada, alcance=None)
