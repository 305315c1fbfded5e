"""Las sentencias que se repiten y en las que los motores difieren: insertar, y preguntar por muchas claves.

Qué es: lotes de cualquier tamaño con los límites de parámetros de los motores.
Qué no es: un constructor de consultas; lo demás se escribe donde se usa.
Por qué existe: de «insertar ordenado por clave y saber qué era nuevo» depende que nada cuente dos veces y
que dos consumidores no se bloqueen uno a otro. Qué motor hay detrás solo se pregunta aquí.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
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


def insertar(conexion: Connection, tabla: Table, filas: Sequence[Mapping[str, object]]) -> None:
    """Inserta las filas, todas con las mismas columnas, en su orden."""
    if not filas:
        return
    if es_postgresql(conexion):
        conexion.execute(_con_arreglos(tabla, filas))
    else:
        _fila_a_fila(conexion, tabla, filas, solo_nuevas=False)


def insertar_lo_nuevo(
    conexion: Connection, tabla: Table, filas: Sequence[Mapping[str, object]]
) -> list[tuple[Any, ...]]:
    """Inserta las filas cuya clave no estaba, en el orden de su clave, y devuelve exactamente esas claves.

    Todas las filas tienen las mismas columnas.
    """
    if not filas:
        return []
    clave = [columna.name for columna in tabla.primary_key]
    ordenadas = sorted(filas, key=itemgetter(*clave))
    if es_postgresql(conexion):
        sin_las_que_estaban = _con_arreglos(tabla, ordenadas).on_conflict_do_nothing(index_elements=clave)
        return [tuple(fila) for fila in conexion.execute(sin_las_que_estaban.returning(*tabla.primary_key))]
    with conexion.begin_nested() as intento:
        if _fila_a_fila(conexion, tabla, ordenadas, solo_nuevas=True) == len(ordenadas):
            return [tuple(fila[columna] for columna in clave) for fila in ordenadas]
        # Alguna estaba: otra vez, y preguntando cuáles entran, que tarda el doble.
        intento.rollback()
    nuevas = sqlite.insert(tabla).on_conflict_do_nothing(index_elements=clave)
    return [tuple(fila) for fila in conexion.execute(nuevas.returning(*tabla.primary_key), ordenadas)]


def insertar_o_sumar(conexion: Connection, tabla: Table) -> postgresql.Insert | sqlite.Insert:
    """La inserción del motor que admite `ON CONFLICT`."""
    return postgresql.insert(tabla) if es_postgresql(conexion) else sqlite.insert(tabla)


def entre(conexion: Connection, columna: ColumnElement[T], valores: Sequence[T]) -> ColumnElement[bool]:
    """La condición de que la columna tenga uno de esos valores, que son una tanda de `en_tandas`."""
    # Un solo parámetro: la misma sentencia preparada sirve a cualquier cantidad.
    if es_postgresql(conexion):
        return columna == func.any(literal(valores, postgresql.ARRAY(columna.type, dimensions=1)))
    return columna.in_(select(func.json_each(json.dumps(valores)).table_valued("value").c.value))


def en_tandas(valores: Collection[T]) -> Iterator[list[T]]:
    """Reparte los valores en listas que caben en una sentencia."""
    todos = list(valores)
    for inicio in range(0, len(todos), _TANDA):
        yield todos[inicio : inicio + _TANDA]


def siguientes(conexion: Connection, secuencia: str, cuantos: int) -> list[int]:
    """Toma tantos números de una secuencia de PostgreSQL, que no los repite, y los devuelve en orden."""
    numeros = select(Secuencia(secuencia).next_value()).select_from(func.generate_series(1, cuantos))
    return sorted(conexion.scalars(numeros))


def _fila_a_fila(
    conexion: Connection, tabla: Table, filas: Sequence[Mapping[str, object]], *, solo_nuevas: bool
) -> int:
    """Inserta las filas con el bucle del controlador de SQLite y devuelve cuántas entraron.

    SQLAlchemy prepara los parámetros fila a fila, y en ello tarda más que SQLite en insertarlas.
    """
    sentencia, procesadores = _insercion_en_sqlite(tabla, tuple(filas[0]), solo_nuevas)
    columnas = [
        [fila[nombre] for fila in filas] if procesar is None else [procesar(fila[nombre]) for fila in filas]
        for nombre, procesar in procesadores.items()
    ]
    return conexion.exec_driver_sql(sentencia, list(zip(*columnas, strict=True))).rowcount


@cache
def _insercion_en_sqlite(
    tabla: Table,
    columnas: tuple[str, ...],
    solo_nuevas: bool,  # noqa: FBT001
) -> tuple[str, dict[str, Callable[[Any], Any] | None]]:
    """La sentencia, y por cada columna, en el orden de sus parámetros, cómo se escribe su valor."""
    insercion = sqlite.insert(tabla)
    if solo_nuevas:
        insercion = insercion.on_conflict_do_nothing(index_elements=[*tabla.primary_key])
    dialecto = sqlite.dialect()
    sentencia = insercion.compile(dialect=dialecto, column_keys=columnas)
    return str(sentencia), {
        nombre: tabla.c[nombre].type.dialect_impl(dialecto).bind_processor(dialecto)
        for nombre in sentencia.positiontup or ()
    }


def _con_arreglos(tabla: Table, filas: Sequence[Mapping[str, object]]) -> postgresql.Insert:
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
    return postgresql.insert(tabla).from_select(columnas, select(*arreglos))
