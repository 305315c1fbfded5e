"""Las sentencias que se repiten y en las que los motores difieren: insertar, y preguntar por muchas claves.

Qué es: lotes de cualquier tamaño con los límites de parámetros de los motores.
Qué no es: un constructor de consultas; lo demás se escribe donde se usa.
Por qué existe: de «insertar ordenado por clave y saber qué era nuevo» depende que nada cuente dos veces y
que dos consumidores no se bloqueen uno a otro. Qué motor hay detrás solo se pregunta aquí.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Table,
    bindparam,
    func,
    literal,
    select,
)
from sqlalchemy import (
    Sequence as Secuencia,
)
from sqlalchemy.dialects import postgresql, sqlite

T = TypeVar("T")

_TANDA = 1_000
"""Muy por debajo de los parámetros que admite una sentencia en SQLite, 32 766."""


def es_postgresql(conexion: Connection) -> bool:
    """Dice si al otro lado de la conexión hay un PostgreSQL; si no, es SQLite."""
    return conexion.dialect.name == "postgresql"


def insertar_lo_nuevo(
    conexion: Connection, tabla: Table, filas: Sequence[Mapping[str, object]]
) -> list[tuple[Any, ...]]:
    """Inserta las filas cuya clave no estaba, en el orden de su clave, y devuelve exactamente esas claves.

    Todas las filas tienen las mismas columnas.
    """
    if not filas:
        return []
    clave = [columna.name for columna in tabla.primary_key]
    ordenadas = sorted(filas, key=lambda fila: [fila[columna] for columna in clave])
    if es_postgresql(conexion):
        return [tuple(fila) for fila in conexion.execute(_en_una_sentencia(tabla, clave, ordenadas))]
    sentencia = sqlite.insert(tabla).on_conflict_do_nothing(index_elements=clave)
    return [tuple(fila) for fila in conexion.execute(sentencia.returning(*tabla.primary_key), ordenadas)]


def insertar_o_sumar(conexion: Connection, tabla: Table) -> postgresql.Insert | sqlite.Insert:
    """La inserción del motor que admite `ON CONFLICT`."""
    return postgresql.insert(tabla) if es_postgresql(conexion) else sqlite.insert(tabla)


def entre(conexion: Connection, columna: ColumnElement[T], valores: Sequence[T]) -> ColumnElement[bool]:
    """La condición de que la columna tenga uno de esos valores, que son una tanda de `en_tandas`."""
    if es_postgresql(conexion):
        # Un solo parámetro: la misma sentencia preparada sirve a cualquier cantidad.
        return columna == func.any(literal(valores, postgresql.ARRAY(columna.type, dimensions=1)))
    return columna.in_(valores)


def en_tandas(valores: Collection[T]) -> Iterator[list[T]]:
    """Reparte los valores en listas que caben en una sentencia."""
    todos = list(valores)
    for inicio in range(0, len(todos), _TANDA):
        yield todos[inicio : inicio + _TANDA]


def siguientes(conexion: Connection, secuencia: str, cuantos: int) -> list[int]:
    """Toma tantos números de una secuencia de PostgreSQL, que no los repite, y los devuelve en orden."""
    numeros = select(Secuencia(secuencia).next_value()).select_from(func.generate_series(1, cuantos))
    return sorted(conexion.scalars(numeros))


def _en_una_sentencia(
    tabla: Table, clave: Sequence[str], filas: Sequence[Mapping[str, object]]
) -> Executable:
    """Un arreglo por columna en lugar de un parámetro por valor: `unnest` los devuelve en su orden."""
    columnas = list(filas[0])
    arreglos = [
        func.unnest(
            bindparam(
                columna,
                [fila[columna] for fila in filas],
                postgresql.ARRAY(tabla.c[columna].type, dimensions=1),
            )
        )
        for columna in columnas
    ]
    return (
        postgresql.insert(tabla)
        .from_select(columnas, select(*arreglos))
        .on_conflict_do_nothing(index_elements=clave)
        .returning(*tabla.primary_key)
    )
