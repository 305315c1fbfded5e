"""Respuestas en JSON, y las precauciones que lleva toda respuesta.

Por qué existe: el dinero sale como entró, con todos sus dígitos y como número; el tiempo, en UTC con `Z` y
con microsegundos solo si los tiene (RFC 3339). Acaban en un salto de línea, que en una terminal se agradece.
"""

from typing import Final

import msgspec
from starlette.responses import Response

from alpespartners.api.http.descripcion import JSON

PRECAUCIONES: Final = ((b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store"))
"""Nadie adivina el tipo de una respuesta ni la guarda."""

_CODIFICADOR: Final = msgspec.json.Encoder(decimal_format="number")


class RespuestaJSON(Response):
    """Una respuesta con ese contenido en JSON."""

    media_type = JSON

    def render(self, content: object) -> bytes:
        """Codifica el contenido."""
        return en_json(content)


def en_json(contenido: object) -> bytes:
    """Codifica en UTF-8, con un salto al final. Los `Decimal` salen como número con sus dígitos exactos."""
    return _CODIFICADOR.encode(contenido) + b"\n"
