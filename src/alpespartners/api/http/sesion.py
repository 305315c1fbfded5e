"""La sesión de una persona: lo que su navegador presenta en lugar de la clave con que entró.

Qué es: un texto con la identidad de la clave, el instante en que acaba y la firma de ambos, que comprueba
cualquier proceso que sepa las claves: no se guarda en ningún sitio.
Qué no es: la clave, que no se puede sacar de ella; ni otra clave: no vale para enviar por la API.
Por qué existe: un navegador no pone `Authorization` al abrir una página, y dejar en él la clave sería dejarla
para siempre.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Final, Self

GALLETA_DE_SESION: Final = "alpes_sesion"
SEGUNDOS_DE_SESION: Final = 12 * 60 * 60
_FORMA: Final = re.compile(
    r"(?P<identidad>[A-Za-z0-9]{0,32})\.(?P<acaba>[0-9]{1,12})\.(?P<firma>[\w-]{43})", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Sesion:
    """Una, valga o no.

    Attributes:
        identidad: la de la clave con que se entró; vacía, una de los ajustes.
        acaba: segundos de la época.
        firma: el HMAC-SHA256 de lo anterior con lo que el servicio sabe de esa clave, en base64 para URL.
    """

    identidad: str
    acaba: int
    firma: str

    @classmethod
    def firmada(cls, identidad: str, acaba: int, secreto: bytes) -> Self:
        """La de esa clave hasta ese instante."""
        return cls(identidad, acaba, _firma(identidad, acaba, secreto))

    @property
    def texto(self) -> str:
        """Lo que se presenta; cabe en una galleta."""
        return f"{self.identidad}.{self.acaba}.{self.firma}"

    def es_de(self, secreto: bytes) -> bool:
        """Dice si la firmó quien sabe ese secreto; lo que tarda no depende de en qué se parecen."""
        return hmac.compare_digest(_firma(self.identidad, self.acaba, secreto), self.firma)


def leer_sesion(texto: str) -> Sesion | None:
    """La sesión que dice ser ese texto; `None` si no puede serlo."""
    hallada = _FORMA.fullmatch(texto)
    if hallada is None:
        return None
    return Sesion(hallada["identidad"], int(hallada["acaba"]), hallada["firma"])


def _firma(identidad: str, acaba: int, secreto: bytes) -> str:
    firma = hmac.digest(secreto, f"sesion.{identidad}.{acaba}".encode("ascii"), "sha256")
    return urlsafe_b64encode(firma).decode("ascii").rstrip("=")
