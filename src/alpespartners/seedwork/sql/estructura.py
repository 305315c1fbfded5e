"""La estructura de una base de datos: qué le falta para las sentencias de un programa.

Qué es: las tablas, las columnas y los nulos, que son lo que haría fallar a todas las sentencias.
Qué no es: tipos, claves ni índices; que las migraciones los dejen como son lo comprueba una prueba.
Por qué existe: una migración olvidada se dice por su nombre, y no como una base de datos que no responde.
"""

from collections.abc import Iterator

from sqlalchemy import Connection, MetaData, Table, inspect
from sqlalchemy.engine.interfaces import ReflectedColumn


def diferencias(conexion: Connection, *catalogos: MetaData) -> list[str]:
    """Lo que esas tablas piden y la base de datos no tiene, una frase por cada cosa; sobrar no importa."""
    tablas = [tabla for metadatos in catalogos for tabla in metadatos.sorted_tables]
    hay = inspect(conexion).get_multi_columns(filter_names=[tabla.name for tabla in tablas])
    por_nombre = {nombre: columnas for (_, nombre), columnas in hay.items()}
    return [frase for tabla in tablas for frase in _de_la_tabla(tabla, por_nombre.get(tabla.name))]


def _de_la_tabla(tabla: Table, columnas: list[ReflectedColumn] | None) -> Iterator[str]:
    if columnas is None:
        yield f"falta la tabla {tabla.name}"
        return
    nombres = {columna["name"] for columna in columnas}
    yield from (
        f"a la tabla {tabla.name} le falta la columna {c.name}" for c in tabla.c if c.name not in nombres
    )
    for columna in columnas:
        nombre = columna["name"]
        se_deja_sin_valor = nombre not in tabla.c or tabla.c[nombre].nullable
        if se_deja_sin_valor and _pide_valor(columna):
            yield f"la columna {nombre} de la tabla {tabla.name} no admite nulos"


def _pide_valor(columna: ReflectedColumn) -> bool:
    se_lo_da_ella = columna["default"] is not None or "identity" in columna or "computed" in columna
    return not columna["nullable"] and not se_lo_da_ella
