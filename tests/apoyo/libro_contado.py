"""Un libro que se cuenta para los informes, en cada motor, como si cada transacción fuera de otro proceso."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

from alpespartners.modulos.informes.infraestructura.proyeccion import CuentasSQL
from alpespartners.modulos.informes.infraestructura.tablas import METADATOS
from alpespartners.modulos.tracking.infraestructura.motores.base_datos import LecturasDelLibro, Libro
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.lecturas import LecturasPostgreSQL
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.libro import LibroPostgreSQL
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.lecturas import LecturasSQLite
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.libro import LibroSQLite
from alpespartners.modulos.tracking.infraestructura.repositorios import Proyectar
from tests.apoyo.postgresql import SIN_PRISA, ServidorDePrueba


@contextmanager
def contado_en_sqlite(datos: Path) -> Iterator[tuple[Libro, LecturasDelLibro]]:
    """El de esa carpeta, y sus lecturas."""
    with _abierto(LibroSQLite(datos, proyectar=_por_fragmentos()), LecturasSQLite(datos)) as suyos:
        yield suyos


@contextmanager
def contado_en_postgresql(servidor: ServidorDePrueba) -> Iterator[tuple[Libro, LecturasDelLibro]]:
    """El de una base nueva de ese servidor, y sus lecturas."""
    url = servidor.base_nueva()
    libro = LibroPostgreSQL(url, limite=SIN_PRISA, proyectar=_por_fragmentos())
    with _abierto(libro, LecturasPostgreSQL(url, limite=SIN_PRISA)) as suyos:
        yield suyos


@contextmanager
def _abierto(libro: Libro, lecturas: LecturasDelLibro) -> Iterator[tuple[Libro, LecturasDelLibro]]:
    libro.abrir()
    yield libro, lecturas
    lecturas.cerrar()
    libro.cerrar()


def _por_fragmentos() -> Proyectar:
    fragmentos = cycle(range(3))
    return Proyectar(METADATOS, lambda conexion, _suyo: CuentasSQL(conexion, next(fragmentos)))
