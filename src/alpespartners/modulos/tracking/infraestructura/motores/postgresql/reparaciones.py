"""Comparar y corregir lo que el libro PostgreSQL lleva contado, con los consumidores en marcha o sin ellos.

Qué es: lecturas de una instantánea, y transacciones que leen de una y escriben: si otra cambió entretanto lo
que van a cambiar, se repiten enteras.
Qué no es: otro consumidor; nadie lo cuenta entre los vivos.
Por qué existe: un consumidor vuelve a mirar en cada sentencia, y entre dos sentencias suyas se registra más.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

from sqlalchemy import Connection, MetaData

from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible
from alpespartners.modulos.tracking.infraestructura.motores.esquema import comprobar_en_marcha
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.lecturas import LecturasPostgreSQL
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.servidor import (
    SentenciaRechazada,
    ServidorPostgreSQL,
)

T = TypeVar("T")

_LIMITE: Final = 600.0
"""Segundos que puede durar una sentencia: nadie espera por ella, y un día de una campaña puede ser enorme."""


class ReparacionesPostgreSQL:
    """Una base de datos PostgreSQL; cumple `Reparaciones`.

    Args:
        url: `postgresql://…`.
        metadatos: las tablas de otro módulo que también ha de tener.
    """

    def __init__(self, url: str, metadatos: MetaData) -> None:
        self._metadatos = metadatos
        self._lecturas = LecturasPostgreSQL(url, metadatos, limite=_LIMITE)
        self._servidor = ServidorPostgreSQL(
            url, nombre="alpespartners-reparaciones", conexiones=1, instantanea=True, limite=_LIMITE
        )

    def leer_libro(self, trabajo: Callable[[Connection], T]) -> T:
        """Ejecuta el trabajo sobre una instantánea, sin poder escribir."""
        with _como_no_disponible():
            return self._lecturas.leer_libro(trabajo)

    def escribir(self, trabajo: Callable[[Connection], T]) -> T:
        """Ejecuta el trabajo sobre una instantánea y vuelve tras su commit; quizá lo ejecuta varias veces."""

        def tras_comprobar(conexion: Connection) -> T:
            comprobar_en_marcha(conexion, self._metadatos)
            return trabajo(conexion)

        with _como_no_disponible():
            return self._servidor.ejecutar_y_esperar(tras_comprobar)

    def cerrar(self) -> None:
        """Cierra las conexiones."""
        self._lecturas.cerrar()
        self._servidor.cerrar()


@contextmanager
def _como_no_disponible() -> Iterator[None]:
    """Lo que el servidor rechaza aquí no lo envió nadie: otra mano cambió una fila o una tabla."""
    try:
        yield
    except SentenciaRechazada as rechazada:
        raise BaseDatosNoDisponible(f"rechazó una sentencia ({rechazada})") from rechazada
