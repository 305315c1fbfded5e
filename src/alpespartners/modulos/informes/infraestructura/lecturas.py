"""Leer las cuentas de una campaña por intervalos, en SQL.

Qué es: qué tablas responden a cada intervalo, y la sentencia que las suma.
Qué no es: qué intervalos se piden, ni quién abre la transacción.
Por qué existe: se lee según los intervalos y no según los eventos. Un intervalo son los días enteros de UTC
que abarca, más los tramos de sus bordes. De un día del que toma más de la mitad se suma el día y se restan
los tramos de fuera: en Bogotá, cada día son dos sumas y cuarenta tramos, y no noventa y seis. Por influencer
o cupón son, de la misma manera, semanas enteras y los días de sus bordes: de noventa días, diecinueve sumas
como mucho.

Sumar y restar da lo mismo porque todo se lee de una misma instantánea.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from sqlalchemy import (
    Connection,
    FromClause,
    Integer,
    Select,
    Table,
    bindparam,
    func,
    select,
    union_all,
)

from alpespartners.modulos.informes.aplicacion.puertos import (
    DE_LOS_DIAS,
    Contada,
    DemasiadasCuentas,
    Dimension,
)
from alpespartners.modulos.informes.dominio.cuenta import Cuenta
from alpespartners.modulos.informes.dominio.intervalos import (
    UN_DIA,
    UNA_SEMANA,
    Intervalo,
    comienzo_en_utc,
)
from alpespartners.modulos.informes.infraestructura.tablas import (
    SUMADAS,
    cuentas_por_dia,
    cuentas_por_influencer,
    cuentas_por_semana,
    cuentas_por_tramo,
)
from alpespartners.seedwork.sql.relaciones import Columnas, parametros, relacion
from alpespartners.seedwork.sql.sentencias import es_postgresql, motor_de
from alpespartners.seedwork.sql.tipos import TEXTO, Instante

T = TypeVar("T")

_COLUMNAS: Columnas = {"intervalo": Integer(), "signo": Integer(), "desde": Instante(), "hasta": Instante()}


LECTURAS_A_LA_VEZ: Final = 2
"""De las cuatro que lee un proceso: por cupón, un informe puede tardar segundos, y lo demás no le espera."""


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


class LibroQueSeLee(Protocol):
    """Quien abre transacciones de lectura."""

    async def en_transaccion(self, trabajo: Callable[[Connection | None], T]) -> T:
        """Ejecuta el trabajo sobre una instantánea; sin conexión si todavía no hay tablas."""


class LecturaDeCuentasSQL:
    """Las cuentas en SQL; cumple `LecturaDeCuentas`."""

    def __init__(self, libro: LibroQueSeLee) -> None:
        self._libro = libro
        self._turnos = asyncio.Semaphore(LECTURAS_A_LA_VEZ)

    async def contar(
        self, campaña_id: str, intervalos: Sequence[Intervalo], por: Collection[Dimension], maximo: int
    ) -> list[Contada]:
        """Devuelve lo que no es cero, por tipo y moneda siempre; todo, del mismo instante."""
        detalle = tuple(dimension.value for dimension in Dimension if dimension in DE_LOS_DIAS & set(por))
        entera, abarca, del_borde = (
            (cuentas_por_semana, UNA_SEMANA, cuentas_por_influencer)
            if detalle
            else (cuentas_por_dia, UN_DIA, cuentas_por_tramo)
        )
        tablas = (entera, del_borde)
        suyos = trozos(intervalos, abarca)

        def trabajo(conexion: Connection | None) -> Sequence[Any]:
            if conexion is None:
                return ()
            valores: dict[str, object] = {"campana_id": campaña_id, "limite": maximo + 1}
            for tabla, de_ella in zip(tablas, suyos, strict=True):
                valores |= parametros(conexion, _trozos_de(tabla), _COLUMNAS, de_ella)
            return conexion.execute(_suma(motor_de(conexion), tablas, detalle), valores).all()

        async with self._turnos:
            filas = await self._libro.en_transaccion(trabajo)
        if len(filas) > maximo:
            raise DemasiadasCuentas
        # Fuera de la transacción y del bucle: cien mil son décimas de segundo.
        return await asyncio.to_thread(_contadas, filas, detalle)


def _contadas(filas: Sequence[Any], detalle: tuple[str, ...]) -> list[Contada]:
    return [
        Contada(
            intervalo=intervalo,
            tipo=tipo,
            moneda=moneda,
            cuenta=Cuenta.de_partes(int(cuantos), int(alto), int(bajo)),
            **{"influencer_id": "", "cupon": "", **dict(zip(detalle, suyo, strict=True))},
        )
        for intervalo, tipo, moneda, *suyo, cuantos, alto, bajo in filas
    ]


def trozos(intervalos: Sequence[Intervalo], abarca: timedelta) -> tuple[list[Trozo], list[Trozo]]:
    """Lo que suma cada intervalo: días o semanas enteros, según lo que abarquen, y lo menor de sus bordes."""
    enteros: list[Trozo] = []
    bordes: list[Trozo] = []
    for lugar, intervalo in enumerate(intervalos):
        if intervalo.hasta - intervalo.desde <= abarca / 2:
            bordes.append(Trozo(lugar, 1, intervalo.desde, intervalo.hasta))
            continue
        primero, final = _mas_cercano(intervalo.desde, abarca), _mas_cercano(intervalo.hasta, abarca)
        enteros.append(Trozo(lugar, 1, primero, final))
        bordes += [
            Trozo(lugar, 1, intervalo.desde, primero),
            Trozo(lugar, -1, primero, intervalo.desde),
            Trozo(lugar, 1, final, intervalo.hasta),
            Trozo(lugar, -1, intervalo.hasta, final),
        ]
    return [trozo for trozo in enteros if trozo.abarca_algo], [trozo for trozo in bordes if trozo.abarca_algo]


def _mas_cercano(instante: datetime, abarca: timedelta) -> datetime:
    """El comienzo de un día o de una semana de UTC, el suyo o el siguiente, que menos dista de él."""
    comienzo = comienzo_en_utc(instante, abarca)
    return comienzo if instante - comienzo <= abarca / 2 else comienzo + abarca


@cache
def _suma(motor: str, tablas: tuple[Table, ...], detalle: tuple[str, ...]) -> Select[Any]:
    """Por intervalo, tipo, moneda y detalle, las sumas de lo que dicen los trozos de todas."""
    por = ("tipo", "moneda", *detalle)
    leidas = union_all(*(_de_sus_trozos(motor, tabla, por) for tabla in tablas)).subquery("leidas")
    claves = [leidas.c[nombre] for nombre in ("intervalo", *por)]
    sumas = [func.sum(leidas.c[suma]) for suma in SUMADAS]
    return (
        select(*claves, *sumas)
        .group_by(*claves)
        .having(sumas[0] != 0)
        .limit(bindparam("limite", type_=Integer))
    )


def _de_sus_trozos(motor: str, tabla: Table, por: tuple[str, ...]) -> Select[Any]:
    """Lo que dicen los de una tabla, con el signo de cada uno."""
    suyos = relacion(motor, _trozos_de(tabla), _COLUMNAS).c
    # El tiempo es lo segundo de la clave de todas.
    _, cuando, *_ = tabla.primary_key
    del_trozo: Select[Any] = select(tabla).where(
        tabla.c.campana_id == bindparam("campana_id", type_=TEXTO),
        cuando >= suyos.desde,
        cuando < suyos.hasta,
    )
    leidas: FromClause = tabla
    if es_postgresql(motor):
        # Sumado dentro de cada trozo. Si no, un servidor que aún no ha mirado la tabla (ANALYZE) la recorre
        # entera por cada uno.
        suyas = [tabla.c[nombre] for nombre in por]
        parciales = [func.sum(tabla.c[suma]).label(suma) for suma in SUMADAS]
        leidas = del_trozo.with_only_columns(*suyas, *parciales).group_by(*suyas).lateral()
        del_trozo = select(suyos.intervalo)
    return del_trozo.with_only_columns(
        suyos.intervalo,
        *(leidas.c[nombre] for nombre in por),
        *((suyos.signo * leidas.c[suma]).label(suma) for suma in SUMADAS),
    )


def _trozos_de(tabla: Table) -> str:
    return f"trozos_de_{tabla.name}"
