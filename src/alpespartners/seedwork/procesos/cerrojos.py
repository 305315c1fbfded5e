"""Cerrojo entre procesos sobre un archivo, con ``flock``.

El sistema lo suelta cuando muere quien lo tiene, aunque muera de golpe: nunca queda uno que una persona deba
quitar. Por eso es aquí la única prueba de que un proceso vive; los pid y las horas de arranque se reutilizan.
No es un cerrojo entre hilos, y el archivo no se borra: borrarlo daría dos cerrojos con el mismo nombre.
"""

import os
import sys
import time
from pathlib import Path

if sys.platform != "win32":  # en Windows no existe, y este módulo debe poder importarse
    import fcntl

_CADA = 0.02


class Cerrojo:
    """Un archivo abierto sobre el que se puede tener un cerrojo, exclusivo o compartido.

    El cerrojo pertenece al archivo abierto: un proceso hijo que hereda el ``descriptor`` lo tiene también,
    y sigue tomado hasta que lo cierre el último de los dos.

    Raises:
        OSError: el archivo no se puede crear o abrir para escribir.
    """

    def __init__(self, ruta: Path) -> None:
        self.descriptor = os.open(ruta, os.O_RDWR | os.O_CREAT, 0o600)

    def tomar(self, *, compartido: bool = False, limite: float | None = 0.0) -> bool:
        """Toma el cerrojo y dice si lo consiguió.

        Args:
            compartido: lo admite a la vez que otros compartidos; sin él, excluye a todos.
            limite: segundos que espera como mucho; 0 no espera y ``None`` espera cuanto haga falta.
        """
        operacion = fcntl.LOCK_SH if compartido else fcntl.LOCK_EX
        if limite is None:
            fcntl.flock(self.descriptor, operacion)
            return True
        plazo = time.monotonic() + limite
        while True:
            try:
                fcntl.flock(self.descriptor, operacion | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= plazo:
                    return False
                time.sleep(_CADA)
            else:
                return True

    def soltar(self) -> None:
        """Lo suelta para todos los que comparten el descriptor; se puede volver a tomar."""
        fcntl.flock(self.descriptor, fcntl.LOCK_UN)

    def cerrar(self) -> None:
        """Cierra el archivo. Lo suelta, salvo que otro proceso haya heredado el descriptor."""
        os.close(self.descriptor)
