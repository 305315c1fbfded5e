"""Pausas entre intentos: crecen con cada fallo seguido y llevan azar.

Qué es: cuánto se espera antes de insistir, y la espera misma, que termina antes si hay que parar.
Por qué existe: insistir sin pausa, o todos a la vez, termina de hundir lo que empezaba a recuperarse.
"""

import asyncio
import random
from dataclasses import dataclass
from typing import Final

_DOBLECES: Final = 64


@dataclass(frozen=True, slots=True)
class Pausas:
    """Segundos que se esperan entre intentos: la primera vez y, doblando cada una, como mucho."""

    minima: float = 0.5
    maxima: float = 10.0

    def siguiente(self, pausa: float) -> float:
        """La que sigue a esa si se vuelve a fallar."""
        return min(self.maxima, pausa * 2)

    def tras(self, fallos: int) -> float:
        """La que corresponde a tantos fallos seguidos, uno o más."""
        # Con más, el número dejaría de caber antes de compararse con la máxima.
        return min(self.maxima, self.minima * 2.0 ** min(fallos - 1, _DOBLECES))


def con_azar(pausa: float) -> float:
    """Reparte una pausa, para que muchos procesos no vuelvan todos a la vez."""
    return pausa * random.uniform(0.5, 1.0)  # noqa: S311 (no es un secreto)


async def dormir(pausa: float, parar: asyncio.Event) -> None:
    """Espera la pausa, con azar, o hasta que haya que parar."""
    try:
        await asyncio.wait_for(parar.wait(), con_azar(pausa))
    except TimeoutError:
        return
