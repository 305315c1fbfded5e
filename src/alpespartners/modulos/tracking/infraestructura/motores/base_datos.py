"""La base de datos de una instalación: el libro, sus lecturas y su migración, del mismo motor.

Qué es: lo que la composición elige una sola vez; cada motor da el suyo.
Por qué existe: quien escribe, quien lee y quien migra no pueden hablar con motores distintos.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from alpespartners.modulos.tracking.aplicacion.mensajes import Envio
from alpespartners.modulos.tracking.aplicacion.puertos import Lecturas, Presencia
from alpespartners.modulos.tracking.infraestructura.repositorios import TransaccionSQL

T = TypeVar("T")


class Libro(Protocol):
    """Lo que un proceso escribe: sus transacciones y su bandeja de salida; cada llamada es una."""

    def abrir(self) -> None:
        """Deja lista la base de datos para escribir en ella, o dice por qué no se puede.

        Raises:
            ErrorDeArranque: no se puede escribir en ella.
        """

    def cerrar(self) -> None:
        """Espera a la transacción en curso y suelta lo que tenía. No se puede volver a abrir."""

    async def ejecutar(self, trabajo: Callable[[TransaccionSQL], T]) -> T:
        """Ejecuta el trabajo en una transacción y vuelve tras su commit; si falla no queda nada."""

    async def retirar(self, numeros: Sequence[int]) -> None:
        """Olvida los envíos que el broker ya confirmó."""

    async def renovar(self, numeros: Sequence[int]) -> None:
        """Alarga el arriendo de los envíos que siguen en curso."""

    async def reservar_vencidos(self, limite: int) -> list[Envio]:
        """Arrienda hasta `limite` envíos que nadie tiene, los más antiguos primero."""

    async def olvidar_enviados(self, recibidos_antes_de: datetime, limite: int) -> int:
        """Olvida lo que se envió en hasta `limite` comandos anteriores a ese instante, y dice en cuántos."""


class LecturasDelLibro(Lecturas, Presencia, Protocol):
    """Lo que un proceso lee de la base de datos."""

    def leer_libro(self, trabajo: Callable[[Connection], T]) -> T:
        """Ejecuta el trabajo en una transacción corta, y espera a que termine."""

    def cerrar(self) -> None:
        """Espera a las lecturas en curso y suelta lo que tenía."""


class BaseDatos(Protocol):
    """Una base de datos: todavía no hay nada abierto."""

    def libro(self) -> Libro:
        """Las transacciones de un proceso que escribe; nada se abre hasta `abrir`."""

    def lecturas(self) -> LecturasDelLibro:
        """Lo que un proceso lee; nada se abre hasta que lee."""

    def migrar(self) -> None:
        """Lleva el esquema al de este programa.

        Raises:
            ErrorDeArranque: no se puede abrir o migrar.
        """

    def dejar_lista(self, *, migra: bool) -> None:
        """Migra, si le toca a este proceso; si no, comprueba que puede leerla.

        Args:
            migra: si este proceso puede migrar un servidor que usan otros.

        Raises:
            ErrorDeArranque: no se puede migrar, o el esquema es de otra versión.
        """
