"""Un periodo como lo elige una persona: su primer día y el último, los dos incluidos.

Qué es: la traducción entre esos dos días y `desde` y `hasta`, que no se incluye, y los periodos corrientes.
Qué no es: qué se cuenta en él.
Por qué existe: quien pide enero elige del 1 al 31; la dirección de la vista dice `hasta=2024-02-01`, como la
API, y nadie debe ver en la pantalla una fecha que no cuenta.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from alpespartners.modulos.informes.dominio.intervalos import (
    UN_DIA,
    Granularidad,
    Intervalo,
    SinRespuestaExacta,
    comienzo_del_dia,
)

_UNA_SEMANA: Final = 7
_UN_MES: Final = 30


class Corriente(StrEnum):
    """Los periodos que se piden casi siempre."""

    HOY = "hoy"
    AYER = "ayer"
    ESTA_SEMANA = "esta_semana"
    SEMANA_PASADA = "semana_pasada"
    SIETE_DIAS = "siete_dias"
    TREINTA_DIAS = "treinta_dias"
    ESTE_MES = "este_mes"
    MES_PASADO = "mes_pasado"


@dataclass(frozen=True, slots=True)
class Periodo:
    """De un día a otro de una zona, los dos incluidos."""

    primero: date
    ultimo: date

    @property
    def dias(self) -> int:
        """Cuántos."""
        return (self.ultimo - self.primero).days + 1

    @property
    def parametros(self) -> dict[str, str]:
        """Los que lo piden, con los nombres de la API."""
        return {"desde": self.primero.isoformat(), "hasta": (self.ultimo + UN_DIA).isoformat()}

    @property
    def final(self) -> "Periodo":
        """Sus siete últimos días."""
        return hasta_el(self.ultimo, min(self.dias, _UNA_SEMANA))


def hasta_el(ultimo: date, dias: int = _UN_MES) -> Periodo:
    """El de tantos días que acaba ese, incluido."""
    return Periodo(ultimo - (dias - 1) * UN_DIA, ultimo)


def periodo_de(intervalo: Intervalo, zona: ZoneInfo) -> Periodo:
    """El de los días de esa zona que ese intervalo toca."""
    return Periodo(
        intervalo.desde.astimezone(zona).date(),
        (intervalo.hasta - timedelta.resolution).astimezone(zona).date(),
    )


def es_de_dias_enteros(intervalo: Intervalo, zona: ZoneInfo) -> bool:
    """Dice si empieza y acaba con un día de esa zona."""
    periodo = periodo_de(intervalo, zona)
    try:
        return (
            comienzo_del_dia(periodo.primero, zona) == intervalo.desde
            and comienzo_del_dia(periodo.ultimo + UN_DIA, zona) == intervalo.hasta
        )
    except SinRespuestaExacta:
        return False


def parametros_de(intervalo: Intervalo, zona: ZoneInfo) -> dict[str, str]:
    """Los que piden ese intervalo: fechas, si es de días enteros; si no, instantes."""
    if es_de_dias_enteros(intervalo, zona):
        return periodo_de(intervalo, zona).parametros
    return instantes_de(intervalo)


def instantes_de(intervalo: Intervalo) -> dict[str, str]:
    """Los que piden ese intervalo con instantes, que no dependen de la zona."""
    return {"desde": _en_utc(intervalo.desde), "hasta": _en_utc(intervalo.hasta)}


def corrientes(ahora: datetime, zona: ZoneInfo) -> Mapping[Corriente, Periodo]:
    """Los de ahora en esa zona; los que no han acabado, hasta hoy. La semana empieza en lunes (ISO 8601)."""
    hoy = ahora.astimezone(zona).date()
    lunes = hoy - hoy.weekday() * UN_DIA
    este_mes = hoy.replace(day=1)
    fin_del_pasado = este_mes - UN_DIA
    return {
        Corriente.HOY: Periodo(hoy, hoy),
        Corriente.AYER: Periodo(hoy - UN_DIA, hoy - UN_DIA),
        Corriente.ESTA_SEMANA: Periodo(lunes, hoy),
        Corriente.SEMANA_PASADA: hasta_el(lunes - UN_DIA, _UNA_SEMANA),
        Corriente.SIETE_DIAS: hasta_el(hoy, _UNA_SEMANA),
        Corriente.TREINTA_DIAS: hasta_el(hoy),
        Corriente.ESTE_MES: Periodo(este_mes, hoy),
        Corriente.MES_PASADO: Periodo(fin_del_pasado.replace(day=1), fin_del_pasado),
    }


def granularidad_para(periodo: Periodo) -> Granularidad:
    """La que lo enseña mejor: un día, por horas."""
    return Granularidad.HORA if periodo.dias == 1 else Granularidad.DIA


def _en_utc(instante: datetime) -> str:
    return instante.astimezone(UTC).isoformat().replace("+00:00", "Z")
