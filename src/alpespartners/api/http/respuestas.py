"""Respuestas en JSON o continuas, y las precauciones que lleva toda respuesta.

Por qué existe: el dinero sale como entró, con todos sus dígitos y como número; el tiempo, en UTC con `Z` y
con microsegundos solo si los tiene (RFC 3339). Acaban en un salto de línea, que en una terminal se agradece.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Final

import msgspec
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from alpespartners.api.http.tipos_de_medio import JSON

_SIN_ADIVINAR: Final = (b"x-content-type-options", b"nosniff")
PRECAUCIONES: Final = (_SIN_ADIVINAR, (b"cache-control", b"no-store"))
"""Nadie adivina el tipo de una respuesta ni la guarda."""
_UN_RATO: Final = (b"cache-control", b"public, max-age=600")
_PARA_SIEMPRE: Final = (b"cache-control", b"public, max-age=31536000, immutable")

_CODIFICADOR: Final = msgspec.json.Encoder(decimal_format="number")


class RespuestaJSON(Response):
    """Una respuesta con ese contenido en JSON."""

    media_type = JSON

    def render(self, content: object) -> bytes:
        """Codifica el contenido."""
        return en_json(content)


class RespuestaQueSeGuarda(Response):
    """Una que no cambia nunca: con otro contenido, su dirección es otra."""

    precauciones = (_SIN_ADIVINAR, _PARA_SIEMPRE)


class RespuestaQueSeRevisa(RespuestaQueSeGuarda):
    """Una que cambia con la versión del producto: se guarda un rato, y después se pregunta por su ETag."""

    precauciones = (_SIN_ADIVINAR, _UN_RATO)


class RespuestaContinua(StreamingResponse):
    """Una que dura lo que quien la lee quiera.

    Args:
        trozos: lo que se va enviando.
        al_acabar: se llama una vez, cuando se acaba o quien la lee se va.
        tipo: el de su contenido.
        cabeceras: las demás.
    """

    def __init__(
        self,
        trozos: AsyncGenerator[bytes],
        al_acabar: Callable[[], None],
        *,
        tipo: str,
        cabeceras: dict[str, str],
    ) -> None:
        super().__init__(trozos, headers=cabeceras, media_type=tipo)
        self._trozos = trozos
        self._al_acabar = al_acabar

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Envía hasta el final, o hasta que no haya a quién."""
        try:
            async with aclosing(self._trozos):
                await super().__call__(scope, receive, send)
        finally:
            self._al_acabar()


def precauciones_de(respuesta: Response) -> tuple[tuple[bytes, bytes], ...]:
    """Las cabeceras que lleva esa respuesta además de las suyas."""
    return respuesta.precauciones if isinstance(respuesta, RespuestaQueSeGuarda) else PRECAUCIONES


def en_json(contenido: object) -> bytes:
    """Codifica en UTF-8, con un salto al final. Los `Decimal` salen como número con sus dígitos exactos."""
    return _CODIFICADOR.encode(contenido) + b"\n"
