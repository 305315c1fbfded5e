"""Pausas de una tarea que calcula mucho, para que las demás del bucle de eventos sigan.

Qué es: cuándo se deja paso, que es cada poco tiempo y no cada tantas vueltas: de lo que llega de fuera, un
elemento puede costar mil veces lo que otro.
Qué no es: una espera a algo (`pausas.py`); si no hay otra tarea, sigue enseguida.
Por qué existe: un cuerpo grande que cabe en los límites no puede parar el proceso unos segundos.
"""

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Final

SEGUNDOS_SEGUIDOS: Final = 0.02


class Respiro:
    """El de una tarea. Preguntar si toca no cuesta casi nada.

    Args:
        reloj: segundos que no retroceden.
    """

    def __init__(self, reloj: Callable[[], float] = monotonic) -> None:
        self._reloj = reloj
        self._desde = reloj()

    async def respirar(self) -> None:
        """Deja paso a las demás si hace más de 20 milisegundos que no lo hizo."""
        if self._reloj() - self._desde > SEGUNDOS_SEGUIDOS:
            await asyncio.sleep(0)
            self._desde = self._reloj()
