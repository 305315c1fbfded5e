"""SQLite: el archivo, la biblioteca que lo abre y los ajustes con que lo hace.

Qué es: los dos motores de SQLAlchemy sobre el archivo, el de quien escribe y el de quien lee.
Qué no es: quién puede escribir (`turno.py`), ni transacciones.
Por qué existe: un commit cuyos mensajes ya se confirmaron no puede perderse en un corte de luz, y las
versiones de SQLite anteriores a la 3.51.3 pueden dañar un WAL compartido.
"""

import importlib
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlalchemy import Connection, Engine, QueuePool, create_engine, event
from sqlalchemy.exc import DatabaseError, DataError, IntegrityError, NotSupportedError, ProgrammingError

from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible

_AJUSTES_COMUNES = ("busy_timeout = 5000", "temp_store = memory", "foreign_keys = on")
_AJUSTES_DE_ESCRITURA = (
    # Quien arranca espera a `recontar`, que corrige sin el turno: una semana de una campaña puede ser larga.
    # Y `recontar`, a un consumidor que escribe sin parar: SQLite no guarda el turno a quien espera.
    "busy_timeout = 60000",
    "journal_mode = wal",
    # NORMAL puede perder, en un corte de luz, un commit cuyos mensajes ya se confirmaron al broker.
    "synchronous = FULL",
    "cache_size = -65536",
    "wal_autocheckpoint = 4000",
    "journal_size_limit = 67108864",
)
_WAL_SANO_DESDE = (3, 51, 3)
_ERRORES_DE_LOS_DATOS = (DataError, IntegrityError, NotSupportedError, ProgrammingError)

_registro = logging.getLogger(__name__)


def archivo_de(datos: Path) -> Path:
    """El archivo de la base de datos dentro de la carpeta de datos."""
    return datos / "tracking.sqlite3"


def biblioteca_sqlite() -> ModuleType:
    """`pysqlite3` donde publica rueda, que trae un SQLite reciente; si no, la biblioteca de Python."""
    try:
        return importlib.import_module("pysqlite3.dbapi2")
    except ModuleNotFoundError:
        return sqlite3


def admite_dos_escritores() -> bool:
    """Dice si dos procesos pueden tener el archivo abierto para escribir sin que la biblioteca lo dañe."""
    sana: bool = biblioteca_sqlite().sqlite_version_info >= _WAL_SANO_DESDE
    return sana


def motor_de_escritura(datos: Path) -> Engine:
    """El motor de lectura y escritura, con una sola conexión. El archivo ya existe, aunque esté vacío.

    Sin el turno de escritura solo puede usarlo quien sabe que la biblioteca admite dos escritores. Cada
    transacción empieza con BEGIN IMMEDIATE: ni una migración queda a medias ni se lee algo que otro cambie
    antes de escribir. Avisa si la biblioteca de SQLite es de las que pueden dañar un WAL.
    """
    if not admite_dos_escritores():
        _registro.warning(
            "SQLite %s puede dañar su WAL si otro programa abre el archivo para escribir; "
            "desde la %s ya no ocurre.",
            biblioteca_sqlite().sqlite_version,
            ".".join(map(str, _WAL_SANO_DESDE)),
        )
    uri = f"{archivo_de(datos).as_uri()}?mode=rw"
    return _motor(uri, 1, (*_AJUSTES_COMUNES, *_AJUSTES_DE_ESCRITURA), "BEGIN IMMEDIATE")


def consolidar(motor: Engine) -> None:
    """Lleva al archivo lo que sigue en el WAL, para que copiar el archivo sea copiarlo todo.

    Al cerrar, SQLite solo lo hace si nadie más lo tiene abierto, y la API suele tenerlo para leer.
    """
    conexion = motor.raw_connection()
    try:
        conexion.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except biblioteca_sqlite().DatabaseError as error:
        _registro.warning("No se pudo consolidar el WAL; se hará al abrir otra vez: %s", error)
    finally:
        conexion.close()


def motor_de_lectura(datos: Path, conexiones: int) -> Engine:
    """El motor de solo lectura: no crea ni consolida nada. Conectar falla si no hay archivo."""
    uri = f"{archivo_de(datos).as_uri()}?mode=ro"
    return _motor(uri, conexiones, _AJUSTES_COMUNES, "BEGIN")


def _motor(uri: str, conexiones: int, ajustes: tuple[str, ...], inicio: str) -> Engine:
    biblioteca = biblioteca_sqlite()
    motor = create_engine(
        "sqlite://",
        module=biblioteca,
        # Sin `isolation_level` la biblioteca no abre transacciones por su cuenta: las abre `inicio`.
        creator=lambda: biblioteca.connect(uri, uri=True, isolation_level=None, check_same_thread=False),
        poolclass=QueuePool,
        pool_size=conexiones,
        max_overflow=0,
        # Los parámetros son datos personales: no van en el texto de un error.
        hide_parameters=True,
    )

    @event.listens_for(motor, "connect")
    def al_conectar(conexion: Any, _registro_del_pool: object) -> None:
        for ajuste in ajustes:
            conexion.execute(f"PRAGMA {ajuste}")

    @event.listens_for(motor, "begin")
    def al_empezar(conexion: Connection) -> None:
        conexion.exec_driver_sql(inicio)

    return motor


@contextmanager
def como_no_disponible() -> Iterator[None]:
    """Convierte en `BaseDatosNoDisponible` lo que falla por la base de datos y no por los datos.

    Por ejemplo: archivo bloqueado, ilegible o dañado, disco lleno.
    """
    try:
        yield
    except _ERRORES_DE_LOS_DATOS:
        raise
    except DatabaseError as error:
        raise BaseDatosNoDisponible(str(error.orig)) from error
