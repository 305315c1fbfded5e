"""Un montaje: lo que las rondas necesitan de una instalación, sea cual sea.

Qué es: sus papeles, cómo se mata al que hace uno de ellos, y dónde se mira después.
Qué no es: un arranque; quien lo construye ya lo tiene todo en marcha.
Por qué existe: la misma prueba vale para lo embebido y para los servidores de verdad.
"""

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final, Protocol

from tests.apoyo.espera import hasta
from tests.muerte.auditoria import Auditado
from tests.muerte.carga import Carga

_INTENTOS: Final = 50
_ENTRE_INTENTOS: Final = 0.01


@dataclass(frozen=True, slots=True)
class Muerte:
    """Una muerte y cuántas cosas tenía entre manos quien murió."""

    papel: str
    entre_manos: int


class Montaje(Protocol):
    """Una instalación entera en marcha.

    Attributes:
        auditado: dónde se mira lo que quedó.
        espacio: inquilino y espacio de nombres de sus tópicos.
    """

    auditado: Auditado
    espacio: str

    @property
    def papeles(self) -> Sequence[str]:
        """Quiénes pueden morir."""

    @property
    def puertos(self) -> list[int]:
        """Los de todas las APIs."""

    @property
    def broker(self) -> str:
        """La URL de su broker."""

    def conciliar(self) -> "subprocess.CompletedProcess[str]":
        """Lo que `alpespartners conciliar` dice de esta instalación."""

    def matar(self, papel: str, carga: Carga, azar: Random) -> Muerte:
        """Mata con -9 a quien hace ese papel, ocupado si puede ser, y lo repone si nadie más lo hace."""


def matar_en_plena_faena(numero: int, entre_manos: Callable[[], int]) -> int:
    """Mata con -9 a un proceso y devuelve cuánto tenía entre manos.

    Lo detiene antes de mirarlo, para que no haya carreras; si no tenía nada, lo deja seguir un instante y lo
    intenta de nuevo.
    """
    espera = threading.Event()
    tenia = 0
    for _ in range(_INTENTOS):
        os.kill(numero, signal.SIGSTOP)
        hasta(lambda: _detenido(numero))
        if tenia := entre_manos():
            break
        os.kill(numero, signal.SIGCONT)
        espera.wait(_ENTRE_INTENTOS)
    os.kill(numero, signal.SIGKILL)
    return tenia


def _detenido(numero: int) -> bool:
    return Path(f"/proc/{numero}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "T"
