"""La memoria de varios procesos a lo largo del tiempo, mirada cada poco por un hilo aparte.

Qué es: octetos residentes, por proceso y por tramos que corta quien mide.
Qué no es: de quién es cada octeto; lo compartido con otros procesos también cuenta.
Por qué existe: una sola mirada al final no ve un pico, y una fuga solo se ve comparando tramos.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from alpespartners.medicion.montaje import Proceso

MEGA: Final = 1 << 20


class Muestreo:
    """Lo visto desde el último corte."""

    def __init__(self, procesos: Mapping[str, Proceso]) -> None:
        self._procesos = procesos
        self._vistas = self._sin_vistas()

    def mirar(self) -> None:
        """Anota lo que ocupa ahora cada proceso."""
        for nombre, proceso in self._procesos.items():
            self._vistas[nombre].append(proceso.memoria)

    def cortar(self) -> Mapping[str, list[int]]:
        """Devuelve lo visto desde el corte anterior, con una mirada al menos."""
        self.mirar()
        vistas, self._vistas = self._vistas, self._sin_vistas()
        return vistas

    def _sin_vistas(self) -> dict[str, list[int]]:
        return {nombre: [] for nombre in self._procesos}


@contextmanager
def muestreo(procesos: Mapping[str, Proceso], cada: float) -> Iterator[Muestreo]:
    """Mira esos procesos cada tantos segundos mientras dura el bloque."""
    vistas = Muestreo(procesos)
    parar = threading.Event()

    def mirar() -> None:
        while not parar.wait(cada):
            vistas.mirar()

    hilo = threading.Thread(target=mirar)
    hilo.start()
    try:
        yield vistas
    finally:
        parar.set()
        hilo.join()
