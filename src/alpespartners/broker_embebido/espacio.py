"""El sitio libre que el broker embebido necesita para que se le pueda creer.

Qué es: la reserva y la pregunta de si queda.
Qué no es: una cuota; el resto del disco lo usa quien quiera.
Por qué existe: pulsar-lite no se repone de un disco lleno. Lo último que confirmó antes se pierde al
reiniciarlo, y si el disco se vacía y nadie lo reinicia, sigue confirmando y no guarda nada. Así que no se le
deja llegar: sin reserva, el guardián lo detiene y nadie da por buena una confirmación suya.
"""

import os
from pathlib import Path
from typing import Final

RESERVA: Final = 128 * 1024 * 1024
"""Octetos. Caben de sobra lo que se escriba en el segundo que tarda el guardián y una memoria de RocksDB."""


def hay_sitio(carpeta: Path) -> bool:
    """Dice si en el disco de la carpeta queda la reserva; si no se puede saber, no."""
    try:
        disco = os.statvfs(carpeta)
    except OSError:
        return False
    return disco.f_bavail * disco.f_frsize >= RESERVA
