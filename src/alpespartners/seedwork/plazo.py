"""Plazos para lo que una tarea de asyncio espera.

Qué es: lo que hace `asyncio.timeout` en su caso corriente: si el plazo vence, la espera termina con
`TimeoutError`. `Plazo` vale para un bloque; `en_el_plazo`, para lo que casi nunca hay que esperar; y
`PlazoComun`, para muchas esperas que duran lo mismo como mucho.
Qué no es: reprogramable ni consultable.
Por qué existe: cada petición pone dos, y un temporizador por plazo cuesta más que lo que vigila.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine, Generator
from functools import partial
from types import TracebackType, coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Plazo:
    """Los segundos que puede durar un bloque; se usa en un `with` dentro de una tarea, una sola vez."""

    __slots__ = ("_aviso", "_cancelaciones", "_segundos", "_tarea", "_vencido")

    def __init__(self, segundos: float) -> None:
        self._segundos = segundos
        self._vencido = False

    def __enter__(self) -> None:
        tarea = asyncio.current_task()
        if tarea is None:
            raise RuntimeError("un plazo solo vale dentro de una tarea")
        self._tarea = tarea
        self._cancelaciones = tarea.cancelling()
        self._aviso = asyncio.get_running_loop().call_later(self._segundos, self._vencer)

    def __exit__(
        self, tipo: type[BaseException] | None, error: BaseException | None, _traza: TracebackType | None
    ) -> None:
        self._aviso.cancel()
        # Si además la canceló otro, manda el otro.
        if self._vencido and self._tarea.uncancel() <= self._cancelaciones and tipo is asyncio.CancelledError:
            raise TimeoutError from error

    def _vencer(self) -> None:
        self._vencido = True
        self._tarea.cancel()


async def en_el_plazo(espera: Coroutine[Any, Any, T], segundos: float) -> T:
    """Espera la corrutina esos segundos como mucho; si no tiene nada que esperar, ni se pone el plazo.

    Raises:
        TimeoutError: venció.
    """
    try:
        pendiente = espera.send(None)
    except StopIteration as final:
        valor: T = final.value
        return valor
    with Plazo(segundos):
        return await _seguir(espera, pendiente)


@coroutine
def _seguir(espera: Coroutine[Any, Any, T], pendiente: Any) -> Generator[Any, Any, T]:
    """Continúa una corrutina ya empezada, que espera a `pendiente`."""
    while True:
        try:
            recibido = yield pendiente
        except BaseException as error:  # noqa: BLE001 (también la cancelación es para quien espera dentro)
            seguir = partial(espera.throw, error)
        else:
            seguir = partial(espera.send, recibido)
        try:
            pendiente = seguir()
        except StopIteration as final:
            valor: T = final.value
            return valor


class PlazoComun(Generic[T]):
    """Un mismo plazo para muchos futuros: vencen en el orden en que se apuntan, y un temporizador basta.

    Args:
        segundos: los que tiene cada uno.
        vencido: el resultado que se pone al que no lo tiene cuando vence.
    """

    def __init__(self, segundos: float, vencido: T) -> None:
        self._segundos = segundos
        self._vencido = vencido
        self._vigilados: deque[tuple[float, asyncio.Future[T]]] = deque()
        self._aviso: asyncio.TimerHandle | None = None

    def vigilar(self, futuro: asyncio.Future[T]) -> None:
        """Empieza a contar el plazo de un futuro."""
        vigilados = self._vigilados
        # Los que ya tienen resultado no deben ocupar memoria lo que les queda de plazo.
        while vigilados and vigilados[0][1].done():
            vigilados.popleft()
        bucle = futuro.get_loop()
        vigilados.append((bucle.time() + self._segundos, futuro))
        if self._aviso is None:
            self._aviso = bucle.call_later(self._segundos, self._vencer, bucle)

    def _vencer(self, bucle: asyncio.AbstractEventLoop) -> None:
        self._aviso = None
        vigilados = self._vigilados
        while vigilados:
            vence, futuro = vigilados[0]
            if not futuro.done():
                if vence > bucle.time():
                    self._aviso = bucle.call_at(vence, self._vencer, bucle)
                    return
                futuro.set_result(self._vencido)
            vigilados.popleft()
