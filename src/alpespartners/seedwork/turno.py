"""El turno de un trabajo largo en el bucle de eventos.

Qué es: cuánto lleva sin dejar que corra nadie más, y dejarlo cuando ya es bastante.
Qué no es: un límite del trabajo, que lo tiene quien lo admite.
Por qué existe: mil elementos pequeños cuestan lo que cien grandes, y contarlos no dice cuánto se tarda.
"""

import asyncio
from time import monotonic
from typing import Final

SEGUNDOS_DE_UN_TURNO: Final = 0.02


class Turno:
    """El de un trabajo; empieza al crearlo."""

    def __init__(self) -> None:
        self._desde = monotonic()

    async def ceder(self) -> None:
        """Deja correr a los demás si ya se ocupó el bucle bastante; si no, vuelve al instante."""
        if monotonic() - self._desde >= SEGUNDOS_DE_UN_TURNO:
            await asyncio.sleep(0)
            self._desde = monotonic()
