"""En qué núcleo corre cada cosa: los servidores en uno, quien los carga en otro.

Qué es: la afinidad de este proceso, que heredan los que arranca mientras dura el bloque.
Qué no es: una reserva; otros procesos de la máquina pueden usar el mismo núcleo.
Por qué existe: si quien carga y quien atiende comparten núcleo se mide a los dos.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

_CON_AFINIDAD = hasattr(os, "sched_setaffinity")


@contextmanager
def en_el_de_los_servidores() -> Iterator[None]:
    """Lo que se arranque dentro del bloque corre en el primer núcleo."""
    with _en(0):
        yield


@contextmanager
def en_el_de_la_carga() -> Iterator[None]:
    """Lo que corra dentro del bloque, en los demás núcleos, si hay."""
    with _en(None):
        yield


@contextmanager
def _en(cual: int | None) -> Iterator[None]:
    if not _CON_AFINIDAD:
        yield
        return
    todos = os.sched_getaffinity(0)
    primero = min(todos)
    elegidos = {primero} if cual == 0 else todos - {primero} or todos
    os.sched_setaffinity(0, elegidos)
    try:
        yield
    finally:
        os.sched_setaffinity(0, todos)
