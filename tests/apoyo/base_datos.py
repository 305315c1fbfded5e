"""La base de datos SQLite de una carpeta: abierta como el programa, o por fuera, como haría una persona."""

from collections.abc import Generator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

from alpespartners.modulos.tracking.infraestructura.lecturas import LecturasSQLite
from alpespartners.modulos.tracking.infraestructura.sqlite import archivo_de, biblioteca_sqlite
from alpespartners.modulos.tracking.infraestructura.unidad_trabajo import LibroSQLite


def sql(datos: Path, sentencia: str) -> list[tuple[object, ...]]:
    """Ejecuta y confirma una sentencia, y devuelve sus filas.

    Con la misma biblioteca que el programa: dos copias de SQLite en un proceso se pisan los cerrojos.
    """
    with closing(biblioteca_sqlite().connect(archivo_de(datos))) as conexion, conexion:
        filas: list[tuple[object, ...]] = conexion.execute(sentencia).fetchall()
        return filas


@contextmanager
def libro_sqlite(datos: Path) -> Generator[tuple[LibroSQLite, LecturasSQLite]]:
    """Un libro abierto en esa carpeta y quien lo lee; sin arriendos, todo envío está ya vencido."""
    sqlite = LibroSQLite(datos, arriendo=timedelta(0))
    sqlite.abrir()
    lecturas = LecturasSQLite(datos)
    try:
        yield sqlite, lecturas
    finally:
        lecturas.cerrar()
        sqlite.cerrar()
