"""Un supervisor con hijos de prueba: ``python supervisado.py <carpeta> <trabajo>...``.

Cada hijo anota su pid en ``<carpeta>/<trabajo>.pid``. También sirve de padre que no supervisa: con ``--solo``
arranca un único hijo y espera.
"""

import multiprocessing
import os
import signal
import sys
import time
from pathlib import Path

from alpespartners.seedwork.arranque import ErrorDeArranque
from alpespartners.seedwork.procesos.padre import terminar_con_el_padre
from alpespartners.seedwork.procesos.supervisor import Hijo, supervisar


def _anotar(carpeta: Path, nombre: str) -> None:
    temporal = carpeta / f"{nombre}.{os.getpid()}"
    temporal.write_text(str(os.getpid()), encoding="ascii")
    temporal.replace(carpeta / f"{nombre}.pid")


def obediente(carpeta: Path) -> None:
    """Termina con SIGTERM."""
    _anotar(carpeta, "obediente")
    signal.pause()


def sordo(carpeta: Path) -> None:
    """No hace caso de SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _anotar(carpeta, "sordo")
    while True:
        signal.pause()


def fugaz(carpeta: Path) -> None:
    """Termina sin que nadie se lo pida."""
    with (carpeta / "fugaz.veces").open("a", encoding="ascii") as veces:
        veces.write(f"{time.monotonic()}\n")


def imposible(carpeta: Path) -> None:
    """No puede arrancar, y lo descubre cuando su hermano ya vive."""
    while not (carpeta / "obediente.pid").exists():
        time.sleep(0.02)
    raise ErrorDeArranque("Falta la base de datos.")


def intermitente(carpeta: Path) -> None:
    """Vive y muere; después le falta algo una vez, y luego ya no."""
    veces = carpeta / "intermitente.veces"
    with veces.open("a", encoding="ascii") as apuntes:
        apuntes.write("x")
    if veces.stat().st_size == 2:
        raise ErrorDeArranque("Falta la base de datos.")
    if veces.stat().st_size > 2:
        obediente(carpeta)


def vigilado(carpeta: Path) -> None:
    """Un hijo de multiprocessing que no es del supervisor."""
    terminar_con_el_padre(gracia=0.2)
    sordo(carpeta)


TRABAJOS = {
    "obediente": obediente,
    "sordo": sordo,
    "fugaz": fugaz,
    "imposible": imposible,
    "intermitente": intermitente,
}

if __name__ == "__main__":
    destino = Path(sys.argv[1])
    if sys.argv[2] == "--solo":
        solo = multiprocessing.get_context("spawn").Process(target=vigilado, args=(destino,))
        solo.start()
        solo.join()
    else:
        # Quien lanzó la prueba pudo dejar SIGINT ignorado, y eso se hereda: en una terminal no lo está.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        supervisar([Hijo(nombre, TRABAJOS[nombre], (destino,)) for nombre in sys.argv[2:]], limite=1.0)
