"""Quién puede escribir en la base de datos SQLite de una carpeta: uno a la vez.

Qué es: el turno de escritura, que un consumidor tiene toda su vida y una migración solo un momento.
Qué no es: un cerrojo de SQLite; aquellos duran una transacción y no impiden un segundo escritor.
Por qué existe: un solo proceso de la máquina tiene abierta la base de datos para escribir, y los demás
saben si hay un consumidor vivo.

Son dos cerrojos. `escritor.lock` lo toma quien escribe. `consumidor.lock` lo toma además el consumidor, y es
por el que se pregunta: quien solo pregunta no estorba así a quien está arrancando.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from alpespartners.seedwork.arranque import ErrorDeArranque
from alpespartners.seedwork.procesos.cerrojos import Cerrojo

_ESPERA_DE_UNA_MIGRACION = 60.0
_CADA = 0.05


@contextmanager
def turno_de_consumidor(datos: Path) -> Iterator[None]:
    """Tiene el turno de escritura como consumidor; espera a una migración, nunca a otro consumidor.

    Raises:
        ErrorDeArranque: otro consumidor lo tiene, o una migración no lo suelta en un minuto.
    """
    with ExitStack() as pila:
        escritor = _abierto(pila, datos / "escritor.lock")
        plazo = time.monotonic() + _ESPERA_DE_UNA_MIGRACION
        while not escritor.tomar(limite=_CADA):
            exigir_sin_consumidor(datos)
            if time.monotonic() > plazo:
                raise ErrorDeArranque(f"Otro proceso escribe en la base de datos de {datos} y no termina.")
        # Quien tiene `escritor.lock` solo puede coincidir aquí con quien pregunta, que lo suelta al momento.
        _abierto(pila, datos / "consumidor.lock").tomar(limite=None)
        yield


@contextmanager
def turno_breve(datos: Path) -> Iterator[bool]:
    """Intenta tener el turno para una tarea corta, sin esperar, y dice si lo consiguió."""
    with ExitStack() as pila:
        yield _abierto(pila, datos / "escritor.lock").tomar()


def exigir_sin_consumidor(datos: Path) -> None:
    """Comprueba que no vive un consumidor que escribe en esa carpeta.

    Raises:
        ErrorDeArranque: vive uno.
        OSError: la carpeta existe y no se puede usar.
    """
    if hay_consumidor(datos):
        raise ErrorDeArranque(
            f"Ya hay un proceso de consumidores sobre {datos}: con SQLite solo puede haber uno. "
            "Detenga el otro, o dé a este otra carpeta con ALPES_DATOS."
        )


def hay_consumidor(datos: Path) -> bool:
    """Dice si vive un consumidor que escribe en esa carpeta.

    Raises:
        OSError: la carpeta existe y no se puede usar.
    """
    if not datos.is_dir():
        return False
    with ExitStack() as pila:
        return not _abierto(pila, datos / "consumidor.lock").tomar(compartido=True)


def _abierto(pila: ExitStack, ruta: Path) -> Cerrojo:
    cerrojo = Cerrojo(ruta)
    pila.callback(cerrojo.cerrar)
    return cerrojo
