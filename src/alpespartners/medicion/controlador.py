"""El techo de la meta d: insertar las mismas filas con el controlador de la base de datos y nada más.

Qué es: `pysqlite3` con `executemany` y `asyncpg` con un arreglo por columna, sobre las mismas tablas con sus
mismos índices y ajustes, en lotes de mil ordenados por `id`, cada uno con su commit duradero.
Qué no es: un consumidor. No recibe, no descifra, no valida, no pregunta si la fila ya estaba, no cuenta y no
anuncia nada.
Por qué existe: menos que eso no puede costar guardar esas filas.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

import asyncpg

from alpespartners.modulos.tracking.aplicacion.clases import CLASES
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.archivo import (
    archivo_de,
    biblioteca_sqlite,
    motor_de_escritura,
)
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.libro import migrar

TABLAS: Final = [clase.plural for clase in CLASES]

_LOTE = 1_000

Filas = Sequence[Sequence[Any]]


class Controlador(Protocol):
    """Copia filas de la base de datos del servicio a otra igual que nadie más usa."""

    def leer(self, tabla: str, despues_de: str) -> Filas:
        """Las filas que guardó el servicio con un `id` mayor que ese, en su orden."""

    def insertar(self, tabla: str, filas: Filas) -> None:
        """Las inserta en la copia."""


class _ControladorSQLite:
    def __init__(self, origen: Any, copia: Any) -> None:
        self._origen = origen
        self._copia = copia

    def leer(self, tabla: str, despues_de: str) -> Filas:
        consulta = f"SELECT * FROM {tabla} WHERE id > ? ORDER BY id"  # noqa: S608 (el nombre es de `TABLAS`)
        filas: Filas = self._origen.execute(consulta, (despues_de,)).fetchall()
        return filas

    def insertar(self, tabla: str, filas: Filas) -> None:
        huecos = ", ".join("?" * len(filas[0]))
        sentencia = f"INSERT INTO {tabla} VALUES ({huecos})"  # noqa: S608 (ídem)
        for lote in _lotes(filas):
            self._copia.execute("BEGIN IMMEDIATE")
            self._copia.executemany(sentencia, lote)
            self._copia.execute("COMMIT")


@contextmanager
def controlador_sqlite(datos: Path, copia: Path) -> Iterator[Controlador]:
    """El de SQLite, de la carpeta de datos del servicio a otra, que se crea."""
    migrar(copia)
    uri = f"{archivo_de(datos).as_uri()}?mode=ro"
    motor = motor_de_escritura(copia)
    try:
        with (
            closing(biblioteca_sqlite().connect(uri, uri=True)) as origen,
            closing(motor.raw_connection()) as conexion,
        ):
            yield _ControladorSQLite(origen, conexion.driver_connection)
    finally:
        motor.dispose()


class _ControladorPostgreSQL:
    def __init__(self, ejecutor: asyncio.Runner, origen: Any, copia: Any) -> None:
        self._ejecutor = ejecutor
        self._origen = origen
        self._copia = copia

    def leer(self, tabla: str, despues_de: str) -> Filas:
        consulta = f"SELECT * FROM {tabla} WHERE id > $1 ORDER BY id"  # noqa: S608 (ídem)
        filas: Filas = self._ejecutor.run(self._origen.fetch(consulta, despues_de))
        return filas

    def insertar(self, tabla: str, filas: Filas) -> None:
        self._ejecutor.run(self._insertar(tabla, filas))

    async def _insertar(self, tabla: str, filas: Filas) -> None:
        tipos = await self._copia.fetch(
            "SELECT format_type(atttypid, NULL) FROM pg_attribute"
            " WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
            tabla,
        )
        arreglos = ", ".join(f"${numero}::{tipo}[]" for numero, (tipo,) in enumerate(tipos, 1))
        sentencia = f"INSERT INTO {tabla} SELECT * FROM unnest({arreglos})"  # noqa: S608 (ídem)
        for lote in _lotes(filas):
            await self._copia.execute(sentencia, *zip(*lote, strict=True))


@contextmanager
def controlador_postgresql(origen: str, copia: str) -> Iterator[Controlador]:
    """El de PostgreSQL, de la base de datos del servicio a otra, ya migrada."""
    with asyncio.Runner() as ejecutor:
        conexiones = [ejecutor.run(asyncpg.connect(url)) for url in (origen, copia)]
        try:
            yield _ControladorPostgreSQL(ejecutor, *conexiones)
        finally:
            for conexion in conexiones:
                ejecutor.run(conexion.close())


def _lotes(filas: Filas) -> Iterator[Filas]:
    for inicio in range(0, len(filas), _LOTE):
        yield filas[inicio : inicio + _LOTE]
