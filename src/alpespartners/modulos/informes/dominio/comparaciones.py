"""Con qué periodo se compara otro: uno que dura lo mismo, antes.

Qué es: de los intervalos de un informe, los de su comparación, uno por uno.
Por qué existe: comparar un periodo con otro más largo es comparar el calendario. Los días de uno y otro son
los mismos, aunque uno de ellos tenga 23 horas; las horas, también.

Si todos los cortes son comienzos de día, se corren días enteros. Si no, el periodo se corre entero, y cada
intervalo dura lo mismo que el suyo.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from alpespartners.modulos.informes.dominio.intervalos import (
    PRIMERO,
    Intervalo,
    SinRespuestaExacta,
    comienzo_del_dia,
)

_UNA_SEMANA: Final = timedelta(weeks=1)
_52_SEMANAS: Final = timedelta(weeks=52)


class Comparacion(StrEnum):
    """Con qué se compara un periodo."""

    PERIODO_ANTERIOR = "periodo_anterior"
    SEMANA_ANTERIOR = "semana_anterior"
    AÑO_ANTERIOR = "año_anterior"
    DIA_SEMANA = "dia_semana"


def comparados(intervalos: Sequence[Intervalo], zona: ZoneInfo, comparacion: Comparacion) -> list[Intervalo]:
    """Los intervalos con que se comparan esos, que son seguidos; el de cada uno, en su mismo lugar.

    `periodo_anterior` es el que acaba donde empieza este. `semana_anterior` es el de siete días antes: de
    lunes a miércoles, con el lunes a miércoles de la otra semana. `año_anterior` empieza en la misma fecha de
    un año antes (un 29 de febrero, el 28) y dura los mismos días: si uno de los dos pasa por un 29 de
    febrero, desde él las fechas difieren en una. `dia_semana` es el de 52 semanas antes: cada día cae en el
    suyo.

    Raises:
        SinRespuestaExacta: uno de ellos no se puede contar.
    """
    cortes = [intervalos[0].desde, *(intervalo.hasta for intervalo in intervalos)]
    fechas = [corte.astimezone(zona).date() for corte in cortes]
    por_dias = all(
        comienzo_del_dia(fecha, zona) == corte for fecha, corte in zip(fechas, cortes, strict=True)
    )
    dias = _dias(fechas[0], fechas[-1], comparacion)
    if por_dias:
        corridos = [comienzo_del_dia(fecha - dias, zona) for fecha in fechas]
    else:
        retroceso = cortes[0] - _comienzo(cortes, zona, dias, comparacion)
        corridos = [corte - retroceso for corte in cortes]
    if corridos[0] < PRIMERO:
        raise SinRespuestaExacta(
            f"el periodo con que se compara empezaría antes de {PRIMERO.year}; pida un desde posterior"
        )
    return [Intervalo(desde, hasta) for desde, hasta in pairwise(corridos)]


def _dias(primera: date, final: date, comparacion: Comparacion) -> timedelta:
    match comparacion:
        case Comparacion.PERIODO_ANTERIOR:
            return final - primera
        case Comparacion.AÑO_ANTERIOR:
            es_bisiesto = (primera.month, primera.day) == (2, 29)
            return primera - primera.replace(year=primera.year - 1, day=28 if es_bisiesto else primera.day)
        case Comparacion.SEMANA_ANTERIOR:
            return _UNA_SEMANA
        case Comparacion.DIA_SEMANA:
            return _52_SEMANAS


def _comienzo(
    cortes: Sequence[datetime], zona: ZoneInfo, dias: timedelta, comparacion: Comparacion
) -> datetime:
    """Justo antes, o a la misma hora del reloj de pared esos días antes."""
    if comparacion is Comparacion.PERIODO_ANTERIOR:
        return cortes[0] - (cortes[-1] - cortes[0])
    # La resta en su zona es la del reloj de pared.
    return (cortes[0].astimezone(zona) - dias).astimezone(cortes[0].tzinfo)
