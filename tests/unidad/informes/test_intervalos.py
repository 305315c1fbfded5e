"""Los intervalos de un informe son los que vive cada zona, y juntos son el periodo entero."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpespartners.modulos.informes.dominio.intervalos import (
    TRAMO,
    Granularidad,
    Intervalo,
    SinRespuestaExacta,
    comienzo_del_dia,
    partir,
)

HORA = timedelta(hours=1)
DESDE_2017 = datetime(2017, 1, 1, tzinfo=UTC)
ZONAS = sorted(available_timezones())


def dia(zona: str, fecha: str) -> Intervalo:
    local, este = ZoneInfo(zona), date.fromisoformat(fecha)
    return Intervalo(comienzo_del_dia(este, local), comienzo_del_dia(este + timedelta(days=1), local))


@pytest.mark.parametrize(
    ("zona", "fecha", "horas"),
    [
        ("Europe/Madrid", "2026-03-29", 23),
        ("Europe/Madrid", "2026-10-25", 25),
        # El reloj salta la medianoche: el día empieza a la una.
        ("America/Santiago", "2026-09-06", 23),
        # A las 24:00 el reloj vuelve a las 23:00: el que dura más es el que acaba.
        ("America/Santiago", "2026-04-04", 25),
        ("Australia/Lord_Howe", "2026-10-04", 23.5),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("Asia/Kolkata", "2026-03-29", 24),
        ("UTC", "2026-03-29", 24),
        # Samoa pasó del 29 al 31 al cruzar la línea de cambio de fecha.
        ("Pacific/Apia", "2011-12-29", 24),
        ("Pacific/Apia", "2011-12-30", 0),
    ],
)
def test_un_dia_dura_lo_que_dura_en_su_zona(zona: str, fecha: str, horas: float) -> None:
    este = dia(zona, fecha)
    assert este.hasta - este.desde == horas * HORA
    assert sum((i.hasta - i.desde for i in partir(este, ZoneInfo(zona), Granularidad.HORA)), timedelta()) == (
        este.hasta - este.desde
    )


@pytest.mark.parametrize(
    ("zona", "fecha", "comienzos"),
    [
        ("Europe/Madrid", "2026-03-29", ["00:00", "01:00", "03:00", "04:00"]),
        ("Europe/Madrid", "2026-10-25", ["00:00", "01:00", "02:00", "02:00", "03:00"]),
        ("America/Santiago", "2026-09-06", ["01:00", "02:00"]),
        # Su cambio es de media hora: dos horas duran media.
        ("Australia/Lord_Howe", "2026-10-04", ["00:00", "01:00", "02:30", "03:00"]),
        ("Australia/Lord_Howe", "2026-04-05", ["00:00", "01:00", "01:30", "02:00"]),
        ("Asia/Kolkata", "2026-03-29", ["00:00", "01:00"]),
    ],
)
def test_una_hora_empieza_en_punto_o_cuando_cambia_el_reloj(
    zona: str, fecha: str, comienzos: list[str]
) -> None:
    local = ZoneInfo(zona)
    horas = partir(dia(zona, fecha), local, Granularidad.HORA)
    assert [f"{hora.desde.astimezone(local):%H:%M}" for hora in horas][: len(comienzos)] == comienzos


def test_un_periodo_se_parte_en_semanas_de_lunes_a_domingo_y_en_meses_recortados_a_el() -> None:
    madrid = ZoneInfo("Europe/Madrid")
    periodo = Intervalo(
        comienzo_del_dia(date(2026, 2, 27), madrid), comienzo_del_dia(date(2026, 4, 2), madrid)
    )
    fechas = {
        granularidad: [f"{i.desde.astimezone(madrid):%m-%d}" for i in partir(periodo, madrid, granularidad)]
        for granularidad in (Granularidad.SEMANA, Granularidad.MES, Granularidad.TOTAL)
    }
    assert fechas == {
        Granularidad.SEMANA: ["02-27", "03-02", "03-09", "03-16", "03-23", "03-30"],
        Granularidad.MES: ["02-27", "03-01", "04-01"],
        Granularidad.TOTAL: ["02-27"],
    }


@given(
    zona=st.sampled_from(ZONAS).map(ZoneInfo),
    tramos=st.integers(0, 18 * 365 * 96),
    cuantos=st.integers(1, 60 * 96),
    granularidad=st.sampled_from(Granularidad),
)
def test_los_intervalos_son_el_periodo_entero_y_cada_tramo_esta_en_el_de_su_fecha_local(
    zona: ZoneInfo, tramos: int, cuantos: int, granularidad: Granularidad
) -> None:
    desde = DESDE_2017 + tramos * TRAMO
    periodo = Intervalo(desde, desde + cuantos * TRAMO)
    intervalos = partir(periodo, zona, granularidad)
    assert (intervalos[0].desde, intervalos[-1].hasta) == (periodo.desde, periodo.hasta)
    assert all(uno.hasta == otro.desde for uno, otro in pairwise(intervalos))
    assert all(i.desde < i.hasta for i in intervalos)
    claves = [{_clave(t, zona, granularidad) for t in _tramos(i)} for i in intervalos]
    assert all(len(suyas) == 1 for suyas in claves)
    assert all(uno != otro for uno, otro in pairwise(claves))


def _tramos(intervalo: Intervalo) -> list[datetime]:
    return [intervalo.desde + k * TRAMO for k in range((intervalo.hasta - intervalo.desde) // TRAMO)]


def _clave(instante: datetime, zona: ZoneInfo, granularidad: Granularidad) -> object:
    local = instante.astimezone(zona)
    return {
        Granularidad.HORA: (local.date(), local.hour, local.utcoffset()),
        Granularidad.DIA: local.date(),
        Granularidad.SEMANA: local.isocalendar()[:2],
        Granularidad.MES: (local.year, local.month),
        Granularidad.TOTAL: None,
    }[granularidad]


def test_lo_que_empieza_a_mitad_de_un_cuarto_de_hora_se_rechaza() -> None:
    comienzo = datetime(2026, 3, 1, tzinfo=UTC)
    with pytest.raises(SinRespuestaExacta, match=r"00:07.*cuartos enteros"):
        Intervalo(comienzo + timedelta(minutes=7), comienzo + HORA)
    with pytest.raises(SinRespuestaExacta, match="cuartos enteros"):
        Intervalo(comienzo, comienzo + timedelta(microseconds=1))


def test_donde_el_reloj_volvio_a_la_vispera_se_rechaza_el_dia_y_se_dice_por_que() -> None:
    terranova = ZoneInfo("America/St_Johns")
    with pytest.raises(SinRespuestaExacta, match="el reloj volvió al día anterior"):
        comienzo_del_dia(date(2010, 11, 7), terranova)
    antes, despues = (comienzo_del_dia(date(2010, 11, n), terranova) for n in (6, 8))
    assert len(partir(Intervalo(antes, despues), terranova, Granularidad.TOTAL)) == 1
    with pytest.raises(SinRespuestaExacta, match="a mitad de un cuarto de hora"):
        partir(Intervalo(antes, despues), terranova, Granularidad.HORA)
