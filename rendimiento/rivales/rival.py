"""Un rival: qué hay que saber hacer con él para compararlo.

Qué es: el protocolo que cumplen todos, nosotros también, y lo que cada uno dice que promete.
Por qué existe: a todos se les hace lo mismo, con la misma carga y en el mismo orden.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from alpespartners.medicion.carga import Fabrica


class NoSePuede(Exception):
    """Un rival no se puede instalar aquí; la frase dice qué falta."""


class EnMarcha(Protocol):
    """Un rival arrancado, con sus datos vacíos."""

    @property
    def puerto(self) -> int:
        """Donde atiende; puede cambiar al recuperarse."""

    def cpu(self) -> float:
        """Segundos de CPU que llevan gastados sus procesos, sin el broker."""

    def cpu_del_broker(self) -> float:
        """Segundos de CPU que lleva gastados su broker."""

    def terminar(self, aceptados: int, /) -> None:
        """Vuelve cuando no le queda nada por hacer con los que aceptó desde que arrancó."""

    def matar(self) -> None:
        """Termina de golpe todos sus procesos, también el broker."""

    def recuperar(self) -> None:
        """Lo arranca otra vez sobre los mismos datos."""

    def guardados(self, esperados: "Counter[str]") -> "Counter[str]":
        """Cuántas veces guarda cada `id`; espera un tiempo a que estén los esperados."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """Algo que acepta eventos por HTTP.

    Attributes:
        nombre: con qué nombre sale en la tabla.
        estado: el de HTTP con que acepta.
        al_responder: dónde está el evento en ese instante.
        destino: cómo se pregunta después qué fue de él.
        instalar: lo deja en esa carpeta, con el gestor de paquetes de su lenguaje; lanza `NoSePuede`.
        arrancar: lo arranca, con lo que se instaló en esa carpeta; al salir no deja nada en marcha.
        fabrica: da las peticiones de ejemplo, para ese puerto.
    """

    nombre: str
    estado: int
    al_responder: str
    destino: str
    instalar: Callable[[Path], None]
    arrancar: Callable[[Path], AbstractContextManager[EnMarcha]]
    fabrica: Callable[[int], Fabrica]
