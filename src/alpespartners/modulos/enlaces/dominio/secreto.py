"""Un secreto con que se firma: el de los clics y el de los destinos que no son el del enlace.

Qué es: los octetos del secreto y las dos operaciones que se hacen con él, firmar y comparar.
Qué no es: de dónde sale (`aplicacion/secretos.py`) ni qué se firma (`clic.py`, `destino_firmado.py`).
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Secreto:
    """Uno de los que firman o comprueban; su texto no se enseña nunca."""

    octetos: bytes = field(repr=False)

    def firmar(self, uso: str, *partes: bytes) -> bytes:
        """Los 32 octetos del HMAC-SHA256 (RFC 2104) de esas partes para ese uso.

        Cada parte va con su longitud: ninguna otra manera de partirlas da lo mismo, ni la firma de un uso
        vale para otro.
        """
        mensaje = b"".join(len(parte).to_bytes(4, "big") + parte for parte in (uso.encode(), *partes))
        return hmac.digest(self.octetos, mensaje, "sha256")

    @lru_cache(maxsize=16)  # noqa: B019 (los secretos son pocos y viven lo que el proceso)
    def numero(self, uso: str) -> int:
        """De 0 a 255: dice, sin decir el secreto, con cuál puede haberse firmado algo."""
        return hashlib.sha256(self.firmar(uso, b"numero")).digest()[0]
