"""Leer las cuentas de una campaña por intervalos, en SQL.

Qué es: qué tablas responden a cada intervalo, y la sentencia que las suma.
Qué no es: qué intervalos se piden, ni quién abre la transacción.
Por qué existe: se lee según los intervalos y no según los eventos. Un intervalo son los días enteros de UTC
que abarca, más los tramos de sus bordes. De un día del que toma más de la mitad se suma el día y se restan
los tramos de fuera: en Bogotá, cada día son dos sumas y cuarenta tramos, y no noventa y seis. Por influencer
o cupón son, de la misma manera, semanas enteras y los días de sus bordes: de noventa días, diecinueve sumas
como mucho. Donde un intervalo no empieza o acaba con un día de UTC, lo que sobra o falta de ese día no está
contado por influencer: se cuenta en las filas, si son pocas, y las cuentas dicen antes cuántas son. Por red,
dispositivo, país o robot son los días y, de la misma manera, las filas; lo que no se sabe de dónde vino no
está contado: es lo de todos menos lo que se sabe.

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
    Table,
    bindparam,
    case,
    func,
    literal,
    select,
    union_all,
)

from alpespartners.modulos.informes.aplicacion.orden import Criterio, Orden
from alpespartners.modulos.informes.aplicacion.puertos import (
    DE_LOS_DIAS,
    DE_PROCEDENCIA,
    Contada,
    DemasiadasCuentas,
    DemasiadosSueltos,
    Dimension,
    Mayores,
)
from alpespartners.modulos.informes.dominio.bots import Bots
from alpespartners.modulos.informes.dominio.cuenta import PARTE_BAJA, Cuenta
from alpespartners.modulos.informes.dominio.intervalos import (
    UN_DIA,
    UNA_SEMANA,
    Intervalo,
    comienzo_en_utc,
)
from alpespartners.modulos.informes.dominio.usuarios import Usuarios
from alpespartners.modulos.informes.infraestructura.lectura_de_usuarios import usuarios_de
from alpespartners.modulos.informes.infraestructura.mayores import MAXIMO, MONEDA, lo_de, primeros_de
from alpespartners.modulos.informes.infraestructura.tablas import (
    PROCEDENCIAS,
    SUMADAS,
    cuentas_por_dia,
    cuentas_por_influencer,
    cuentas_por_procedencia,
    cuentas_por_semana,
    cuentas_por_tramo,
)
from alpespartners.modulos.informes.infraestructura.turnos import LibroQueSeLee
from alpespartners.seedwork.sql.agregados import importe_en_partes
from alpespartners.seedwork.sql.relaciones import Columnas, parametros, relacion
from alpespartners.seedwork.sql.sentencias import en_tandas, es_postgresql, motor_de
from alpespartners.seedwork.sql.tipos import TEXTO, Instante

_LecturaDeUsuarios = Callable[[Connection, str, Sequence[Intervalo]], list[Usuarios]]
DE_TROZOS: Columnas = {"intervalo": Integer(), "signo": Integer(), "desde": Instante(), "hasta": Instante()}
"""Las columnas de una relación de trozos."""
SIEMPRE: Final = ("tipo", "clase", "moneda")
"""Las columnas que se distinguen aunque no se pida."""
_NOMBRES: Final = ("trozos_mayores", "trozos_menores", "trozos_sueltos")
"""Los de las relaciones que dicen qué se suma de cada fuente: de las dos tablas y de las filas."""
_NOMBRES_DE_TODOS: Final = ("dias_de_todos", "tramos_de_todos")
"""Lo mismo de las tablas que no distinguen influencers ni procedencias, cuando se leen con las que sí."""
_DE_TODOS: Final = (cuentas_por_dia, cuentas_por_tramo)
_SIN_DATO: Final = ""
_SIN_LIMITE: Final = 2**31 - 1

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
        """Devuelve lo que no es cero, por tipo, clase y moneda siempre; todo, del mismo instante."""
        suyas, _ = await self._leer(sujeto_id, intervalos, por, maximo, _sin_usuarios)
        return suyas

    async def contar_con_usuarios(
        self, campaña_id: str, intervalos: Sequence[Intervalo], maximo: int
    ) -> tuple[list[Contada], list[Usuarios]]:
        """Devuelve lo mismo, sin separar por nada, y los usuarios de cada intervalo."""
        return await self._leer(campaña_id, intervalos, (), maximo, usuarios_de)

    async def mayores(
        self, campaña_id: str, periodo: Intervalo, por: Dimension, orden: Orden, bots: Bots, maximo: int
    ) -> Mayores:
        """Devuelve los primeros por ese orden, `maximo` como mucho, y lo de todos; del mismo instante."""
        de_todos = trozos([periodo], UN_DIA)
        suyos = de_todos if por in DE_PROCEDENCIA else trozos([periodo], UNA_SEMANA, UN_DIA)
        sueltos = suyos[-1]

        def trabajo(conexion: Connection | None) -> tuple[Sequence[Any], list[Any], Sequence[Any]]:
            if conexion is None:
                return (), [], ()
            motor = motor_de(conexion)
            if sueltos:
                self._exigir_que_sean_pocos(conexion, campaña_id, sueltos)
            valores = (
                _valores(conexion, campaña_id, suyos)
                | _valores(conexion, campaña_id, de_todos, _NOMBRES_DE_TODOS)
                | {MAXIMO: maximo, MONEDA: orden.moneda, "limite": _SIN_LIMITE}
            )
            leidas = _leidas(motor, self._hechos, por.value, con_sueltos=bool(sueltos))
            primeros = conexion.execute(_primeros(leidas, por.value, orden.criterio, bots), valores).all()
            cuentas: list[Any] = []
            for tanda in en_tandas(conexion, [nombre for nombre, _ in primeros]):
                cuentas += conexion.execute(_de_estos(motor, leidas, por.value), valores | tanda)
            return primeros, cuentas, conexion.execute(_suma_de_todos(motor), valores).all()

        primeros, cuentas, sumas = await self._libro.en_transaccion(trabajo)
        return await asyncio.to_thread(_en_su_orden, primeros, cuentas, sumas, por)

    async def _leer(
        self,
        campaña_id: str,
        intervalos: Sequence[Intervalo],
        por: Collection[Dimension],
        maximo: int,
        leer_usuarios: _LecturaDeUsuarios,
    ) -> tuple[list[Contada], list[Usuarios]]:
        separadas = DE_LOS_DIAS.union(DE_PROCEDENCIA).intersection(por)
        detalle = tuple(dimension.value for dimension in Dimension if dimension in separadas)
        de_procedencia = not separadas.isdisjoint(DE_PROCEDENCIA)
        abarcan = (UNA_SEMANA, UN_DIA) if detalle and not de_procedencia else (UN_DIA,)
        suyos = trozos(intervalos, *abarcan)
        sueltos = suyos[-1] if detalle else []

        def trabajo(conexion: Connection | None) -> tuple[Sequence[Any], list[Usuarios]]:
            if conexion is None:
                return (), [Usuarios()] * len(intervalos)
            motor = motor_de(conexion)
            if sueltos:
                self._exigir_que_sean_pocos(conexion, campaña_id, sueltos)
            if de_procedencia:
                suma = _suma_de_una(motor, self._hechos, detalle[0], con_sueltos=bool(sueltos))
                valores = _valores(conexion, campaña_id, suyos, _NOMBRES_DE_TODOS)
            else:
                fuentes = _fuentes(motor, self._hechos, con_detalle=bool(detalle), con_sueltos=bool(sueltos))
                suma = _suma(motor, fuentes, detalle)
                valores = _valores(conexion, campaña_id, suyos)
            sumas = conexion.execute(suma, valores | {"limite": maximo + 1}).all()
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


def _valores(
    conexion: Connection,
    campaña_id: str,
    suyos: Sequence[Sequence[Trozo]],
    nombres: Sequence[str] = _NOMBRES,
) -> dict[str, object]:
    """Los parámetros que dicen de qué campaña son esos trozos, y de qué fuente cada uno."""
    valores: dict[str, object] = {"campana_id": campaña_id}
    for nombre, de_ella in zip(nombres, suyos, strict=False):
        valores |= parametros(conexion, nombre, DE_TROZOS, de_ella)
    return valores


def contadas(filas: Sequence[Any], detalle: tuple[str, ...]) -> list[Contada]:
    """Las que hay en las filas de una `suma_de_trozos`, con los nombres de su detalle."""
    # Por su lugar, y lo que no está, en el de un texto vacío: pueden ser cien mil, y así se tarda la mitad.
    lugares = {nombre: 4 + lugar for lugar, nombre in enumerate(detalle)}
    influencer, cupon, campaña, red, dispositivo, pais, robot = (
        lugares.get(dimension.value, -1)
        for dimension in (Dimension.INFLUENCER, Dimension.CUPON, Dimension.CAMPAÑA, *DE_PROCEDENCIA)
    )
    suyas = []
    for fila in filas:
        intervalo, tipo, clase, moneda, *_, cuantos, alto, bajo, _ = celdas = (*fila, "")
        cuenta = Cuenta(int(cuantos), int(alto) * PARTE_BAJA + int(bajo))
        suyas.append(
            Contada(
                intervalo,
                celdas[influencer],
                celdas[cupon],
                tipo,
                clase,
                moneda,
                cuenta,
                celdas[campaña],
                celdas[red],
                celdas[dispositivo],
                celdas[pais],
                celdas[robot],
            )
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
    tablas = (cuentas_por_semana, cuentas_por_influencer) if con_detalle else _DE_TODOS
    fuentes = _de_tablas(motor, tablas, _NOMBRES)
    if con_sueltos:
        sueltos = relacion(motor, _NOMBRES[-1], DE_TROZOS)
        contadas = [como_cuentas(motor, consulta.subquery()) for consulta in hechos]
        fuentes += [_Fuente(filas, filas.c.ocurrido_en, sueltos) for filas in contadas]
    return tuple(fuentes)


@cache
def _fuentes_de_todos(motor: str) -> tuple[_Fuente, ...]:
    """Las que no distinguen influencers ni procedencias, cuando se leen con las que sí."""
    return tuple(_de_tablas(motor, _DE_TODOS, _NOMBRES_DE_TODOS))


@cache
def _fuentes_de_procedencia(
    motor: str, hechos: tuple[Select[Any], ...], dimension: str, *, con_sueltos: bool
) -> tuple[_Fuente, ...]:
    """Las que dicen una: de los trozos de los días, sus cuentas, y de los de sus bordes, las filas."""
    de_los_dias, de_los_bordes = (fuente.trozos for fuente in _fuentes_de_todos(motor))
    columnas = cuentas_por_procedencia.c
    suyas = (
        select(
            *(columna for columna in columnas if columna.name not in ("dimension", "dato")),
            columnas.dato.label(dimension),
        )
        .where(columnas.dimension == literal(dimension, TEXTO))
        .subquery()
    )
    fuentes = [_Fuente(suyas, suyas.c.dia, de_los_dias)]
    if con_sueltos:
        contadas = [como_cuentas(motor, consulta.subquery()) for consulta in hechos]
        fuentes += [_Fuente(filas, filas.c.ocurrido_en, de_los_bordes) for filas in contadas]
    return tuple(fuentes)


def _de_tablas(motor: str, tablas: Sequence[Table], nombres: Sequence[str]) -> list[_Fuente]:
    return [
        # El tiempo es lo segundo de la clave de todas.
        _Fuente(tabla, [*tabla.primary_key][1], relacion(motor, nombre, DE_TROZOS))
        for tabla, nombre in zip(tablas, nombres, strict=False)
    ]


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
        func.coalesce(columnas.clase, _SIN_DATO).label("clase"),
        func.coalesce(con_importe, _SIN_DATO).label("moneda"),
        func.coalesce(columnas.influencer_id, _SIN_DATO).label("influencer_id"),
        func.coalesce(columnas.cupon, _SIN_DATO).label("cupon"),
        *(func.coalesce(columnas[nombre], _SIN_DATO).label(nombre) for nombre in PROCEDENCIAS),
        columnas.influencer_id.label("de_quien"),
        literal(1).label("cuantos"),
        func.coalesce(alto, 0).label("valor_alto"),
        func.coalesce(bajo, 0).label("valor_bajo"),
    ).subquery()


@cache
def _suma(motor: str, fuentes: tuple[_Fuente, ...], detalle: tuple[str, ...]) -> Select[Any]:
    """Por intervalo, lo de siempre y detalle, las sumas de lo que dicen los trozos de todas."""
    por = (*SIEMPRE, *detalle)
    return suma_de_trozos([_de_sus_trozos(motor, fuente, por) for fuente in fuentes], por)


@cache
def _suma_de_todos(motor: str) -> Select[Any]:
    """Las sumas de un periodo, sin distinguir nada más que lo de siempre."""
    return _suma(motor, _fuentes_de_todos(motor), ())


@cache
def _suma_de_una(
    motor: str, hechos: tuple[Select[Any], ...], dimension: str, *, con_sueltos: bool
) -> Select[Any]:
    """Las sumas por una procedencia, también de lo que no se sabe."""
    leidas = _leidas(motor, hechos, dimension, con_sueltos=con_sueltos)
    return suma_de_trozos([select(leidas)], (*SIEMPRE, dimension))


@cache
def _primeros(leidas: FromClause, columna: str, criterio: Criterio, bots: Bots) -> Select[Any]:
    return primeros_de(leidas, columna, criterio, bots)


@cache
def _de_estos(motor: str, leidas: FromClause, columna: str) -> Select[Any]:
    return lo_de(motor, leidas, columna)


@cache
def _leidas(motor: str, hechos: tuple[Select[Any], ...], columna: str, *, con_sueltos: bool) -> FromClause:
    """Lo que dicen los trozos de un periodo, por lo de siempre y esa columna.

    Lo que no tiene cupón, que es casi todo, no se busca: es todo menos lo que lo tiene. Y lo que no tiene
    procedencia no está contado.
    """
    por = (*SIEMPRE, columna)
    if columna in DE_PROCEDENCIA:
        fuentes = _fuentes_de_procedencia(motor, hechos, columna, con_sueltos=con_sueltos)
    else:
        fuentes = _fuentes(motor, hechos, con_detalle=True, con_sueltos=con_sueltos)
    if columna == Dimension.INFLUENCER:
        return union_all(*(_de_sus_trozos(motor, fuente, por) for fuente in fuentes)).subquery("leidas")
    con_dato = union_all(
        *(
            _de_sus_trozos(motor, fuente, por, fuente.filas.c[columna] != literal(_SIN_DATO, TEXTO))
            for fuente in fuentes
        )
    ).cte("con_dato")

    def sin_dato(filas: FromClause, signo: int) -> Select[Any]:
        suyas = (filas.c[nombre] for nombre in ("intervalo", *SIEMPRE))
        sumas = ((signo * filas.c[suma]).label(suma) for suma in SUMADAS)
        return select(*suyas, literal(_SIN_DATO, TEXTO).label(columna), *sumas)

    todas = [_de_sus_trozos(motor, fuente, SIEMPRE).subquery() for fuente in _fuentes_de_todos(motor)]
    return union_all(
        select(con_dato), sin_dato(con_dato, -1), *(sin_dato(suyas, 1) for suyas in todas)
    ).subquery("leidas")


def _en_su_orden(
    primeros: Sequence[Any], filas: Sequence[Any], sumas: Sequence[Any], por: Dimension
) -> Mayores:
    suyas = contadas(filas, (por.value,))
    columna = Contada._fields.index(por.value)
    lugares = {nombre: lugar for lugar, (nombre, _) in enumerate(primeros)}
    suyas.sort(key=lambda contada: lugares[str(contada[columna])])
    return Mayores(suyas, int(primeros[0].cuantos_hay) if primeros else 0, contadas(sumas, ()))


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


def _de_sus_trozos(
    motor: str, fuente: _Fuente, por: tuple[str, ...], *condiciones: ColumnElement[bool]
) -> Select[Any]:
    """Lo que dicen los de una fuente, con el signo de cada uno; de sus filas, las que cumplen eso."""
    suyos = fuente.trozos.c
    columnas = fuente.filas.c
    del_trozo: Select[Any] = select(fuente.filas).where(
        columnas.campana_id == bindparam("campana_id", type_=TEXTO),
        fuente.cuando >= suyos.desde,
        fuente.cuando < suyos.hasta,
        *condiciones,
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
