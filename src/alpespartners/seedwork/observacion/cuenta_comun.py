"""La cuenta común: la carpeta donde varios procesos iguales dejan sus métricas, y el puesto de cada uno.

Qué es: lo que prepara quien los arranca. Cómo se apunta y se suma está en `registro_comun.py`.
Por qué existe: con un solo puerto responde cualquiera de ellos, y la cuenta de uno solo parecería volver a
empezar cada vez que contesta otro.
"""

import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alpespartners.seedwork.arranque import ErrorDeArranque

# En un disco, cada apunte podría esperar a que el sistema acabe de bajar a él la página anterior.
_EN_MEMORIA: Final = Path("/dev/shm")  # noqa: S108 (dentro se crea una carpeta con un nombre que nadie adivina)


@dataclass(frozen=True, slots=True)
class Puesto:
    """El lugar de un proceso entre los que llevan una cuenta común; quien lo repone ocupa el mismo.

    Attributes:
        carpeta: la de la cuenta.
        numero: distinto entre los procesos que viven a la vez.
    """

    carpeta: Path
    numero: int

    def dejar(self) -> None:
        """Lo deja al terminar; si quien arrancó a todos murió, ya no la borrará él."""
        padre = multiprocessing.parent_process()
        if padre is not None and not padre.is_alive():
            shutil.rmtree(self.carpeta, ignore_errors=True)


@contextmanager
def cuenta_comun() -> Iterator[Path]:
    """Entrega la carpeta de una cuenta que empieza en cero, y la borra al salir.

    Raises:
        ErrorDeArranque: no hay dónde crearla.
    """
    en_memoria = _EN_MEMORIA if os.access(_EN_MEMORIA, os.W_OK) else None
    try:
        carpeta = tempfile.TemporaryDirectory(prefix="alpespartners-", dir=en_memoria)
    except OSError:
        raise ErrorDeArranque(
            "Con varios procesos hace falta una carpeta temporal en la que se pueda escribir: /dev/shm, /tmp "
            "o la que diga TMPDIR."
        ) from None
    with carpeta as nombre:
        yield Path(nombre)
