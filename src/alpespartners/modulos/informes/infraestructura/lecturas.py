"""Leer las cuentas de una campaña por intervalos, en SQL.

Qué es: qué tablas responden a cada intervalo, y la sentencia que las suma.
Qué no es: qué intervalos se piden, ni quién abre la transacción.
Por qué existe: se lee según los intervalos y no según los eventos. Un intervalo son los días enteros de UTC
que abarca, más los tramos de sus bordes. De un día del que toma más de la mitad se suma el día y se restan
los tramos de fuera: en Bogotá, cada día son dos sumas y cuarenta tramos, y no noventa y seis. Por influencer
o cupón son, de la misma manera, semanas enteras y los días de sus bordes: de noventa días, diecinueve sumas
como mucho. Donde un intervalo no empieza o acaba con un día de UTC, lo que sobra o falta de ese día no está
contado por influencer: se cuenta en las filas, si son pocas, y las cuentas dicen antes cuántas son.

Sumar y restar da lo mismo porque todo se lee de una misma instantánea.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    Select,
    bindparam,
    case,
    func,
    literal,
    select,
    union_all,
)

from alpespartners.modulos.informes.aplicacion.puertos import (
    DE_LOS_DIAS,
    Contada,
    DemasiadasCuentas,
    DemasiadosSueltos,
    Dimension,
)
from alpespartners.modulos.informes.dominio.cuenta import PARTE_BAJA, Cuenta
from alpespartners.modulos.informes.dominio.intervalos import (
    UN_DIA,
    UNA_SEMANA,
    Intervalo,
    comienzo_en_utc,
)
from alpespartners.modulos.informes.dominio.usuarios import Usuarios
from alpespartners.modulos.informes.infraestructura.lectura_de_usuarios import usuarios_de
from alpespartners.modulos.informes.infraestructura.tablas import (
    SUMADAS,
    cuentas_por_dia,
    cuentas_por_influencer,
    cuentas_por_semana,
    cuentas_por_tramo,
)
from alpespartners.modulos.informes.infraestructura.turnos import LibroQueSeLee
from alpespartners.seedwork.sql.agregados import importe_en_partes
from alpespartners.seedwork.sql.relaciones import Columnas, parametros, relacion
from alpespartners.seedwork.sql.sentencias import es_postgresql, motor_de
from alpespartners.seedwork.sql.tipos import TEXTO, Instante

_LecturaDeUsuarios = Callable[[Connection, str, Sequence[Intervalo]], list[Usuarios]]
DE_TROZOS: Columnas = {"intervalo": Integer(), "signo": Integer(), "desde": Instante(), "hasta": Instante()}
"""Las columnas de una relación de trozos."""
_NOMBRES: Final = ("trozos_mayores", "trozos_menores", "trozos_sueltos")
"""Los de las relaciones que dicen qué se suma de cada fuente: de las dos tablas y de las filas."""
_SIN_DATO: Final = ""

SUELTOS_MAXIMOS: Final = 100_000
"""Cuántos eventos se cuentan en las filas como mucho para un informe: medio segundo."""


class Trozo(NamedTuple):
    """Lo que se suma (`signo` 1) o se resta (-1) a un intervalo, de `desde` a `hasta` sin incluirlo."""

    intervalo: int
    signo: int
    desde: datetime
    hasta: datetime

    @property
    def abarca_algo(self) -> bool:
        """Si no está vacío, o al revés."""
        return self.desde < self.hasta


class LecturaDeCuentasSQL:
    """Las cuentas en SQL; cumple `LecturaDeCuentas`.

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
        """Devuelve lo que no es cero, por tipo y moneda siempre; todo, del mismo instante."""
        suyas, _ = await self._leer(sujeto_id, intervalos, por, maximo, _sin_usuarios)
        return suyas

    async def contar_con_usuarios(
        self, campaña_id: str, intervalos: Sequence[Intervalo], maximo: int
    ) -> tuple[list[Contada], list[Usuarios]]:
        """Devuelve lo mismo, sin separar por nada, y los usuarios de cada intervalo."""
        return await self._leer(campaña_id, intervalos, (), maximo, usuarios_de)

    async def _leer(
        self,
        campaña_id: str,
        intervalos: Sequence[Intervalo],
        por: Collection[Dimension],
        maximo: int,
        leer_usuarios: _LecturaDeUsuarios,
    ) -> tuple[list[Contada], list[Usuarios]]:
        detalle = tuple(dimension.value for dimension in Dimension if dimension in DE_LOS_DIAS & set(por))
        abarcan = (UNA_SEMANA, UN_DIA) if detalle else (UN_DIA,)
        suyos = trozos(intervalos, *abarcan)
        sueltos = suyos[-1] if detalle else []

        def trabajo(conexion: Connection | None) -> tuple[Sequence[Any], list[Usuarios]]:
            if conexion is None:
                return (), [Usuarios()] * len(intervalos)
            motor = motor_de(conexion)
            if sueltos:
                self._exigir_que_sean_pocos(conexion, campaña_id, sueltos)
            fuentes = _fuentes(motor, self._hechos, con_detalle=bool(detalle), con_sueltos=bool(sueltos))
            valores: dict[str, object] = {"campana_id": campaña_id, "limite": maximo + 1}
            for nombre, de_ella in zip(_NOMBRES, suyos, strict=False):
                valores |= parametros(conexion, nombre, DE_TROZOS, de_ella)
            sumas = conexion.execute(_suma(motor, fuentes, detalle), valores).all()
            return sumas, leer_usuarios(conexion, campaña_id, intervalos)

        filas, usuarios = await self._libro.en_transaccion(trabajo)
        if len(filas) > maximo:
            raise DemasiadasCuentas
        # Fuera de la transacción y del bucle: cien mil son décimas de segundo.
        return await asyncio.to_thread(contadas, filas, detalle), usuarios

    def _exigir_que_sean_pocos(self, conexion: Connection, campaña_id: str, sueltos: Sequence[Trozo]) -> None:
        """Comprueba cuántas filas se leerían.

        Raises:
            DemasiadosSueltos: más de las que caben.
        """
        motor = motor_de(conexion)
        en_total = [trozo._replace(signo=1) for trozo in sueltos]
        valores = {"campana_id": campaña_id, **parametros(conexion, _NOMBRES[-1], DE_TROZOS, en_total)}
        cuantos = int(conexion.scalar(_cuantos(motor), valores))
        if cuantos > SUELTOS_MAXIMOS:
            raise DemasiadosSueltos(SUELTOS_MAXIMOS)


