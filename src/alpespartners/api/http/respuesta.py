"""Una respuesta HTTP entera, lista para enviarse.

Qué es: estado, cabeceras y cuerpo en octetos; lleva ya las cabeceras comunes a todas.
Qué no es: una respuesta por partes; ninguna de las de aquí es tan grande.
Por qué existe: toda respuesta sale con su tipo, su longitud y las mismas precauciones, la dé quien la dé.
"""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from alpespartners.seedwork.asgi import Send

JSON: Final = "application/json"

_NINGUNA: Final[Mapping[str, str]] = MappingProxyType({})
_SIN_ADIVINAR: Final = (b"x-content-type-options", b"nosniff")
_SIN_GUARDAR: Final = (b"cache-control", b"no-store")
_TIPO_JSON: Final = (b"content-type", b"application/json")
_CON_JUEGO_DE_CARACTERES: Final = "text/"


class Respuesta:
    """Una respuesta.

    Args:
        cuerpo: sus octetos.
        estado: el código HTTP.
        tipo: el de su contenido; a un texto se le añade que va en UTF-8.
        cabeceras: las suyas, además de las comunes.
    """

    __slots__ = ("_cabeceras", "cuerpo", "estado")

    def __init__(
        self,
        cuerpo: bytes,
        estado: int = HTTPStatus.OK,
        *,
        tipo: str = JSON,
        cabeceras: Mapping[str, str] = _NINGUNA,
    ) -> None:
        self.estado = estado
        self.cuerpo = cuerpo
        self._cabeceras = [
            (b"content-length", b"%d" % len(cuerpo)),
            _TIPO_JSON if tipo is JSON else (b"content-type", _tipo(tipo)),
            _SIN_ADIVINAR,
            _SIN_GUARDAR,
        ]
        for nombre, valor in cabeceras.items():
            self.poner(nombre, valor)

    def poner(self, nombre: str, valor: str) -> None:
        """Añade una cabecera."""
        self._cabeceras.append((nombre.lower().encode("latin-1"), valor.encode("latin-1")))

    async def enviar(self, send: Send) -> None:
        """La envía por ASGI."""
        await send({"type": "http.response.start", "status": self.estado, "headers": self._cabeceras})
        await send({"type": "http.response.body", "body": self.cuerpo})


def _tipo(tipo: str) -> bytes:
    if tipo.startswith(_CON_JUEGO_DE_CARACTERES) and "charset" not in tipo:
        return f"{tipo}; charset=utf-8".encode("latin-1")
    return tipo.encode("latin-1")
