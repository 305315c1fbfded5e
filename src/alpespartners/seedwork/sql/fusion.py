"""Sumar a unas filas y fundir en ellas unos octetos, aunque varios lo hagan a la vez en las mismas.

Qué es: lo que `acumular` (`sentencias.py`) hace con lo que se suma, para lo que solo sabe juntar el programa.
Por qué existe: un valor que se lee, se cambia aquí y se escribe, lo pisa quien hizo lo mismo entretanto. La
suma lo impide: retiene la fila hasta el commit, y lo que devuelve es ya lo último. Quien lea de una
instantánea y vaya a cambiarla después (`recontar`) choca siempre con ella, cambien o no sus octetos.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, LargeBinary, Select, Table, Update, select, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.dml import ReturningInsert

from alpespartners.seedwork.sql.relaciones import Columnas, parametros, relacion
from alpespartners.seedwork.sql.sentencias import (
    Preparada,
    desde_arreglos,
    es_postgresql,
    motor_de,
    por_columnas,
    preparar,
)

Clave = tuple[Any, ...]

_RELACION: Final = "fundidas"


def fundir(
    conexion: Connection,
    tabla: Table,
    sumandos: Mapping[Clave, int],
    fundida: Callable[[Clave, bytes], bytes],
) -> None:
    """Suma a cada clave lo suyo y deja en ella los octetos que dé `fundida` a partir de los que había.

    De una clave nueva, a partir de ninguno. La tabla tiene su clave, una columna que se suma y, la última,
    una de octetos. Se hace por orden de clave: dos que escriben no se esperan uno a otro en círculo.
    """
    if not sumandos:
        return
    ordenadas = sorted(sumandos)
    if not es_postgresql(motor_de(conexion)):
        # Nadie más escribe hasta el commit.
        habia = _leidas(conexion, tabla, ordenadas)
        filas = [(*clave, sumandos[clave], fundida(clave, habia.get(clave, b""))) for clave in ordenadas]
        por_columnas(conexion, _columnas(tabla, filas), _en_sqlite(tabla))
        return
    sumas = [(*clave, sumandos[clave], b"") for clave in ordenadas]
    retenidas = conexion.execute(_en_postgresql(tabla), _columnas(tabla, sumas)).all()
    cambiadas = []
    for *suya, octetos in retenidas:
        clave = tuple(suya)
        nuevos = fundida(clave, octetos)
        if nuevos != octetos:
            cambiadas.append((*clave, nuevos))
    if cambiadas:
        valores = parametros(conexion, _RELACION, _clave_y_octetos(tabla), cambiadas)
        conexion.execute(_cambio_en_postgresql(tabla), valores)


def _columnas(tabla: Table, filas: Sequence[tuple[object, ...]]) -> dict[str, list[object]]:
    """Los valores de cada columna, en el orden de la tabla."""
    return {
        nombre: [*valores] for nombre, valores in zip(tabla.c.keys(), zip(*filas, strict=True), strict=True)
    }


def _clave(tabla: Table) -> Columnas:
    return {columna.name: columna.type for columna in tabla.primary_key}


def _clave_y_octetos(tabla: Table) -> Columnas:
    return {**_clave(tabla), _octetos(tabla): LargeBinary()}


def _sumada(tabla: Table) -> str:
    return str(tabla.c.keys()[-2])


def _octetos(tabla: Table) -> str:
    return str(tabla.c.keys()[-1])


def _leidas(conexion: Connection, tabla: Table, claves: Sequence[Clave]) -> dict[Clave, bytes]:
    valores = parametros(conexion, _RELACION, _clave(tabla), claves)
    return {tuple(clave): octetos for *clave, octetos in conexion.execute(_lectura_en_sqlite(tabla), valores)}


@cache
def _lectura_en_sqlite(tabla: Table) -> Select[Any]:
    pedidas = relacion("sqlite", _RELACION, _clave(tabla)).c
    return select(*tabla.primary_key, tabla.c[_octetos(tabla)]).where(
        *(columna == pedidas[columna.name] for columna in tabla.primary_key)
    )


@cache
def _en_sqlite(tabla: Table) -> Preparada:
    nueva = sqlite.insert(tabla)
    sumada, octetos = _sumada(tabla), _octetos(tabla)
    fusion = nueva.on_conflict_do_update(
        index_elements=[*tabla.primary_key],
        set_={sumada: tabla.c[sumada] + nueva.excluded[sumada], octetos: nueva.excluded[octetos]},
    )
    return preparar(tabla, fusion, tuple(tabla.c.keys()))


@cache
def _en_postgresql(tabla: Table) -> ReturningInsert[Any]:
    nueva = desde_arreglos(tabla, tuple(tabla.c.keys()))
    sumada = _sumada(tabla)
    return nueva.on_conflict_do_update(
        index_elements=[*tabla.primary_key], set_={sumada: tabla.c[sumada] + nueva.excluded[sumada]}
    ).returning(*tabla.primary_key, tabla.c[_octetos(tabla)])


@cache
def _cambio_en_postgresql(tabla: Table) -> Update:
    nuevas = relacion("postgresql", _RELACION, _clave_y_octetos(tabla)).c
    octetos = _octetos(tabla)
    return (
        update(tabla)
        .where(*(columna == nuevas[columna.name] for columna in tabla.primary_key))
        .values({octetos: nuevas[octetos]})
    )
