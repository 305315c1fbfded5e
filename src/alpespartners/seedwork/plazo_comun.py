"""Un plazo común a muchas esperas de asyncio, con un solo temporizador para todas.

Qué es: futuros que, si a tiempo no tienen otro valor, valen `None`.
Qué no es: `asyncio.timeout`, que acota cualquier bloque, cada uno con su plazo, y lo interrumpe.
Por qué existe: lo que espera lo mismo vence en el orden en que empezó, así que basta con vigilar lo primero.
Poner y quitar un temporizador en cada envío costaba más que esperar su confirmación.
"""

import asyncio
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class PlazoComun(Generic[T]):
    """Las esperas que tienen ese plazo. Solo se usa desde un bucle de asyncio.

    Args:
        segundos: lo que dura cada una, como mucho.
    """

    def __init__(self, segundos: float) -> None:
        self._segundos = segundos
        self._esperas: deque[tuple[float, asyncio.Future[T | None]]] = deque()
        self._temporizador: asyncio.TimerHandle | None = None

    def futuro(self) -> "asyncio.Future[T | None]":
        """Devuelve un futuro nuevo; si al vencer no tiene valor ni se canceló, vale `None`."""
        bucle = asyncio.get_running_loop()
        futuro: asyncio.Future[T | None] = bucle.create_future()
        self._olvidar_las_acabadas()
        vence = bucle.time() + self._segundos
        self._esperas.append((vence, futuro))
        if self._temporizador is None:
            self._temporizador = bucle.call_at(vence, self._vencer)
        return futuro

    def _vencer(self) -> None:
        self._temporizador = None
        bucle = asyncio.get_running_loop()
        self._olvidar_las_acabadas()
        while self._esperas:
            vence, futuro = self._esperas[0]
            if vence > bucle.time():
                self._temporizador = bucle.call_at(vence, self._vencer)
                return
            futuro.set_result(None)
            self._olvidar_las_acabadas()

    def _olvidar_las_acabadas(self) -> None:
        """Las primeras: lo que empezó antes suele acabar antes, y así solo ocupan sitio las que esperan."""
        while self._esperas and self._esperas[0][1].done():
            self._esperas.popleft()
