"""Las claves vistas desde la puerta: qué deja hacer cada una.

Qué es: lo que quien atiende una petición necesita saber de la clave con que llegó.
Qué no es: dónde se guardan ni cómo se crean.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from alpespartners.modulos.tracking.aplicacion.permisos import SIN_LIMITES, Permiso


class Alcance(StrEnum):
    """Para qué se hizo una clave."""

    CAPTURA = "captura"
    """Solo envía."""
    LECTURA = "lectura"
    """Solo lee."""
    OPERACION = "operacion"
    """Solo ve cómo está el servicio."""


class Dialecto(StrEnum):
    """El protocolo de otros con que se envía; sin una clave suya, no se atiende."""

    SEGMENT = "segment"
    POSTHOG = "posthog"
    PLAUSIBLE = "plausible"


TODOS_LOS_ALCANCES: Final = frozenset(Alcance)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clave:
    """Una clave que vale ahora.

    Attributes:
        alcances: para qué se hizo.
        dialecto: el único con que se puede enviar con ella; `None`, el propio.
        permiso: lo que deja enviar.
    """

    alcances: frozenset[Alcance] = TODOS_LOS_ALCANCES
    dialecto: Dialecto | None = None
    permiso: Permiso = SIN_LIMITES


class Llavero(Protocol):
    """Las claves de un servicio."""

    def hay_de(self, dialecto: Dialecto | None) -> bool:
        """Dice si alguna se hizo para ese dialecto; `None` es el propio."""

    def abrir(self, presentada: str) -> Clave | None:
        """La clave que es ese texto; `None` si no es ninguna, o ya no vale."""
