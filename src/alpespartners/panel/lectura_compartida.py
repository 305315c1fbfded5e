"""Una lectura que comparten todos los que la piden en el mismo momento.

Qué es: lo último leído, con su caducidad, y un turno para leerlo otra vez.
Qué no es: una memoria para siempre; quien mira ve siempre lo de ahora, con un segundo de margen.
Por qué existe: cincuenta pestañas abiertas no son cincuenta preguntas a la base de datos.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class LecturaCompartida(Generic[T]):
    """Lo que da `leer`, leído como mucho una vez cada tanto.

    Args:
        leer: lo que se comparte; si lanza, no se recuerda nada.
        vale_durante: segundos.
    """

    def __init__(self, leer: Callable[[], Awaitable[T]], vale_durante: float) -> None:
        self._leer = leer
        self._vale_durante = vale_durante
        self._turno = asyncio.Lock()
        self._ultima: tuple[float, T] | None = None

    async def __call__(self) -> T:
        """Lo último leído o, si ya caducó, lo que se lea ahora."""
        async with self._turno:
            if self._ultima is None or time.monotonic() - self._ultima[0] >= self._vale_durante:
                leida = await self._leer()
                self._ultima = (time.monotonic(), leida)
            return self._ultima[1]
