"""Saber que el proceso va a terminar en cuanto se le pide, sin quitarle la señal a quien la atiende.

Qué es: un aviso, en el bucle de asyncio, con la primera señal de terminar.
Qué no es: quien termina. La señal sigue siendo del servidor, que la recibe igual.
Por qué existe: uvicorn, al terminar, espera a que acaben las respuestas antes de decir nada a la aplicación;
una que no se acaba sola lo tendría esperando, con la orden de la semilla para siempre.
"""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

_DE_TERMINAR: Final = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def avisando_del_final(avisar: Callable[[], None]) -> Iterator[None]:
    """Mientras dura el bloque, llama a `avisar` en este bucle cuando llegue una señal de terminar.

    Fuera del hilo principal no llega ninguna, y no hace nada.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    bucle = asyncio.get_running_loop()
    anteriores = {señal: signal.getsignal(señal) for señal in _DE_TERMINAR}

    def atender(señal: int, marco: FrameType | None) -> None:
        bucle.call_soon_threadsafe(avisar)
        anterior = anteriores[signal.Signals(señal)]
        if callable(anterior):
            anterior(señal, marco)

    # Solo las que alguien atiende: lo que hace el sistema con las demás no se puede repetir desde aquí.
    for señal in (suya for suya, anterior in anteriores.items() if callable(anterior)):
        signal.signal(señal, atender)
    try:
        yield
    finally:
        for señal, anterior in anteriores.items():
            if signal.getsignal(señal) is atender:
                signal.signal(señal, anterior)