def _sin_usuarios(
    _conexion: Connection, _campaña_id: str, _intervalos: Sequence[Intervalo]
) -> list[Usuarios]:
    return []


def contadas(filas: Sequence[Any], detalle: tuple[str, ...]) -> list[Contada]:
    """Las que hay en las filas de una `suma_de_trozos`, con los nombres de su detalle."""
    # Por su lugar, y lo que no está, en el de un texto vacío: pueden ser cien mil, y así se tarda la mitad.
    lugares = {nombre: 3 + lugar for lugar, nombre in enumerate(detalle)}
    influencer, cupon, campaña = (
        lugares.get(dimension.value, -1)
        for dimension in (Dimension.INFLUENCER, Dimension.CUPON, Dimension.CAMPAÑA)
    )
    suyas = []
    for fila in filas:
        intervalo, tipo, moneda, *_, cuantos, alto, bajo, _ = celdas = (*fila, "")
        cuenta = Cuenta(int(cuantos), int(alto) * PARTE_BAJA + int(bajo))
        suyas.append(
            Contada(intervalo, celdas[influencer], celdas[cupon], tipo, moneda, cuenta, celdas[campaña])
        )
    return suyas


def trozos(intervalos: Sequence[Intervalo], *abarcan: timedelta) -> list[list[Trozo]]:
    """Lo que suma cada intervalo: lo entero de lo que abarca cada tabla, de mayor a menor, y lo que sobra."""
    por_partir = [
        Trozo(lugar, 1, intervalo.desde, intervalo.hasta) for lugar, intervalo in enumerate(intervalos)
    ]
    partidos = []
    for abarca in abarcan:
        enteros: list[Trozo] = []
        bordes: list[Trozo] = []
        for trozo in por_partir:
            if trozo.hasta - trozo.desde <= abarca / 2:
                bordes.append(trozo)
                continue
            lugar, signo, desde, hasta = trozo
            primero, final = _mas_cercano(desde, abarca), _mas_cercano(hasta, abarca)
            enteros.append(Trozo(lugar, signo, primero, final))
            bordes += [
                Trozo(lugar, signo, desde, primero),
                Trozo(lugar, -signo, primero, desde),
                Trozo(lugar, signo, final, hasta),
                Trozo(lugar, -signo, hasta, final),
            ]
        partidos.append([trozo for trozo in enteros if trozo.abarca_algo])
        por_partir = [trozo for trozo in bordes if trozo.abarca_algo]
    return [*partidos, por_partir]


def _mas_cercano(instante: datetime, abarca: timedelta) -> datetime:
    """El comienzo de un día o de una semana de UTC, el suyo o el siguiente, que menos dista de él."""
    comienzo = comienzo_en_utc(instante, abarca)
    return comienzo if instante - comienzo <= abarca / 2 else comienzo + abarca


class _Fuente(NamedTuple):
    """De dónde salen las cuentas de unos trozos.

    Attributes:
        filas: una tabla, o algo con las columnas de una.
        cuando: la del instante de cada fila.
        trozos: la relación que dice los suyos.
    """

    filas: FromClause
    cuando: ColumnElement[Any]
    trozos: FromClause


