"""Un plazo para lo que una tarea de asyncio espera.

Qué es: lo que hace `asyncio.timeout` en su caso corriente: si el plazo vence, la espera termina con
`TimeoutError`.
Qué no es: reprogramable ni consultable.
Por qué existe: cada petición pone dos, y los de la biblioteca cuestan más del doble.
"""

import asyncio
from types import TracebackType


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
