"""Lo que la aplicación pide de donde se guardan los enlaces.

Lo que no responde lanza `BaseDatosNoDisponible`, que es de quien lo guarda y la atiende quien lo pidió.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from alpespartners.modulos.enlaces.dominio.enlace import Enlace


class Lugar(NamedTuple):
    """El de un enlace en la lista, que va del último que se hizo al primero."""

    creado_en: datetime
    enlace_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filtro:
    """Cuáles; `None`, los de todas o los de todos."""

    campaña_id: str | None = None
    influencer_id: str | None = None


class Enlaces(Protocol):
    """Los enlaces guardados."""

    async def leer(self, enlace_id: str) -> Enlace | None:
        """El que se llama así."""

    async def listar(self, filtro: Filtro, despues_de: Lugar | None, limite: int) -> Sequence[Enlace]:
        """Hasta `limite`, por su lugar, detrás de uno o desde el principio."""

    async def agregar(self, enlace: Enlace) -> tuple[Enlace, bool]:
        """Guarda el enlace si ninguno se llama así; devuelve el que queda, y si es el nuevo."""

    async def cambiar(self, enlace_id: str, cambio: Callable[[Enlace], Enlace]) -> Enlace | None:
        """Cambia un enlace por otro con su mismo nombre, sin que entre medias lo cambie nadie.

        Devuelve el que queda; `None` si no hay ninguno que se llame así. Lo que lance `cambio` se lanza, y no
        cambia nada. Se le puede llamar varias veces: la última es la que vale.
        """
