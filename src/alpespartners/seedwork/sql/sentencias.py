"""Las sentencias que se repiten y en las que los motores difieren: insertar, y preguntar por muchas claves.

Qué es: lotes de cualquier tamaño con los límites de parámetros de los motores.
Qué no es: un constructor de consultas; lo demás se escribe donde se usa.
Por qué existe: de «insertar ordenado por clave y saber qué era nuevo» depende que nada cuente dos veces y
que dos consumidores no se bloqueen uno a otro. Qué motor hay detrás se pregunta aquí, en `tipos.py`,
donde se cruza con una relación (`relaciones.py` y quien la usa) y donde se dan números: `orden_de_llegada.py`
y la bandeja de salida.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any, TypeVar

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Integer,
    Select,
    Table,
    Text,
    bindparam,
    func,
    literal_column,
    select,
)
from sqlalchemy import (
    Sequence as Secuencia,
)
from sqlalchemy.dialects import postgresql, sqlite

_TANDA = 1_000
_CLAVES = "claves"
_ROWID = literal_column("rowid", Integer)

Preparada = tuple[str, Mapping[str, Callable[[Any], Any] | None]]
"""Una sentencia de SQLite y, por cada columna, en el orden de sus parámetros, cómo se escribe su valor."""

_Insercion = TypeVar("_Insercion", postgresql.Insert, sqlite.Insert)


def motor_de(conexion: Connection) -> str:
    """El nombre del motor que hay al otro lado: con él, la sentencia de cada motor se construye una vez."""
    return conexion.dialect.name


def es_postgresql(motor: str) -> bool:
    """Dice si ese motor es PostgreSQL; si no, es SQLite."""
    return motor == "postgresql"


def insertar(conexion: Connection, tabla: Table, filas: Sequence[Mapping[str, object]]) -> None:
    """Inserta las filas, todas con las mismas columnas, en su orden."""
    if not filas:
        return
    if es_postgresql(motor_de(conexion)):
        conexion.execute(
            _insercion_en_postgresql(tabla, tuple(filas[0]), (), solo_nuevas=False), _en_arreglos(filas)
        )
    else:
        _fila_a_fila(conexion, filas, _insercion_en_sqlite(tabla, tuple(filas[0]), solo_nuevas=False))


def insertar_lo_nuevo(
    conexion: Connection, tabla: Table, filas: Sequence[Mapping[str, object]], *ademas: str
) -> list[tuple[Any, ...]]:
    """Inserta las filas cuya clave no estaba, en el orden de su clave, y devuelve exactamente esas claves.

    Todas las filas tienen las mismas columnas. Detrás de cada clave van los valores de las columnas `ademas`.
    """
    if not filas:
        return []
    clave = [columna.name for columna in tabla.primary_key]
    ordenadas = sorted(filas, key=itemgetter(*clave))
    if es_postgresql(motor_de(conexion)):
        desde_arreglos = _insercion_en_postgresql(tabla, tuple(filas[0]), ademas, solo_nuevas=True)
        return [tuple(fila) for fila in conexion.execute(desde_arreglos, _en_arreglos(ordenadas))]
    ultimo = conexion.scalar(_ultimo_en_sqlite(tabla)) or 0
    insercion = _insercion_en_sqlite(tabla, tuple(filas[0]), solo_nuevas=True)
    if _fila_a_fila(conexion, ordenadas, insercion) == len(ordenadas):
        pedidas = (*clave, *ademas)
        return [tuple(fila[columna] for columna in pedidas) for fila in ordenadas]
    nuevas = conexion.execute(_posteriores_en_sqlite(tabla, ademas), {"ultimo": ultimo})
    return [tuple(fila) for fila in nuevas]


def acumular(
    conexion: Connection, tabla: Table, filas: Sequence[tuple[object, ...]], sumadas: tuple[str, ...]
) -> None:
    """Inserta las filas o, donde su clave ya estaba, suma a las columnas `sumadas` lo que traen.

    Cada fila es su clave, en el orden de la tabla, y detrás lo que se suma. Ninguna clave se repite. Se hace
    por orden de clave: dos que escriben no se esperan uno a otro en círculo.
    """
    if not filas:
        return
    nombres = (*(columna.name for columna in tabla.primary_key), *sumadas)
    columnas = {
        nombre: [*valores] for nombre, valores in zip(nombres, zip(*sorted(filas), strict=True), strict=True)
    }
    if es_postgresql(motor_de(conexion)):
        conexion.execute(_acumulacion_en_postgresql(tabla, nombres, sumadas), columnas)
    else:
        por_columnas(conexion, columnas, _acumulacion_en_sqlite(tabla, nombres, sumadas))


def insertar_o_sumar(motor: str, tabla: Table) -> postgresql.Insert | sqlite.Insert:
    """La inserción del motor que admite `ON CONFLICT`."""
    return postgresql.insert(tabla) if es_postgresql(motor) else sqlite.insert(tabla)


def entre_las_claves(motor: str, columna: ColumnElement[Any]) -> ColumnElement[bool]:
    """La condición de que la columna tenga uno de los valores del parámetro que da `en_tandas`."""
    # Un solo parámetro: la misma sentencia preparada sirve a cualquier cantidad.
    if es_postgresql(motor):
        return columna == func.any(bindparam(_CLAVES, type_=postgresql.ARRAY(columna.type, dimensions=1)))
    return columna.in_(select(func.json_each(bindparam(_CLAVES, type_=Text)).table_valued("value").c.value))


def en_tandas(conexion: Connection, claves: Collection[str] | Collection[int]) -> Iterator[dict[str, object]]:
    """Reparte las claves en parámetros de `entre_las_claves`, ninguno demasiado grande."""
    todas = list(claves)
    en_arreglo = es_postgresql(motor_de(conexion))
    for inicio in range(0, len(todas), _TANDA):
        tanda = todas[inicio : inicio + _TANDA]
        yield {_CLAVES: tanda if en_arreglo else msgspec.json.encode(tanda).decode()}


def siguientes(conexion: Connection, secuencia: str, cuantos: int) -> list[int]:
    """Toma tantos números de una secuencia de PostgreSQL, que no los repite, y los devuelve en orden."""
    numeros = select(Secuencia(secuencia).next_value()).select_from(func.generate_series(1, cuantos))
    return sorted(conexion.scalars(numeros))


def _fila_a_fila(conexion: Connection, filas: Sequence[Mapping[str, object]], preparada: Preparada) -> int:
    """Ejecuta la sentencia con cada fila en el bucle del controlador de SQLite y devuelve cuántas entraron.

    SQLAlchemy prepara los parámetros fila a fila, y en ello tarda más que SQLite en insertarlas.
    """
    columnas = {nombre: [fila[nombre] for fila in filas] for nombre in preparada[1]}
    return por_columnas(conexion, columnas, preparada)


def por_columnas(conexion: Connection, columnas: Mapping[str, Sequence[object]], preparada: Preparada) -> int:
    """Lo mismo que `_fila_a_fila`, con los valores de todas las filas en cada columna."""
    sentencia, procesadores = preparada
    procesadas = [
        columnas[nombre] if procesar is None else [procesar(valor) for valor in columnas[nombre]]
        for nombre, procesar in procesadores.items()
    ]
    return conexion.exec_driver_sql(sentencia, list(zip(*procesadas, strict=True))).rowcount


@cache
def _ultimo_en_sqlite(tabla: Table) -> Select[Any]:
    """El `rowid` más alto: SQLite numera las filas en el orden en que se insertan."""
    return select(func.max(_ROWID)).select_from(tabla)


@cache
def _posteriores_en_sqlite(tabla: Table, ademas: tuple[str, ...]) -> Select[Any]:
    pedidas = [*tabla.primary_key, *(tabla.c[nombre] for nombre in ademas)]
    return select(*pedidas).where(bindparam("ultimo") < _ROWID).order_by(_ROWID)


@cache
def _insercion_en_sqlite(tabla: Table, columnas: tuple[str, ...], *, solo_nuevas: bool) -> Preparada:
    insercion = sqlite.insert(tabla)
    if solo_nuevas:
        insercion = insercion.on_conflict_do_nothing(index_elements=[*tabla.primary_key])
    return preparar(tabla, insercion, columnas)


@cache
def _acumulacion_en_sqlite(tabla: Table, columnas: tuple[str, ...], sumadas: tuple[str, ...]) -> Preparada:
    return preparar(tabla, _sumando(tabla, sqlite.insert(tabla), sumadas), columnas)


def preparar(tabla: Table, insercion: sqlite.Insert, columnas: tuple[str, ...]) -> Preparada:
    """La sentencia de SQLite que da valor a esas columnas."""
    dialecto = sqlite.dialect()
    sentencia = insercion.compile(dialect=dialecto, column_keys=columnas)
    return str(sentencia), {
        nombre: tabla.c[nombre].type.dialect_impl(dialecto).bind_processor(dialecto)
        for nombre in sentencia.positiontup or ()
    }


@cache
def _insercion_en_postgresql(
    tabla: Table,
    columnas: tuple[str, ...],
    ademas: tuple[str, ...],
    solo_nuevas: bool,  # noqa: FBT001
) -> Executable:
    insercion = desde_arreglos(tabla, columnas)
    if not solo_nuevas:
        return insercion
    clave = tabla.primary_key
    pedidas = [*clave, *(tabla.c[nombre] for nombre in ademas)]
    return insercion.on_conflict_do_nothing(index_elements=[*clave]).returning(*pedidas)


@cache
def _acumulacion_en_postgresql(
    tabla: Table, columnas: tuple[str, ...], sumadas: tuple[str, ...]
) -> postgresql.Insert:
    return _sumando(tabla, desde_arreglos(tabla, columnas), sumadas)


def desde_arreglos(tabla: Table, columnas: tuple[str, ...]) -> postgresql.Insert:
    """Un arreglo por columna en lugar de un parámetro por valor: `unnest` los devuelve en su orden."""
    arreglos = [
        func.unnest(bindparam(columna, type_=postgresql.ARRAY(tabla.c[columna].type, dimensions=1)))
        for columna in columnas
    ]
    return postgresql.insert(tabla).from_select(columnas, select(*arreglos))


def _sumando(tabla: Table, insercion: _Insercion, sumadas: tuple[str, ...]) -> _Insercion:
    return insercion.on_conflict_do_update(
        index_elements=[*tabla.primary_key],
        set_={nombre: tabla.c[nombre] + insercion.excluded[nombre] for nombre in sumadas},
    )


def _en_arreglos(filas: Sequence[Mapping[str, object]]) -> dict[str, list[object]]:
    return {columna: [fila[columna] for fila in filas] for columna in filas[0]}