@cache
def _fuentes(
    motor: str, hechos: tuple[Select[Any], ...], *, con_detalle: bool, con_sueltos: bool
) -> tuple[_Fuente, ...]:
    """Las que responden a un informe."""
    tablas = (
        (cuentas_por_semana, cuentas_por_influencer) if con_detalle else (cuentas_por_dia, cuentas_por_tramo)
    )
    fuentes = [
        # El tiempo es lo segundo de la clave de todas.
        _Fuente(tabla, [*tabla.primary_key][1], relacion(motor, nombre, DE_TROZOS))
        for tabla, nombre in zip(tablas, _NOMBRES, strict=False)
    ]
    if con_sueltos:
        sueltos = relacion(motor, _NOMBRES[-1], DE_TROZOS)
        contadas = [como_cuentas(motor, consulta.subquery()) for consulta in hechos]
        fuentes += [_Fuente(filas, filas.c.ocurrido_en, sueltos) for filas in contadas]
    return tuple(fuentes)


def como_cuentas(motor: str, hechos: FromClause) -> FromClause:
    """Cada fila, con las columnas de una cuenta de ella sola; `de_quien` es con lo que se busca."""
    columnas = hechos.c
    # Una moneda sin importe no vale nada en ella.
    con_importe = case((columnas.valor.is_not(None), columnas.moneda))
    alto, bajo = importe_en_partes(motor, columnas.valor, PARTE_BAJA)
    return select(
        columnas.campana_id,
        columnas.ocurrido_en,
        columnas.tipo,
        func.coalesce(con_importe, _SIN_DATO).label("moneda"),
        func.coalesce(columnas.influencer_id, _SIN_DATO).label("influencer_id"),
        func.coalesce(columnas.cupon, _SIN_DATO).label("cupon"),
        columnas.influencer_id.label("de_quien"),
        literal(1).label("cuantos"),
        func.coalesce(alto, 0).label("valor_alto"),
        func.coalesce(bajo, 0).label("valor_bajo"),
    ).subquery()


@cache
def _suma(motor: str, fuentes: tuple[_Fuente, ...], detalle: tuple[str, ...]) -> Select[Any]:
    """Por intervalo, tipo, moneda y detalle, las sumas de lo que dicen los trozos de todas."""
    por = ("tipo", "moneda", *detalle)
    return suma_de_trozos([_de_sus_trozos(motor, fuente, por) for fuente in fuentes], por)


def suma_de_trozos(partes: Sequence[Select[Any]], por: tuple[str, ...]) -> Select[Any]:
    """Lo que suman esas consultas en cada intervalo, si no es cero; como mucho, el parámetro `limite`."""
    leidas = union_all(*partes).subquery("leidas")
    claves = [leidas.c[nombre] for nombre in ("intervalo", *por)]
    sumas = [func.sum(leidas.c[suma]) for suma in SUMADAS]
    return (
        select(*claves, *sumas)
        .group_by(*claves)
        .having(sumas[0] != 0)
        .limit(bindparam("limite", type_=Integer))
    )


@cache
def _cuantos(motor: str) -> Select[Any]:
    """Cuántos eventos tienen unos trozos, dicho por las cuentas."""
    suelta = relacion(motor, _NOMBRES[-1], DE_TROZOS)
    fuente = _Fuente(cuentas_por_tramo, cuentas_por_tramo.c.tramo, suelta)
    suyos = _de_sus_trozos(motor, fuente, ()).subquery()
    return select(func.coalesce(func.sum(suyos.c.cuantos), 0))


def _de_sus_trozos(motor: str, fuente: _Fuente, por: tuple[str, ...]) -> Select[Any]:
    """Lo que dicen los de una fuente, con el signo de cada uno."""
    suyos = fuente.trozos.c
    columnas = fuente.filas.c
    del_trozo: Select[Any] = select(fuente.filas).where(
        columnas.campana_id == bindparam("campana_id", type_=TEXTO),
        fuente.cuando >= suyos.desde,
        fuente.cuando < suyos.hasta,
    )
    return con_su_signo(motor, fuente.filas, suyos, del_trozo, por)


def con_su_signo(
    motor: str,
    filas: FromClause,
    suyos: Any,
    del_trozo: Select[Any],
    por: tuple[str, ...],
    ademas: Sequence[FromClause] = (),
) -> Select[Any]:
    """Las de cada trozo, con su intervalo y su signo.

    Args:
        motor: el que las lee.
        filas: una tabla, o algo con las columnas de una.
        suyos: las columnas de los trozos.
        del_trozo: las filas de uno.
        por: las columnas que se distinguen.
        ademas: si hace falta algo más que un trozo para decir cuáles son suyas, los trozos y ello, en ese
            orden.
    """
    columnas = filas.c
    leidas = filas
    if es_postgresql(motor):
        # Sumado dentro de cada trozo. Si no, un servidor que aún no ha mirado la tabla (ANALYZE) la recorre
        # entera por cada uno.
        suyas = [columnas[nombre] for nombre in por]
        parciales = [func.sum(columnas[suma]).label(suma) for suma in SUMADAS]
        leidas = del_trozo.with_only_columns(*suyas, *parciales).group_by(*suyas).lateral()
        del_trozo = select(suyos.intervalo).select_from(*ademas)
    return del_trozo.with_only_columns(
        suyos.intervalo,
        *(leidas.c[nombre] for nombre in por),
        *((suyos.signo * leidas.c[suma]).label(suma) for suma in SUMADAS),
    )
