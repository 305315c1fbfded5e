"""Comparar y corregir lo que el libro SQLite lleva contado, con el consumidor en marcha o sin él.

Qué es: lecturas de una instantánea, y transacciones de escritura desde un proceso que no tiene el turno de
escritura.
Qué no es: otro consumidor: no escribe filas, ni nada que un consumidor recuerde entre dos transacciones.
Por qué existe: para corregir una cuenta no se para el servicio. Esta orden espera al consumidor, y él a ella:
lo que halla bloqueado lo repite. Donde la biblioteca podría dañar el WAL con dos que escriben, se pide el
turno, y con el consumidor en marcha no se puede.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, MetaData

from alpespartners.modulos.tracking.infraestructura.motores.esquema import comprobar_en_marcha
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.archivo import (
    como_no_disponible,
    motor_de_escritura,
)
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.lecturas import LecturasSQLite
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.turno import turno_breve
from alpespartners.seedwork.arranque import ErrorDeArranque

T = TypeVar("T")


class ReparacionesSQLite:
    """La base de datos de una carpeta; cumple `Reparaciones`.

    Args:
        datos: la carpeta.
        metadatos: las tablas de otro módulo que también ha de tener.
        sin_turno: si puede escribir sin pedir el turno de escritura.
    """

    def __init__(self, datos: Path, metadatos: MetaData, *, sin_turno: bool) -> None:
        self._datos = datos
        self._metadatos = metadatos
        self._sin_turno = sin_turno
        self._lecturas = LecturasSQLite(datos, metadatos)
        self._motor = motor_de_escritura(datos)

    def leer_libro(self, trabajo: Callable[[Connection], T]) -> T:
        """Ejecuta el trabajo sobre una instantánea, sin poder escribir."""
        return self._lecturas.leer_libro(trabajo)

    def escribir(self, trabajo: Callable[[Connection], T]) -> T:
        """Ejecuta el trabajo en una transacción en la que nadie más escribe, y vuelve tras su commit."""
        with self._pudiendo(), como_no_disponible(), self._motor.begin() as conexion:
            comprobar_en_marcha(conexion, self._metadatos)
            return trabajo(conexion)

    def cerrar(self) -> None:
        """Cierra el archivo."""
        self._lecturas.cerrar()
        self._motor.dispose()

    @contextmanager
    def _pudiendo(self) -> Iterator[None]:
        if self._sin_turno:
            yield
            return
        with turno_breve(self._datos) as es_mio:
            if not es_mio:
                raise ErrorDeArranque(
                    "Esta biblioteca de SQLite no admite que dos procesos escriban a la vez: detenga los "
                    "consumidores y repita la orden."
                )
            yield
