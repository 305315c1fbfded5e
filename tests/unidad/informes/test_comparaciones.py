"""Un periodo se compara con otro que dura lo mismo, fila por fila."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpespartners.modulos.informes.dominio.comparaciones import Comparacion, comparados
from alpespartners.modulos.informes.dominio.intervalos import (
    TRAMO,
    Granularidad,
    Intervalo,
    comienzo_del_dia,
    partir,
)

MADRID = ZoneInfo("Europe/Madrid")
ZONAS = [ZoneInfo(nombre) for nombre in ("UTC", "Europe/Madrid", "America/Santiago", "Australia/Lord_Howe")]


def fechas(desde: str, hasta: str, zona: ZoneInfo) -> Intervalo:
    return Intervalo(*(comienzo_del_dia(date.fromisoformat(fecha), zona) for fecha in (desde, hasta)))


def comparado(
    periodo: Intervalo, comparacion: Comparacion, granularidad: Granularidad, zona: ZoneInfo = MADRID
) -> list[str]:
    """Los cortes del periodo con que se compara, a la hora de la zona."""
    intervalos = comparados(partir(periodo, zona, granularidad), zona, comparacion)
    cortes = [intervalos[0].desde, *(intervalo.hasta for intervalo in intervalos)]
    return [f"{corte.astimezone(zona):%Y-%m-%d %H:%M}".removesuffix(" 00:00") for corte in cortes]


@pytest.mark.parametrize(
    ("comparacion", "cortes"),
    [
        (Comparacion.PERIODO_ANTERIOR, ["2026-03-24", "2026-03-25", "2026-03-26", "2026-03-27"]),
        (Comparacion.SEMANA_ANTERIOR, ["2026-03-20", "2026-03-21", "2026-03-22", "2026-03-23"]),
        (Comparacion.AÑO_ANTERIOR, ["2025-03-27", "2025-03-28", "2025-03-29", "2025-03-30"]),
        # El mismo día de la semana: un viernes con un viernes.
        (Comparacion.DIA_SEMANA, ["2025-03-28", "2025-03-29", "2025-03-30", "2025-03-31"]),
    ],
)
def test_tres_dias_se_comparan_con_otros_tres_aunque_uno_tenga_23_horas(
    comparacion: Comparacion, cortes: list[str]
) -> None:
    assert comparado(fechas("2026-03-27", "2026-03-30", MADRID), comparacion, Granularidad.DIA) == cortes


def test_lo_que_va_de_semana_se_compara_con_los_mismos_dias_de_la_anterior() -> None:
    # El lunes y el martes, con los suyos: el periodo anterior serían el sábado y el domingo.
    esta_semana = fechas("2026-03-30", "2026-04-01", MADRID)
    cortes = comparado(esta_semana, Comparacion.SEMANA_ANTERIOR, Granularidad.TOTAL)
    assert cortes == ["2026-03-23", "2026-03-25"]
    # El lunes a las diez, tras el cambio de hora, con las diez del otro lunes.
    lunes = datetime(2026, 3, 30, 10, tzinfo=MADRID).astimezone(UTC)
    una_hora = Intervalo(lunes, lunes + timedelta(hours=1))
    cortes = comparado(una_hora, Comparacion.SEMANA_ANTERIOR, Granularidad.HORA)
    assert cortes == ["2026-03-23 10:00", "2026-03-23 11:00"]


def test_el_periodo_anterior_acaba_donde_empieza_este_y_tiene_los_mismos_dias() -> None:
    # Marzo, con su cambio de hora, y los 31 días anteriores.
    marzo = fechas("2026-03-01", "2026-04-01", MADRID)
    assert comparado(marzo, Comparacion.PERIODO_ANTERIOR, Granularidad.MES) == ["2026-01-29", "2026-03-01"]


@pytest.mark.parametrize(
    ("desde", "hasta", "cortes"),
    [
        ("2024-02-29", "2024-03-02", ["2023-02-28", "2023-03-01", "2023-03-02"]),
        ("2024-02-28", "2024-03-01", ["2023-02-28", "2023-03-01", "2023-03-02"]),
        ("2025-02-28", "2025-03-02", ["2024-02-28", "2024-02-29", "2024-03-01"]),
        ("2026-02-28", "2026-03-02", ["2025-02-28", "2025-03-01", "2025-03-02"]),
    ],
)
def test_el_año_anterior_empieza_en_la_misma_fecha_y_dura_lo_mismo_tambien_con_un_29_de_febrero(
    desde: str, hasta: str, cortes: list[str]
) -> None:
    assert comparado(fechas(desde, hasta, MADRID), Comparacion.AÑO_ANTERIOR, Granularidad.DIA) == cortes


def test_las_horas_se_comparan_con_otras_tantas_horas() -> None:
    # El domingo tiene 23 horas; las 23 anteriores empiezan a la una del sábado.
    domingo = fechas("2026-03-29", "2026-03-30", MADRID)
    cortes = comparado(domingo, Comparacion.PERIODO_ANTERIOR, Granularidad.HORA)
    assert (cortes[0], cortes[-1], len(cortes)) == ("2026-03-28 01:00", "2026-03-29", 24)
    # Hace 52 semanas, a la misma hora del reloj de pared.
    cortes = comparado(domingo, Comparacion.DIA_SEMANA, Granularidad.HORA)
    assert (cortes[0], cortes[1], cortes[-1]) == ("2025-03-30", "2025-03-30 01:00", "2025-03-31")


def test_lo_que_no_empieza_con_un_dia_se_compara_con_la_misma_hora() -> None:
    desde = datetime(2026, 5, 10, 9, 30, tzinfo=MADRID).astimezone(UTC)
    tarde = Intervalo(desde, desde + timedelta(hours=3))
    assert comparado(tarde, Comparacion.AÑO_ANTERIOR, Granularidad.DIA) == [
        "2025-05-10 09:30",
        "2025-05-10 12:30",
    ]


@given(
    zona=st.sampled_from(ZONAS),
    tramos=st.integers(0, 8 * 365 * 96),
    cuantos=st.integers(1, 40 * 96),
    granularidad=st.sampled_from(Granularidad),
    comparacion=st.sampled_from(Comparacion),
)
def test_cada_fila_tiene_la_suya_que_dura_los_mismos_dias_o_las_mismas_horas_y_acaba_antes(
    zona: ZoneInfo, tramos: int, cuantos: int, granularidad: Granularidad, comparacion: Comparacion
) -> None:
    desde = datetime(2018, 1, 1, tzinfo=UTC) + tramos * TRAMO
    intervalos = partir(Intervalo(desde, desde + cuantos * TRAMO), zona, granularidad)
    antes = comparados(intervalos, zona, comparacion)
    assert len(antes) == len(intervalos)
    assert all(uno.hasta == otro.desde for uno, otro in pairwise(antes))
    assert antes[-1].hasta <= intervalos[0].desde or comparacion is not Comparacion.PERIODO_ANTERIOR
    for este, suyo in zip(intervalos, antes, strict=True):
        assert suyo.hasta - suyo.desde == este.hasta - este.desde or _dias(suyo, zona) == _dias(este, zona)


def _dias(intervalo: Intervalo, zona: ZoneInfo) -> int:
    desde, hasta = (instante.astimezone(zona).date() for instante in (intervalo.desde, intervalo.hasta))
    return (hasta - desde).days
