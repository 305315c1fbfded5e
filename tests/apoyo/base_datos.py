"""Abrir la base de datos SQLite de una carpeta por fuera del programa, como haría una persona."""

from contextlib import closing
from pathlib import Path

from alpespartners.modulos.tracking.infraestructura.sqlite import archivo_de, biblioteca_sqlite


def sql(datos: Path, sentencia: str) -> list[tuple[object, ...]]:
    """Ejecuta y confirma una sentencia, y devuelve sus filas.

    Con la misma biblioteca que el programa: dos copias de SQLite en un proceso se pisan los cerrojos.
    """
    with closing(biblioteca_sqlite().connect(archivo_de(datos))) as conexion, conexion:
        filas: list[tuple[object, ...]] = conexion.execute(sentencia).fetchall()
        return filas
