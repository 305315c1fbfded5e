"""El identificador de un clic, que dice sin preguntar a nadie si lo acuñó este servicio.

Qué es: 47 caracteres de base64url sin relleno (RFC 4648 §5), que son 35 octetos: el número del secreto (1),
un UUIDv7 (16, RFC 9562), los 8 primeros del SHA-256 del `enlace_id` y los 10 primeros de un HMAC-SHA256.
Qué no es: el registro del clic. Uno legítimo puede no estar en el libro, porque no ha llegado.
Por qué existe: con un clic se paga. Uno inventado, uno de otra red y uno que aún no ha llegado piden cosas
distintas, y mirar el libro no los distingue. No sale de la dirección ni del agente: dos personas tras la
misma dirección son dos clics.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from alpespartners.modulos.enlaces.dominio.secreto import Secreto

LONGITUD_DE_CLIC: Final = 47
"""Caracteres."""

_USO: Final = "alpespartners/clic/1"
"""Con su versión: otra forma de clic tendrá otro número y otra firma."""
_DEL_ENLACE: Final = 8
_DE_LA_FIRMA: Final = 10
_DEL_UUID: Final = slice(1, 17)
_OCTETOS: Final = 1 + 16 + _DEL_ENLACE + _DE_LA_FIRMA
_VERSION_DEL_UUID: Final = 7
_EPOCA: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Legitimo:
    """Lo acuñó este servicio.

    Attributes:
        uuid: el del clic.
        huella: los 8 primeros octetos del SHA-256 de su `enlace_id`.
    """

    uuid: UUID
    huella: bytes

    @property
    def acuñado_en(self) -> datetime:
        """Cuándo, en UTC y con milisegundos: lo dice el UUIDv7."""
        return _EPOCA + timedelta(milliseconds=self.uuid.int >> 80)

    def es_de(self, enlace_id: str) -> bool:
        """Dice si es un clic en ese enlace."""
        return self.huella == _huella(enlace_id)


@dataclass(frozen=True, slots=True)
class Falsificado:
    """Tiene la forma y el número de los de este servicio, y su firma no es."""


@dataclass(frozen=True, slots=True)
class Ajeno:
    """No es de este servicio: otra forma, o el número de un secreto que no se tiene."""


def acuñar(enlace_id: str, secreto: Secreto, uuid7: UUID) -> str:
    """El identificador de un clic en ese enlace.

    Args:
        enlace_id: el del enlace.
        secreto: con el que se firma.
        uuid7: el del clic, que no se repite y dice cuándo fue.
    """
    dicho = bytes([secreto.numero(_USO)]) + uuid7.bytes + _huella(enlace_id)
    return base64.urlsafe_b64encode(dicho + _firma(secreto, dicho)).decode().rstrip("=")


def comprobar(clic_id: str, secretos: Sequence[Secreto]) -> Legitimo | Falsificado | Ajeno:
    """Dice de quién es ese identificador, que puede ser cualquier texto; no mira ningún registro.

    Un clic firmado con un secreto que ya no está en `secretos` es ajeno, salvo que su número sea por
    casualidad (1 de 256) el de otro: entonces es falsificado. Ninguno de los dos se da por legítimo.
    """
    octetos = _octetos(clic_id)
    if octetos is None:
        return Ajeno()
    uuid = UUID(bytes=octetos[_DEL_UUID])
    suyos = [secreto for secreto in secretos if secreto.numero(_USO) == octetos[0]]
    if uuid.version != _VERSION_DEL_UUID or not suyos:
        return Ajeno()
    dicho, firma = octetos[:-_DE_LA_FIRMA], octetos[-_DE_LA_FIRMA:]
    if any(hmac.compare_digest(_firma(secreto, dicho), firma) for secreto in suyos):
        return Legitimo(uuid, dicho[-_DEL_ENLACE:])
    return Falsificado()


def _octetos(clic_id: str) -> bytes | None:
    if len(clic_id) != LONGITUD_DE_CLIC or not clic_id.isascii():
        return None
    try:
        octetos = base64.b64decode(clic_id + "=", altchars=b"-_", validate=True)
    except binascii.Error:
        return None
    # Los dos bits que sobran en el último carácter son ceros: si no, el mismo clic tendría cuatro nombres.
    canonico = base64.urlsafe_b64encode(octetos).decode().rstrip("=") == clic_id
    return octetos if len(octetos) == _OCTETOS and canonico else None


def _huella(enlace_id: str) -> bytes:
    return hashlib.sha256(enlace_id.encode()).digest()[:_DEL_ENLACE]


def _firma(secreto: Secreto, dicho: bytes) -> bytes:
    return secreto.firmar(_USO, dicho)[:_DE_LA_FIRMA]
