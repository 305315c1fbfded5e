"""Las sentencias que hallan los grupos mayores de unas cuentas, en SQL.

Qué es: de lo leído, cuánto tiene cada grupo de lo que se ordena, cuáles son los primeros y cuántos hay.
Qué no es: de dónde sale lo leído (`lecturas.py`).
Por qué existe: el motor ordena cuarenta mil grupos sin el cerrojo del intérprete, y a Python llegan unas
decenas. Traídos todos, quien envía espera a que se armen. Son dos sentencias porque agrupar además por tipo,
clase y moneda cuesta el doble, y solo hace falta de los primeros.
"""

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Double,
    FromClause,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    select,
)

from alpespartners.modulos.informes.aplicacion.orden import CLICS_SUFICIENTES, Criterio
from alpespartners.modulos.informes.dominio.bots import Bots
from alpespartners.modulos.informes.dominio.cuenta import PARTE_BAJA
from alpespartners.modulos.informes.dominio.metricas import BOT, CLIC, DE_IMPRESION, VENTA
from alpespartners.modulos.informes.infraestructura.tablas import SUMADAS
from alpespartners.seedwork.sql.sentencias import entre_las_claves
from alpespartners.seedwork.sql.tipos import TEXTO

MONEDA: Final = "moneda_del_orden"
"""El parámetro que dice en qué moneda se ordena por valor."""
MAXIMO: Final = "maximo_de_grupos"
"""El que dice cuántos grupos, como mucho."""


def primeros_de(leidas: FromClause, por: str, criterio: Criterio, bots: Bots) -> Select[Any]:
    """El nombre de cada uno de los primeros grupos, en su orden, y cuántos hay.

    Args:
        leidas: cuentas sueltas, con su signo, su tipo, clase y moneda, y la columna que separa los grupos.
        por: cuál es esa columna.
        criterio: por qué se ordenan.
        bots: si lo de los robots está en lo que se mide; sus grupos están siempre.
    """
    grupo = leidas.c[por]
    medidas = [medida.desc().nulls_last() for medida in _medidas(leidas.c, criterio, bots)]
    return (
        select(grupo, func.count().over().label("cuantos_hay"))
        .group_by(grupo)
        .having(func.sum(leidas.c.cuantos) != 0)
        .order_by(*medidas, grupo)
        .limit(bindparam(MAXIMO, type_=Integer))
    )


def lo_de(motor: str, leidas: FromClause, por: str) -> Select[Any]:
    """Lo de los grupos que dice un parámetro de `en_tandas`, con las columnas de una suma de trozos."""
    claves = [leidas.c[nombre] for nombre in ("tipo", "clase", "moneda", por)]
    sumas = [func.sum(leidas.c[suma]) for suma in SUMADAS]
    return (
        select(literal(0).label("intervalo"), *claves, *sumas)
        .where(entre_las_claves(motor, leidas.c[por]))
        .group_by(*claves)
        .having(sumas[0] != 0)
    )


def _medidas(leidas: Any, criterio: Criterio, bots: Bots) -> list[ColumnElement[Any]]:
    """Lo que un grupo tiene de eso, en uno o en varios números, y sus clics; se comparan por su orden."""

    def suma(son: ColumnElement[bool], que: ColumnElement[Any]) -> ColumnElement[Any]:
        medidos = son if bots is Bots.INCLUIR else and_(son, leidas.clase != BOT)
        return func.sum(case((medidos, que), else_=0), type_=BigInteger)

    clics = suma(leidas.tipo == CLIC, leidas.cuantos)
    match criterio:
        case Criterio.CLICS:
            return [clics]
        case Criterio.CONVERSIONES:
            return [suma(leidas.tipo.not_in(sorted(DE_IMPRESION)), leidas.cuantos), clics]
        case Criterio.VENTAS_POR_CLIC:
            ventas = suma(leidas.tipo == VENTA, leidas.cuantos)
            bastan = case((clics >= CLICS_SUFICIENTES, 1), else_=0)
            return [bastan, cast(ventas, Double) / func.nullif(clics, 0), clics]
        case Criterio.VALOR:
            en_ella = leidas.moneda == bindparam(MONEDA, type_=TEXTO)
            alto, bajo = suma(en_ella, leidas.valor_alto), suma(en_ella, leidas.valor_bajo)
            # La parte baja es una suma de partes, con su signo: lo que le sobra va a la alta.
            resto = (bajo % PARTE_BAJA + PARTE_BAJA) % PARTE_BAJA
            return [alto + (bajo - resto) // PARTE_BAJA, resto, clics]
