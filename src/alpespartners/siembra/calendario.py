"""Cuándo pasa algo: cuántos eventos hay en cada hora, y de qué campaña y audiencia es cada uno.

Qué es: el peso de una hora sale de la que es para cada audiencia, del día de la semana y de la quincena; los
eventos se reparten según esos pesos y son exactamente los que se piden.
Por qué existe: una gráfica sin noches ni domingos no se parece a ninguna.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

from alpespartners.siembra.audiencias import CAMPAÑAS, Audiencia, Campaña

UNA_HORA: Final = timedelta(hours=1)
_EN_QUINCENA: Final = 3
"""Cuántas veces más pesa un día de cobro."""
_DIA_DE_COBRO: Final = 15
_PERSONAS_POR_PESO: Final = 1_000


@dataclass(frozen=True, slots=True)
class Reparto:
    """Lo que una audiencia pesa en una campaña a una hora."""

    campaña: Campaña
    audiencia: Audiencia
    peso: float


def horas(hasta: datetime, dias: int) -> list[datetime]:
    """Las horas en punto de esos días, de la más antigua a la última que ya acabó.

    Lo que empieza en una hora puede acabar en la siguiente: la última es la penúltima antes de `hasta`.

    Args:
        hasta: en UTC, en punto.
        dias: cuántos.
    """
    cuantas = dias * 24
    return [hasta - UNA_HORA * (cuantas - numero) for numero in range(cuantas - 1)]


@cache
def repartos(hora: datetime) -> Sequence[Reparto]:
    """Lo que pesa cada audiencia de cada campaña a esa hora, en UTC."""
    return tuple(
        Reparto(campaña, audiencia, _peso(campaña, audiencia, parte, hora))
        for campaña in CAMPAÑAS
        for audiencia, parte in campaña.audiencias
    )


def cuantos(eventos: int, de_horas: Sequence[datetime]) -> list[int]:
    """Cuántos eventos tocan a cada hora; suman exactamente esos.

    Lo que falta tras redondear hacia abajo va a las horas que más perdieron al redondear.
    """
    pesos = [sum(reparto.peso for reparto in repartos(hora)) for hora in de_horas]
    total = sum(pesos)
    justos = [eventos * peso / total for peso in pesos]
    enteros = [int(justo) for justo in justos]
    por_resto = sorted(range(len(justos)), key=lambda lugar: (enteros[lugar] - justos[lugar], lugar))
    for lugar in por_resto[: eventos - sum(enteros)]:
        enteros[lugar] += 1
    return enteros


def _peso(campaña: Campaña, audiencia: Audiencia, parte: int, hora: datetime) -> float:
    local = hora.astimezone(ZoneInfo(audiencia.zona))
    es_de_cobro = local.day == _DIA_DE_COBRO or (local + timedelta(days=1)).day == 1
    quincena = _EN_QUINCENA if campaña.de_quincena and es_de_cobro else 1
    de_la_hora, del_dia = audiencia.horario.value[local.hour], campaña.dias.value[local.weekday()]
    return audiencia.personas / _PERSONAS_POR_PESO * parte * de_la_hora * del_dia * quincena
