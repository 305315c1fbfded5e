"""El orden de llegada: el número de cada fila de una tabla, y hasta cuál ya no puede aparecer ninguna más.

Qué es: con lo que se lee una tabla en la que otros escriben a la vez sin saltarse filas ni repetirlas. En
SQLite el número se da aquí; en PostgreSQL lo da la columna (`Identity`), y un disparador apunta antes a quien
escribe.
Qué no es: el orden de un dato de la fila, como su instante, que puede llegar tarde.
Por qué existe: en PostgreSQL los números no se confirman en el orden en que se dan. Quien leyera hasta el
último no vería jamás la fila anterior de una transacción que termina después.

La tabla tiene una columna `secuencia`, única y sin nulos; el disparador lo crea la revisión que se la puso.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, Select, Table, func, select

from alpespartners.seedwork.sql.sentencias import es_postgresql, motor_de

SECUENCIA: Final = "secuencia"


def numeradas(
    conexion: Connection, tabla: Table, filas: Sequence[Mapping[str, object]]
) -> Sequence[Mapping[str, object]]:
    """Las filas que se van a insertar, con su número si no se lo da la propia tabla."""
    if es_postgresql(motor_de(conexion)):
        return filas
    # La transacción es la única que escribe: el orden de los números es el de los commits.
    ultimo = conexion.scalar(_frontera("sqlite", tabla)) or 0
    return [{**fila, SECUENCIA: numero} for numero, fila in enumerate(filas, ultimo + 1)]


def frontera(conexion: Connection, tabla: Table) -> int:
    """El número hasta el que está todo: de ahí para abajo no aparecerá ninguna fila más. 0 si no hay nada.

    Vale para lo que se lea con una instantánea posterior, es decir, en otra transacción que empiece después.
    Puede ser menor que otra anterior, que sigue valiendo; en una réplica de PostgreSQL es siempre 0.
    """
    return conexion.scalar(_frontera(motor_de(conexion), tabla)) or 0


@cache
def _frontera(motor: str, tabla: Table) -> Select[Any]:
    ultimo = func.coalesce(select(func.max(tabla.c[SECUENCIA])).scalar_subquery(), 0)
    if not es_postgresql(motor):
        return select(ultimo)
    # Toda transacción con un número menor que ese ya tenía su apunte: o sigue, y no se pasa de él, o terminó.
    return select(func.least(ultimo, func.escritores_desde(tabla.name)))
