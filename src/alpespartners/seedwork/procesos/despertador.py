"""Esperar a la vez señales, descriptores y un plazo, sin gastar procesador.

Existe porque una señal que llega justo antes de ``select`` se perdería hasta el siguiente despertar: el
descriptor de aviso del intérprete (``signal.set_wakeup_fd``) no la pierde.
"""

import os
import select
import signal
from types import FrameType
from typing import Self


def _solo_despertar(numero: int, marco: FrameType | None) -> None:
    """El aviso ya va por el descriptor; hace falta un manejador para que la señal no haga otra cosa."""


class Despertador:
    """Atiende unas señales mientras está abierto (``with``); solo en el hilo principal."""

    def __init__(self, *señales: signal.Signals) -> None:
        self._señales = señales

    def __enter__(self) -> Self:
        self._lectura, self._escritura = os.pipe()
        os.set_blocking(self._lectura, False)
        os.set_blocking(self._escritura, False)
        self._aviso_anterior = signal.set_wakeup_fd(self._escritura, warn_on_full_buffer=False)
        self._anteriores = {señal: signal.signal(señal, _solo_despertar) for señal in self._señales}
        return self

    def __exit__(self, *_: object) -> None:
        for señal, anterior in self._anteriores.items():
            signal.signal(señal, anterior)
        signal.set_wakeup_fd(self._aviso_anterior)
        os.close(self._lectura)
        os.close(self._escritura)

    def dormir(self, segundos: float | None, *descriptores: int) -> set[int]:
        """Duerme hasta que llegue una señal, se pueda leer un descriptor o pasen los segundos.

        Returns:
            Los números de las señales llegadas desde la vez anterior.
        """
        listos, _, _ = select.select([self._lectura, *descriptores], [], [], segundos)
        return set(os.read(self._lectura, 4096)) if self._lectura in listos else set()
