"""Una clave guardada: para qué se hizo, hasta cuándo vale y cómo se sabe que un texto es ella.

Qué es: lo que queda de una clave después de enseñarla, que no basta para presentarla.
Qué no es: el texto de la clave; ese se enseña una vez, al crearla, y no está en ningún sitio.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

PREFIJO_DE_CLAVE: Final = "alpes_"
"""Cómo empieza el texto de las secretas: quien halla una en un repositorio sabe de quién es."""
PREFIJO_PUBLICO: Final = "pk_"
"""Cómo empieza el de las públicas, que no es un hallazgo: está a la vista en cada página."""
_LONGITUD_MAXIMA: Final = 128


class Alcance(StrEnum):
    """Para qué se hizo una clave."""

    CAPTURA = "captura"
    """Solo envía."""
    LECTURA = "lectura"
    """Solo lee."""
    OPERACION = "operacion"
    """Solo ve cómo está el servicio."""
    NAVEGADOR = "navegador"
    """Solo envía, desde las páginas de sus orígenes: la clave está escrita en ellas y no es un secreto."""


class Dialecto(StrEnum):
    """El protocolo de otros con que se envía; sin una clave suya, no se atiende."""

    SEGMENT = "segment"
    POSTHOG = "posthog"
    POSTBACK = "postback"
    """El de cualquier red: qué parámetros son los suyos lo dice la dirección."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaveGuardada:
    """Una clave, valga o no ahora.

    Attributes:
        identidad: la parte de su texto que no es secreta, y con la que se nombra.
        sal: la suya, al azar.
        resumen: el HMAC-SHA256 de su secreto con esa sal.
        dialecto: el único con que se puede enviar con ella; `None`, el propio.
        campañas: las únicas a que se puede enviar y que se pueden leer; `None`, todas.
        prefijo: lo que se antepone al `id` de cada evento.
        limite: eventos por segundo; `None`, los que quiera.
        origenes: de los que admite envíos, en la forma de `leer_origen`; solo los tiene una pública.
        caduca_en: desde cuándo no vale, en UTC; `None`, nunca.
        revocada_en: desde cuándo no vale porque se revocó.
    """

    identidad: str
    nombre: str
    sal: bytes
    resumen: bytes
    alcances: frozenset[Alcance]
    dialecto: Dialecto | None
    campañas: frozenset[str] | None
    prefijo: str
    limite: int | None
    caduca_en: datetime | None
    creada_en: datetime
    revocada_en: datetime | None = None
    origenes: frozenset[str] = frozenset()

    @property
    def es_publica(self) -> bool:
        """Dice si su texto está a la vista en las páginas que la usan."""
        return Alcance.NAVEGADOR in self.alcances

    def vale(self, ahora: datetime) -> bool:
        """Dice si en ese instante ni se había revocado ni había caducado."""
        return self.revocada_en is None and (self.caduca_en is None or ahora < self.caduca_en)

    def es_su_secreto(self, secreto: str) -> bool:
        """Dice si ese texto es su secreto; lo que tarda no depende de en qué se parecen."""
        return hmac.compare_digest(resumen_de(secreto, self.sal), self.resumen)


def resumen_de(secreto: str, sal: bytes) -> bytes:
    """Lo que se guarda de un secreto, en 32 octetos.

    No hace falta que sea lento de calcular: un secreto son 256 bits al azar, y nadie los recorre.
    """
    return hmac.digest(sal, secreto.encode("utf-8", "surrogatepass"), "sha256")


def texto_de(identidad: str, secreto: str) -> str:
    """El texto entero de una clave, que es lo que se presenta."""
    return f"{PREFIJO_DE_CLAVE}{identidad}_{secreto}"


def texto_publico_de(identidad: str) -> str:
    """El texto entero de una clave pública: nombrarla es presentarla, y vale por desde dónde se hace."""
    return PREFIJO_PUBLICO + identidad


def identidad_publica(presentada: str) -> str | None:
    """La identidad de lo que puede ser el texto de una clave pública; `None` si no puede serlo."""
    if not presentada.startswith(PREFIJO_PUBLICO) or len(presentada) > _LONGITUD_MAXIMA:
        return None
    return presentada.removeprefix(PREFIJO_PUBLICO)


def partes_de(presentada: str) -> tuple[str, str] | None:
    """La identidad y el secreto de lo que puede ser el texto de una clave; `None` si no puede serlo."""
    if not presentada.startswith(PREFIJO_DE_CLAVE) or len(presentada) > _LONGITUD_MAXIMA:
        return None
    identidad, _, secreto = presentada.removeprefix(PREFIJO_DE_CLAVE).partition("_")
    return identidad, secreto
