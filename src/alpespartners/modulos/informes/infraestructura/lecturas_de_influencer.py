"""Leer las cuentas de un influencer en todas sus campañas por intervalos, en SQL.

Qué es: lo mismo que `lecturas.py`, con las semanas y los días que distinguen a los influencers y, de lo que
sobra o falta de un día, sus filas, si son pocas.
Por qué existe: las semanas de un influencer tienen un índice, y los días no: son casi una fila por evento, y
mantenerlo lo pagaría quien registra. En qué campañas buscar un día, o unas filas, lo dice su semana; y con la
campaña, el influencer y el instante basta la clave de los días, y el índice que las filas ya tienen.
"""

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    Select,
    bindparam,
    func,
    literal,
    select,
    union_all,
)

from alpespartners.modulos.informes.aplicacion.puertos import (
    Contada,
    DemasiadasCuentas,
    DemasiadosSueltos,
    Dimension,
)
from alpespartners.modulos.informes.dominio.intervalos import (
    UN_DIA,
    UNA_SEMANA,
    Intervalo,
    comienzo_en_utc,
)
from alpespartners.modulos.informes.infraestructura.lecturas import (
    DE_TROZOS,
    SIEMPRE,
    SUELTOS_MAXIMOS,
    Trozo,
    como_cuentas,
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
_SUELTOS = "sueltos"
_DE_UN_DIA: Columnas = {**DE_TROZOS, "semana": Instante()}
_COLUMNA_DE = {Dimension.CAMPAÑA: "campana_id", Dimension.CUPON: "cupon"}
"""De lo que se puede separar, además de lo que se separa siempre, su columna."""


class _DeUnDia(NamedTuple):
    """Un trozo que es un día o parte de uno, y la semana en que cae."""

    intervalo: int
    signo: int
    desde: datetime
    hasta: datetime
    semana: datetime


class LecturaDeInfluencerSQL:
    """Las cuentas de un influencer en SQL; cumple `LecturaDeCuentas`.

    Args:
        libro: donde se leen.
        hechos: las consultas de las que salen las filas, todas con las mismas columnas.
    """

    def __init__(self, libro: LibroQueSeLee, hechos: Sequence[Select[Any]]) -> None:
        self._libro = libro
        self._hechos = tuple(hechos)

    async def contar(
        self, sujeto_id: str, intervalos: Sequence[Intervalo], por: Collection[Dimension], maximo: int
    ) -> list[Contada]:
        """Devuelve lo que no es cero, por tipo, clase y moneda siempre; todo, del mismo instante."""
        detalle = tuple(dimension for dimension in _COLUMNA_DE if dimension in por)
        semanas, enteros, partidos = trozos(intervalos, UNA_SEMANA, UN_DIA)
        dias = [dia for trozo in enteros for dia in _por_dias(trozo)]
        sueltos = [parte for trozo in partidos for parte in _por_dias(trozo)]

        def trabajo(conexion: Connection | None) -> Sequence[Any]:
            if conexion is None:
                return ()
            valores = {
                "influencer_id": sujeto_id,
                "limite": maximo + 1,
                **parametros(conexion, _SEMANAS, DE_TROZOS, semanas),
                **parametros(conexion, _DIAS, _DE_UN_DIA, dias),
            }
            if sueltos:
                valores |= parametros(conexion, _SUELTOS, _DE_UN_DIA, sueltos)
                self._exigir_que_sean_pocos(conexion, valores)
            de_las_filas = self._hechos if sueltos else ()
            return conexion.execute(_suma(motor_de(conexion), de_las_filas, detalle), valores).all()

        filas = await self._libro.en_transaccion(trabajo)
        if len(filas) > maximo:
            raise DemasiadasCuentas
        # Fuera de la transacción y del bucle: cien mil son décimas de segundo.
        return await asyncio.to_thread(contadas, filas, tuple(dimension.value for dimension in detalle))

    def _exigir_que_sean_pocos(self, conexion: Connection, valores: Mapping[str, object]) -> None:
        """Comprueba cuántas filas se leerían, sin mirar más de las que caben.

        Raises:
            DemasiadosSueltos: más.
        """
        miradas = {**valores, "limite": SUELTOS_MAXIMOS + 1}
        if int(conexion.scalar(_cuantos(motor_de(conexion), self._hechos), miradas)) > SUELTOS_MAXIMOS:
            raise DemasiadosSueltos(SUELTOS_MAXIMOS)


def _por_dias(trozo: Trozo) -> Iterator[_DeUnDia]:
    """El mismo, partido por los días de UTC."""
    desde = trozo.desde
    while desde < trozo.hasta:
        hasta = min(comienzo_en_utc(desde, UN_DIA) + UN_DIA, trozo.hasta)
        yield _DeUnDia(trozo.intervalo, trozo.signo, desde, hasta, comienzo_en_utc(desde, UNA_SEMANA))
        desde = hasta


@cache
def _suma(motor: str, hechos: tuple[Select[Any], ...], detalle: tuple[Dimension, ...]) -> Select[Any]:
    por = (*SIEMPRE, *(_COLUMNA_DE[dimension] for dimension in detalle))
    # La misma para todas: SQLite no admite dos con un nombre.
    sueltos = _en_sus_campañas(motor, _SUELTOS)
    de_las_filas = [_de_sus_filas(motor, filas, sueltos, por) for filas in _filas(motor, hechos)]
    return suma_de_trozos([_de_sus_semanas(motor, por), _de_sus_dias(motor, por), *de_las_filas], por)


@cache
def _cuantos(motor: str, hechos: tuple[Select[Any], ...]) -> Select[Any]:
    """Cuántas filas tienen los trozos sueltos; como mucho, el parámetro `limite` de cada consulta."""
    sueltos = _en_sus_campañas(motor, _SUELTOS)
    limite = bindparam("limite", type_=Integer)
    de_cada_una = [
        select(literal(1)).select_from(*sueltos.de, filas).where(*sueltos.son(filas)).limit(limite).subquery()
        for filas in _filas(motor, hechos)
    ]
    miradas = union_all(*(select(literal(1)).select_from(filas) for filas in de_cada_una)).subquery()
    return select(func.count()).select_from(miradas)


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
    dias = _en_sus_campañas(motor, _DIAS)
    tabla = cuentas_por_influencer
    suyas = select(tabla).where(
        tabla.c.campana_id == dias.campana_id,
        tabla.c.dia == dias.partes.desde,
        tabla.c.influencer_id == dias.influencer_id,
    )
    return con_su_signo(motor, tabla, dias.partes, suyas, por, dias.de)


def _de_sus_filas(
    motor: str, filas: FromClause, sueltos: "_EnSusCampañas", por: tuple[str, ...]
) -> Select[Any]:
    """Lo que suman las filas de los trozos sueltos, con el signo de cada uno."""
    del_trozo = select(filas).where(*sueltos.son(filas))
    return con_su_signo(motor, filas, sueltos.partes, del_trozo, por, sueltos.de)


class _EnSusCampañas(NamedTuple):
    """Unas partes, cada una tantas veces como campañas tiene el influencer en su semana.

    Attributes:
        partes: las columnas de cada parte.
        campana_id: la de una de sus campañas.
        influencer_id: el del influencer.
        de: de dónde salen, en orden.
    """

    partes: Any
    campana_id: ColumnElement[str]
    influencer_id: ColumnElement[str]
    de: Sequence[FromClause]

    def son(self, filas: FromClause) -> list[ColumnElement[bool]]:
        """Las condiciones de que unas filas sean de una parte y de una de sus campañas."""
        return [
            filas.c.campana_id == self.campana_id,
            filas.c.de_quien == self.influencer_id,
            filas.c.ocurrido_en >= self.partes.desde,
            filas.c.ocurrido_en < self.partes.hasta,
        ]


def _en_sus_campañas(motor: str, nombre: str) -> _EnSusCampañas:
    """Las partes de ese nombre."""
    partes = relacion(motor, nombre, _DE_UN_DIA)
    semanas = cuentas_por_semana.c
    campañas = (
        select(semanas.semana, semanas.campana_id).where(semanas.influencer_id == _influencer()).distinct()
    )
    if es_postgresql(motor):
        suyas = campañas.where(semanas.semana == partes.c.semana).lateral()
        return _EnSusCampañas(partes.c, suyas.c.campana_id, _influencer(), [partes, suyas])
    # Ya cruzadas, y con el influencer: si no, SQLite busca por la campaña sola, que son los días de todos sus
    # influencers, o por el influencer solo.
    de_su_semana = campañas.cte(f"campanas_de_{nombre}").prefix_with("MATERIALIZED")
    cruzadas = (
        select(partes, de_su_semana.c.campana_id, _influencer().label("influencer_id"))
        .where(de_su_semana.c.semana == partes.c.semana)
        .cte(f"{nombre}_en_sus_campanas")
        .prefix_with("MATERIALIZED")
    )
    return _EnSusCampañas(cruzadas.c, cruzadas.c.campana_id, cruzadas.c.influencer_id, [cruzadas])


def _filas(motor: str, hechos: Sequence[Select[Any]]) -> list[FromClause]:
    return [como_cuentas(motor, consulta.subquery()) for consulta in hechos]


def _influencer() -> BindParameter[str]:
    return bindparam("influencer_id", type_=TEXTO)
