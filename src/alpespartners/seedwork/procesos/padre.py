"""Terminar cuando termina el proceso padre.

Sin esto, ``kill -9`` al supervisor de ``uvicorn --reload`` deja a su trabajador atendiendo el puerto, sin
nadie que lo detenga. Solo mira a los padres que arrancan a sus hijos con ``multiprocessing``, que son los
nuestros.
"""

import multiprocessing
import os
import signal
import threading
import time
from multiprocessing.process import BaseProcess

_GRACIA = 10.0


def terminar_con_el_padre(gracia: float = _GRACIA) -> None:
    """Desde ahora este proceso se envía SIGTERM si muere su padre; en un proceso sin padre no hace nada.

    Args:
        gracia: segundos que tiene para terminar por las buenas antes de un SIGKILL.
    """
    padre = multiprocessing.parent_process()
    if padre is not None:
        threading.Thread(target=_vigilar, args=(padre, gracia), name="vigila-padre", daemon=True).start()


def _vigilar(padre: BaseProcess, gracia: float) -> None:
    padre.join()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(gracia)
    os.kill(os.getpid(), signal.SIGKILL)
