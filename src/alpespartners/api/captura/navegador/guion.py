"""`GET /t.js`: el guion que una tienda pone en sus páginas.

Qué es: `recursos/t.js`, sin los comentarios ni la sangría, en gzip para quien lo admite, y cada forma con su
ETag (RFC 9110 §8.8.3).
Qué no es: un guion que se componga para cada tienda: lo que cambia de una a otra va en los atributos con que
se carga, y así la política de contenido de la tienda solo ha de nombrar este servicio.
Por qué existe: lo que se lee es lo que se sirve, y cabe en 3 kB.
"""

import gzip
import hashlib
import re
from http import HTTPStatus
from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.http.cabeceras import cabeceras_de
from alpespartners.api.http.respuestas import RespuestaQueSeRevisa
from alpespartners.api.http.rutas import Ruta

RUTA: Final = "/t.js"

_GZIP: Final = re.compile(r"(?:^|,)\s*(?:x-)?gzip\s*(?!;\s*q=0(?:\.0*)?\s*(?:,|$))(?:[,;]|$)", re.IGNORECASE)
"""Que se nombra en `Accept-Encoding` y no con peso cero (RFC 9110 §12.5.3)."""
_SANGRIA_O_COMENTARIO: Final = re.compile(r"^[ \t]*(?://.*)?\n?", re.MULTILINE)


def ruta_del_guion() -> Ruta:
    """La suya."""
    entero = guion()
    resumen = hashlib.sha256(entero).hexdigest()[:16]
    comprimido = gzip.compress(entero, mtime=0)
    comunes = {"Cross-Origin-Resource-Policy": "cross-origin", "Vary": "Accept-Encoding"}

    async def servir(peticion: Request) -> Response:
        dichas = cabeceras_de(peticion)
        if _GZIP.search(",".join(dichas.get(b"accept-encoding", ()))):
            octetos, marca, forma = comprimido, f'"{resumen}-gzip"', {"Content-Encoding": "gzip"}
        else:
            octetos, marca, forma = entero, f'"{resumen}"', {}
        cabeceras = {"ETag": marca, **comunes}
        conocidas = ",".join(dichas.get(b"if-none-match", ()))
        if marca in conocidas or conocidas.strip() == "*":
            return RespuestaQueSeRevisa(status_code=HTTPStatus.NOT_MODIFIED, headers=cabeceras)
        return RespuestaQueSeRevisa(octetos, headers=cabeceras | forma, media_type="text/javascript")

    return Ruta(plantilla=RUTA, metodo="GET", atencion=servir, alcance=None)


def guion() -> bytes:
    """El que se sirve: una línea que solo comenta, y la sangría, no dicen nada a un navegador."""
    fuente = files("alpespartners.api.captura.navegador").joinpath("recursos", "t.js")
    return _SANGRIA_O_COMENTARIO.sub("", fuente.read_text(encoding="utf-8")).encode()
