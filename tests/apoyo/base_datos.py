"""La base de datos SQLite de una carpeta: abierta como el programa, o por fuera, como haría una persona."""

import sqlite3
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Connection, create_engine, event

from alpespartners.composicion.adaptadores import CUENTAS
from alpespartners.modulos.tracking.infraestructura.libro.tablas import METADATOS
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.archivo import (
    archivo_de,
    biblioteca_sqlite,
)
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.lecturas import LecturasSQLite
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.libro import LibroSQLite


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
    sqlite = LibroSQLite(datos, timedelta(0), CUENTAS)
    sqlite.abrir()
    lecturas = LecturasSQLite(datos)
    try:
        yield sqlite, lecturas
    finally:
        lecturas.cerrar()
        sqlite.cerrar()


def planes(consulta: Callable[[Connection], object]) -> list[str]:
    """Cómo resolvería SQLite las lecturas de esa consulta, paso a paso, sobre tablas vacías."""
    motor = create_engine("sqlite://")
    pasos: list[str] = []

    @event.listens_for(motor, "before_cursor_execute", retval=True)
    def explicar(
        _conexion: Connection, cursor: sqlite3.Cursor, sentencia: str, parametros: object, *_: object
    ) -> tuple[str, object]:
        if sentencia.startswith("SELECT"):
            cursor.execute(f"EXPLAIN QUERY PLAN {sentencia}", parametros)  # type: ignore[arg-type]
            pasos.extend(fila[3] for fila in cursor.fetchall())
        return sentencia, parametros

    with motor.connect() as conexion:
        METADATOS.create_all(conexion)
        consulta(conexion)
    motor.dispose()
    return pasos
