"""Los estilos y los guiones que cargan las páginas del panel, servidos desde este paquete.

Qué es: unos archivos fijos con la dirección de su contenido: quien la tiene no vuelve a pedirlos, y con otra
versión la dirección es otra.
Qué no es: los de la documentación, que tiene los suyos.
Por qué existe: el panel se ve sin internet, y abrirlo cuesta solo su página.
"""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.http.problemas import no_encontrado
from alpespartners.api.http.respuestas import RespuestaQueSeGuarda
from alpespartners.api.http.rutas import Ruta

_CARPETA: Final = files("alpespartners.panel").joinpath("recursos")
_TIPO: Final = {"css": "text/css", "js": "text/javascript"}
RECURSOS: Final = (
    "htmx/htmx.min.js",
    "panel.css",
    "panel.js",
    "pico/pico.min.css",
    "uplot/uPlot.iife.min.js",
    "uplot/uPlot.min.css",
)
"""Los que se sirven."""
_CIFRAS_DE_LA_HUELLA: Final = 12


@dataclass(frozen=True, slots=True)
class _Recurso:
    contenido: bytes
    comprimido: bytes
    tipo: str


def ruta_de_recursos() -> Ruta:
    """La de todos; con una dirección de otra versión, no hay nada."""
    return Ruta(plantilla="/panel/recursos/{huella}/{nombre}", metodo="GET", atencion=_servir, alcance=None)


def direccion_de(nombre: str) -> str:
    """La de ese recurso, que cambia con su contenido."""
    huella = hashlib.sha256(_leido(nombre).contenido).hexdigest()[:_CIFRAS_DE_LA_HUELLA]
    return f"/panel/recursos/{huella}/{nombre.rpartition('/')[2]}"


@cache
def _leido(nombre: str) -> _Recurso:
    contenido = _CARPETA.joinpath(*nombre.split("/")).read_bytes()
    return _Recurso(contenido, gzip.compress(contenido, mtime=0), _TIPO[nombre.rpartition(".")[2]])


@cache
def _por_direccion() -> Mapping[str, str]:
    return {direccion_de(nombre): nombre for nombre in RECURSOS}


async def _servir(peticion: Request) -> Response:
    nombre = _por_direccion().get(peticion.url.path)
    if nombre is None:
        raise no_encontrado()
    recurso, cabeceras = _leido(nombre), {"Vary": "Accept-Encoding"}
    if "gzip" not in peticion.headers.get("accept-encoding", ""):
        return RespuestaQueSeGuarda(recurso.contenido, headers=cabeceras, media_type=recurso.tipo)
    comprimida = cabeceras | {"Content-Encoding": "gzip"}
    return RespuestaQueSeGuarda(recurso.comprimido, headers=comprimida, media_type=recurso.tipo)
