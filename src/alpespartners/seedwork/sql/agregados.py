"""Agrupar por tramos de tiempo y sumar importes, que cada motor escribe a su modo.

Por qué existe: una suma de importes es exacta, y la misma en los dos motores, solo si ninguno pasa por coma
flotante ni se sale de 64 bits. Por eso se suma en diezmilésimas enteras y en dos partes.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Interval, Numeric, func, literal, type_coerce

from alpespartners.seedwork.sql.sentencias import es_postgresql
from alpespartners.seedwork.sql.tipos import DECIMALES_DEL_IMPORTE, Instante

_EPOCA: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UN_LUNES: Final = datetime(1970, 1, 5, tzinfo=UTC)
_MICROSEGUNDO: Final = timedelta(microseconds=1)


def comienzo_del_tramo(
    motor: str, instante: ColumnElement[datetime], tramo: timedelta
) -> ColumnElement[datetime]:
    """El instante en que empieza el tramo en que cae otro; se cuentan desde un lunes, en UTC."""
    if es_postgresql(motor):
        return func.date_bin(
            literal(tramo, Interval), instante, literal(_UN_LUNES, Instante()), type_=Instante()
        )
    cuanto = tramo // _MICROSEGUNDO
    numero = type_coerce(instante, BigInteger)
    desde_el_lunes = numero - (_UN_LUNES - _EPOCA) // _MICROSEGUNDO
    # El resto de SQLite tiene el signo del dividendo, y hay instantes anteriores.
    return type_coerce(numero - (desde_el_lunes % cuanto + cuanto) % cuanto, Instante())


def sumas_en_partes(
    motor: str, importe: ColumnElement[Decimal | None], parte: int
) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """La suma de un importe, como la de cada una de sus partes; nulas si no hay ninguno."""
    alta, baja = importe_en_partes(motor, importe, parte)
    return func.sum(alta), func.sum(baja)


def importe_en_partes(
    motor: str, importe: ColumnElement[Decimal | None], parte: int
) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Un importe en dos: cuántas veces caben en él tantas diezmilésimas, y lo que sobra.

    En PostgreSQL son `Decimal` sin decimales.
    """
    if es_postgresql(motor):
        diezmilesimas = type_coerce(importe, Numeric) * literal(10**DECIMALES_DEL_IMPORTE, Numeric)
        divisor = literal(parte, Numeric)
        return func.div(diezmilesimas, divisor), func.mod(diezmilesimas, divisor)
    entero = type_coerce(importe, BigInteger)
    return entero // parte, entero % parte
