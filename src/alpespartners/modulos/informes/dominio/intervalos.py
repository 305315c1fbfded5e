"""Los intervalos de un informe: horas, días, semanas y meses como los vive una zona horaria.

Qué es: de un periodo, los instantes en que empieza y acaba cada uno de sus intervalos, en UTC. Un día de
cambio de hora tiene 23 o 25 horas; una hora que se repite son dos.
Qué no es: cuánto hubo en cada uno.
Por qué existe: lo contado está por tramos de quince minutos, y solo es exacto lo que empieza y acaba en uno.
Todas las zonas están hoy a un número entero de tramos de UTC (Asia/Kolkata, a 5 h 30 min; Asia/Kathmandu, a
5 h 45 min), y sus cambios de hora caen en uno. Unas pocas, hasta 2016, no; lo que las parte se rechaza.

Las zonas y sus cambios son los de la base de datos de la IANA (RFC 6557).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

TRAMO: Final = timedelta(minutes=15)
"""Lo menos que abarca una cuenta; todo intervalo empieza y acaba donde uno."""
UN_DIA: Final = timedelta(days=1)
UNA_SEMANA: Final = timedelta(weeks=1)

PRIMERO: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""El instante desde el que se puede preguntar: antes, muchas zonas no estaban a cuartos de hora de UTC."""

_UN_LUNES: Final = datetime(1970, 1, 5, tzinfo=UTC)
_UNA_HORA: Final = timedelta(hours=1)
_MINUTOS_DE_UN_TRAMO: Final = 15
_RETROCESO: Final = 8
"""Tramos tras una medianoche en que el reloj puede volver a la víspera: dos horas (Casey, 2010)."""


class Granularidad(StrEnum):
    """En qué se parte un periodo. La semana empieza en lunes (ISO 8601)."""

    HORA = "hora"
    DIA = "dia"
    SEMANA = "semana"
    MES = "mes"
    TOTAL = "total"


class SinRespuestaExacta(Exception):
    """El periodo no se puede partir así sin aproximar; la frase dice por qué y qué pedir."""


@dataclass(frozen=True, slots=True)
class Intervalo:
    """De `desde`, que se incluye, a `hasta`, que no; instantes en UTC, cada uno donde empieza un tramo."""

    desde: datetime
    hasta: datetime

    def __post_init__(self) -> None:
        """Comprueba que lo contado lo puede responder.

        Raises:
            SinRespuestaExacta: empieza o acaba a mitad de un tramo.
        """
        for instante in (self.desde, self.hasta):
            if comienzo_en_utc(instante, TRAMO) != instante:
                raise SinRespuestaExacta(
                    f"{instante.isoformat()} está a mitad de un cuarto de hora, y se cuenta por cuartos"
                    " enteros; pida instantes en punto, o a y cuarto, y media o menos cuarto de UTC"
                )


def comienzo_en_utc(instante: datetime, abarca: timedelta) -> datetime:
    """El del `TRAMO`, el día o la semana de UTC en que cae, según lo que abarque; la semana, en lunes."""
    return instante - (instante - _UN_LUNES) % abarca


def comienzo_del_dia(fecha: date, zona: ZoneInfo) -> datetime:
    """El primer instante, en UTC, en que esa es la fecha en esa zona.

    Donde el reloj salta la medianoche (America/Santiago), el día empieza a la una. De una fecha que no
    existió (Pacific/Apia, 2011-12-30) es el de la siguiente.

    Raises:
        SinRespuestaExacta: tras esa medianoche el reloj volvió a la víspera: no es un solo intervalo.
    """
    comienzo = datetime.combine(fecha, time(), zona).astimezone(UTC)
    while (comienzo - TRAMO).astimezone(zona).date() >= fecha:
        comienzo -= TRAMO
    if any((comienzo + k * TRAMO).astimezone(zona).date() < fecha for k in range(1, _RETROCESO + 1)):
        raise SinRespuestaExacta(
            f"en {zona.key}, tras empezar el {fecha} el reloj volvió al día anterior; pida otra zona, o un "
            "periodo que no empiece, acabe ni se parta ese día"
        )
    return comienzo


