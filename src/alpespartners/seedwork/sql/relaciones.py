"""Una tabla pequeña que va entera como parámetro, para cruzarla con otra en una sola sentencia.

Qué es: la relación y el valor de sus parámetros, en cada motor.
Qué no es: una tabla temporal; quien solo lee no puede crear ninguna.
Por qué existe: mil preguntas por un rango son mil idas y vueltas, y la misma sentencia preparada vale para
cualquier cantidad.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    Text,
    bindparam,
    cast,
    column,
    func,
    select,
    type_coerce,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeEngine

from alpespartners.seedwork.sql.sentencias import es_postgresql, motor_de
from alpespartners.seedwork.sql.tipos import Texto

Columnas = Mapping[str, TypeEngine[Any]]


def relacion(motor: str, nombre: str, columnas: Columnas) -> FromClause:
    """La de ese nombre; de sus tipos, en SQLite, solo los que se guardan como enteros o como textos."""
    if es_postgresql(motor):
        arreglos = [
            bindparam(f"{nombre}_{columna}", type_=postgresql.ARRAY(tipo, dimensions=1))
            for columna, tipo in columnas.items()
        ]
        pedidas = [column(columna, tipo) for columna, tipo in columnas.items()]
        return func.unnest(*arreglos).table_valued(*pedidas, name=nombre).render_derived()
    fila = func.json_each(bindparam(nombre, type_=Text)).table_valued("value").c.value
    leidas: list[ColumnElement[Any]] = [
        type_coerce(
            cast(func.json_extract(fila, f"$[{lugar}]"), Text if isinstance(tipo, Texto) else BigInteger),
            tipo,
        ).label(columna)
        for lugar, (columna, tipo) in enumerate(columnas.items())
    ]
    # Sin ello, cada valor se extraería otra vez por cada fila con que se cruza.
    return select(*leidas).cte(nombre).prefix_with("MATERIALIZED")


def parametros(
    conexion: Connection, nombre: str, columnas: Columnas, filas: Sequence[Sequence[object]]
) -> dict[str, object]:
    """Los de una relación con esas filas, cada una con un valor por columna."""
    if es_postgresql(motor_de(conexion)):
        return {
            f"{nombre}_{columna}": [fila[lugar] for fila in filas] for lugar, columna in enumerate(columnas)
        }
    dialecto = sqlite.dialect()
    escribir = [tipo.dialect_impl(dialecto).bind_processor(dialecto) for tipo in columnas.values()]
    guardados = [
        [valor if como is None else como(valor) for como, valor in zip(escribir, fila, strict=True)]
        for fila in filas
    ]
    return {nombre: msgspec.json.encode(guardados).decode()}
