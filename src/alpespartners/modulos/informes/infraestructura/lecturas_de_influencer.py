"""Leer las cuentas de un influencer en todas sus campañas por intervalos, en SQL.

Qué es: lo mismo que `lecturas.py`, con las semanas y los días que distinguen a los influencers.
Qué no es: por cuartos de hora; por influencer solo se cuenta por días enteros de UTC.
Por qué existe: las semanas de un influencer tienen un índice, y los días no: son casi una fila por evento, y
mantenerlo lo pagaría quien registra. En qué campañas buscar un día lo dice su semana; y con la campaña, el
día y el influencer basta la clave.
"""

import asyncio
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, Connection, FromClause, Integer, Select, bindparam, select

from alpespartners.modulos.informes.aplicacion.puertos import Contada, DemasiadasCuentas, Dimension
from alpespartners.modulos.informes.dominio.intervalos import (
    UN_DIA,
    UNA_SEMANA,
    Intervalo,
    comienzo_en_utc,
)
from alpespartners.modulos.informes.infraestructura.lecturas import (
    DE_TROZOS,
    Trozo,
    con_su_signo,
    contadas,
    suma_de_trozos,
    trozos,
)
from alpespartners.modulos.informes.infraestructura.tablas import (
    cuentas_por_influencer,
    cuentas_por_semana,
)
from alpespartners.modulos.informes.infraestructura.turnos import LibroQueSeLee
from alpespartners.seedwork.sql.relaciones import Columnas, parametros, relacion
from alpespartners.seedwork.sql.sentencias import es_postgresql, motor_de
from alpespartners.seedwork.sql.tipos import TEXTO, Instante

_SEMANAS = "semanas"
_DIAS = "dias"
_DE_DIAS: Columnas = {"intervalo": Integer(), "signo": Integer(), "dia": Instante(), "semana": Instante()}
_COLUMNA_DE = {Dimension.CAMPAÑA: "campana_id", Dimension.CUPON: "cupon"}
"""De lo que se puede separar, además de lo que se separa siempre, su columna."""


class _Dia(NamedTuple):
    """Un día que se suma o se resta a un intervalo, y su semana."""

    intervalo: int
    signo: int
    dia: datetime
    semana: datetime


class LecturaDeInfluencerSQL:
    """Las cuentas de un influencer en SQL; cumple `LecturaDeCuentas`."""

    def __init__(self, libro: LibroQueSeLee) -> None:
        self._libro = libro

    async def contar(
        self, sujeto_id: str, intervalos: Sequence[Intervalo], por: Collection[Dimension], maximo: int
    ) -> list[Contada]:
        """Devuelve lo que no es cero, por tipo y moneda siempre; todo, del mismo instante."""
        detalle = tuple(dimension for dimension in _COLUMNA_DE if dimension in por)
        semanas, bordes = trozos(intervalos, UNA_SEMANA)
        dias = [dia for borde in bordes for dia in _dias(borde)]

        def trabajo(conexion: Connection | None) -> Sequence[Any]:
            if conexion is None:
                return ()
            valores = {
                "influencer_id": sujeto_id,
                "limite": maximo + 1,
                **parametros(conexion, _SEMANAS, DE_TROZOS, semanas),
                **parametros(conexion, _DIAS, _DE_DIAS, dias),
            }
            return conexion.execute(_suma(motor_de(conexion), detalle), valores).all()

        filas = await self._libro.en_transaccion(trabajo)
        if len(filas) > maximo:
            raise DemasiadasCuentas
        # Fuera de la transacción y del bucle: cien mil son décimas de segundo.
        return await asyncio.to_thread(contadas, filas, tuple(dimension.value for dimension in detalle))


def _dias(borde: Trozo) -> Iterator[_Dia]:
    dia = borde.desde
    while dia < borde.hasta:
        yield _Dia(borde.intervalo, borde.signo, dia, comienzo_en_utc(dia, UNA_SEMANA))
        dia += UN_DIA


@cache
def _suma(motor: str, detalle: tuple[Dimension, ...]) -> Select[Any]:
    por = ("tipo", "moneda", *(_COLUMNA_DE[dimension] for dimension in detalle))
    return suma_de_trozos([_de_sus_semanas(motor, por), _de_sus_dias(motor, por)], por)


def _de_sus_semanas(motor: str, por: tuple[str, ...]) -> Select[Any]:
    """Lo que dicen las semanas enteras, con el signo de cada trozo."""
    trozo = relacion(motor, _SEMANAS, DE_TROZOS).c
    tabla = cuentas_por_semana
    suyas = select(tabla).where(
        tabla.c.influencer_id == _influencer(), tabla.c.semana >= trozo.desde, tabla.c.semana < trozo.hasta
    )
    return con_su_signo(motor, tabla, trozo, suyas, por)


def _de_sus_dias(motor: str, por: tuple[str, ...]) -> Select[Any]:
    """Lo que dicen los días sueltos, con el signo de cada uno."""
    dias = relacion(motor, _DIAS, _DE_DIAS)
    dia = dias.c
    semanas, tabla = cuentas_por_semana, cuentas_por_influencer
    en_su_semana = (
        select(semanas.c.semana, semanas.c.campana_id)
        .where(semanas.c.influencer_id == _influencer())
        .distinct()
    )
    campañas: FromClause = (
        en_su_semana.where(semanas.c.semana == dia.semana).lateral("campanas")
        if es_postgresql(motor)
        else en_su_semana.cte("campanas").prefix_with("MATERIALIZED")
    )
    suyas = select(tabla).where(
        campañas.c.semana == dia.semana,
        tabla.c.campana_id == campañas.c.campana_id,
        tabla.c.dia == dia.dia,
        tabla.c.influencer_id == _influencer(),
    )
    return con_su_signo(motor, tabla, dia, suyas, por, [dias, campañas])


def _influencer() -> BindParameter[str]:
    return bindparam("influencer_id", type_=TEXTO)