def partir(periodo: Intervalo, zona: ZoneInfo, granularidad: Granularidad) -> list[Intervalo]:
    """Los intervalos del periodo, seguidos y sin huecos; el primero y el último, recortados a él.

    Raises:
        SinRespuestaExacta: un corte cae a mitad de un tramo.
    """
    cortes = [
        corte for corte in _CORTES[granularidad](periodo, zona) if periodo.desde < corte < periodo.hasta
    ]
    limites = [periodo.desde, *dict.fromkeys(cortes), periodo.hasta]
    return [Intervalo(desde, hasta) for desde, hasta in pairwise(limites)]


def cuantos(periodo: Intervalo, zona: ZoneInfo, granularidad: Granularidad) -> int:
    """En cuántos se parte, sin partirlo; donde el reloj cambia puede haber alguno más o menos."""
    primera, ultima = (
        instante.astimezone(zona).date() for instante in (periodo.desde, periodo.hasta - timedelta.resolution)
    )
    match granularidad:
        case Granularidad.HORA:
            return -((periodo.desde - periodo.hasta) // _UNA_HORA)
        case Granularidad.DIA:
            return (ultima - primera).days + 1
        case Granularidad.SEMANA:
            return (ultima - primera + timedelta(days=primera.weekday())).days // 7 + 1
        case Granularidad.MES:
            return (ultima.year - primera.year) * 12 + ultima.month - primera.month + 1
        case Granularidad.TOTAL:
            return 1


def _horas(periodo: Intervalo, zona: ZoneInfo) -> Iterator[datetime]:
    """Cada hora en punto del reloj de pared, y cada cambio de hora."""
    instante, anterior = periodo.desde, periodo.desde.astimezone(zona)
    while instante < periodo.hasta:
        instante += TRAMO
        local = instante.astimezone(zona)
        if local.minute % _MINUTOS_DE_UN_TRAMO:
            raise SinRespuestaExacta(
                f"las horas de {zona.key} no empezaban en un cuarto de hora de UTC hasta después de "
                f"{instante.isoformat()}; pida granularidad=dia, o un desde posterior"
            )
        if local.utcoffset() != (instante - timedelta.resolution).astimezone(zona).utcoffset():
            yield instante
        elif local.utcoffset() != anterior.utcoffset():
            raise SinRespuestaExacta(
                f"{zona.key} cambió de hora a mitad de un cuarto de hora, antes de {instante.isoformat()}; "
                "pida granularidad=dia"
            )
        elif local.minute < anterior.minute:
            yield instante
        anterior = local


def _dias(periodo: Intervalo, zona: ZoneInfo) -> Iterator[datetime]:
    return (comienzo_del_dia(fecha, zona) for fecha in _fechas(periodo, zona))


def _semanas(periodo: Intervalo, zona: ZoneInfo) -> Iterator[datetime]:
    return (comienzo_del_dia(fecha, zona) for fecha in _fechas(periodo, zona) if fecha.weekday() == 0)


def _meses(periodo: Intervalo, zona: ZoneInfo) -> Iterator[datetime]:
    return (comienzo_del_dia(fecha, zona) for fecha in _fechas(periodo, zona) if fecha.day == 1)


def _sin_cortes(_periodo: Intervalo, _zona: ZoneInfo) -> Iterator[datetime]:
    return iter(())


def _fechas(periodo: Intervalo, zona: ZoneInfo) -> Iterator[date]:
    """Las fechas de esa zona que empiezan dentro del periodo."""
    fecha, ultima = (instante.astimezone(zona).date() for instante in (periodo.desde, periodo.hasta))
    while fecha < ultima:
        fecha += UN_DIA
        yield fecha


_CORTES: Final[dict[Granularidad, Callable[[Intervalo, ZoneInfo], Iterator[datetime]]]] = {
    Granularidad.HORA: _horas,
    Granularidad.DIA: _dias,
    Granularidad.SEMANA: _semanas,
    Granularidad.MES: _meses,
    Granularidad.TOTAL: _sin_cortes,
}
