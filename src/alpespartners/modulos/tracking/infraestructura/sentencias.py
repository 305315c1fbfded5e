"""Las dos sentencias que se repiten: insertar lo que no está, y preguntar por muchas claves.

Qué es: lotes de cualquier tamaño con los límites de parámetros de los motores.
Qué no es: un constructor de consultas; lo demás se escribe donde se usa.
Por qué existe: de «insertar ordenado por clave y saber qué era nuevo» depende que nada cuente dos veces y
que dos consumidores no se bloqueen uno a otro. La variante de otro motor se elige aquí.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Table
from sqlalchemy.dialects.sqlite import insert

T = TypeVar("T")

_TANDA = 1_000
"""Muy por debajo de los parámetros que admite una sentencia (32 766 en SQLite y en PostgreSQL)."""


def insertar_lo_nuevo(
    conexion: Connection, tabla: Table, filas: Sequence[Mapping[str, object]]
) -> list[tuple[Any, ...]]:
    """Inserta las filas cuya clave no estaba, en el orden de su clave, y devuelve exactamente esas claves."""
    if not filas:
        return []
    clave = [columna.name for columna in tabla.primary_key]
    sentencia = insert(tabla).on_conflict_do_nothing(index_elements=clave).returning(*tabla.primary_key)
    ordenadas = sorted(filas, key=lambda fila: [fila[columna] for columna in clave])
    return [tuple(fila) for fila in conexion.execute(sentencia, ordenadas)]


def en_tandas(valores: Collection[T]) -> Iterator[list[T]]:
    """Reparte los valores en listas que caben en un `IN`."""
    todos = list(valores)
    for inicio in range(0, len(todos), _TANDA):
        yield todos[inicio : inicio + _TANDA]
