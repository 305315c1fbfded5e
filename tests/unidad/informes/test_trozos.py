"""De cualquier intervalo, lo que se suma y lo que se resta es él: ni un cuarto de hora de más ni de menos."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpespartners.modulos.informes.dominio.intervalos import (
    TRAMO,
    UN_DIA,
    UNA_SEMANA,
    Intervalo,
    comienzo_en_utc,
)
from alpespartners.modulos.informes.infraestructura.lecturas import Trozo, trozos

JUEVES = datetime(2026, 1, 15, tzinfo=UTC)
NIVELES = {UN_DIA: TRAMO, UNA_SEMANA: UN_DIA}
"""Lo que abarca lo entero, y la menor parte de sus bordes."""

_lugares = st.integers(-1_500, 1_500)


def intervalos(parte: timedelta) -> st.SearchStrategy[list[Intervalo]]:
    cortes = st.lists(_lugares, min_size=2, max_size=6, unique=True).map(sorted)
    return cortes.map(
        lambda suyos: [
            Intervalo(JUEVES + desde * parte, JUEVES + hasta * parte) for desde, hasta in pairwise(suyos)
        ]
    )


casos = st.sampled_from(sorted(NIVELES)).flatmap(
    lambda abarca: st.tuples(st.just(abarca), intervalos(NIVELES[abarca]))
)


def partes(trozo: Trozo, de: timedelta) -> list[datetime]:
    return [trozo.desde + n * de for n in range((trozo.hasta - trozo.desde) // de)]


@given(caso=casos)
def test_los_trozos_de_cada_intervalo_suman_justo_el_intervalo(
    caso: tuple[timedelta, list[Intervalo]],
) -> None:
    abarca, suyos = caso
    parte = NIVELES[abarca]
    enteros, bordes = trozos(suyos, abarca)
    for lugar, intervalo in enumerate(suyos):
        veces: Counter[datetime] = Counter()
        for trozo in (*enteros, *bordes):
            if trozo.intervalo == lugar:
                for comienzo in partes(trozo, parte):
                    veces[comienzo] += trozo.signo
        assert {comienzo for comienzo, cuantas in veces.items() if cuantas} == set(
            partes(Trozo(lugar, 1, intervalo.desde, intervalo.hasta), parte)
        )
        assert set(veces.values()) <= {0, 1}


@given(suyos=intervalos(TRAMO))
def test_con_dos_tablas_los_trozos_de_las_dos_y_lo_que_sobra_suman_justo_el_intervalo(
    suyos: list[Intervalo],
) -> None:
    semanas, dias, sueltos = trozos(suyos, UNA_SEMANA, UN_DIA)
    for lugar, intervalo in enumerate(suyos):
        veces: Counter[datetime] = Counter()
        for trozo in (*semanas, *dias, *sueltos):
            if trozo.intervalo == lugar:
                for comienzo in partes(trozo, TRAMO):
                    veces[comienzo] += trozo.signo
        assert {comienzo for comienzo, cuantas in veces.items() if cuantas} == set(
            partes(Trozo(lugar, 1, intervalo.desde, intervalo.hasta), TRAMO)
        )
        assert set(veces.values()) <= {0, 1}
    assert all(comienzo_en_utc(trozo.desde, UNA_SEMANA) == trozo.desde for trozo in semanas)
    assert all(comienzo_en_utc(trozo.desde, UN_DIA) == trozo.desde for trozo in dias)
    # De cada extremo de un intervalo sobra o falta medio día como mucho.
    assert all(trozo.hasta - trozo.desde <= UN_DIA / 2 for trozo in sueltos)
    assert max(Counter(trozo.intervalo for trozo in sueltos).values(), default=0) <= 2


@given(caso=casos)
def test_lo_entero_empieza_y_acaba_donde_se_cuenta_y_de_cada_borde_se_lee_la_mitad_como_mucho(
    caso: tuple[timedelta, list[Intervalo]],
) -> None:
    abarca, suyos = caso
    enteros, bordes = trozos(suyos, abarca)
    for trozo in enteros:
        assert (trozo.desde, trozo.hasta) == (
            comienzo_en_utc(trozo.desde, abarca),
            comienzo_en_utc(trozo.hasta, abarca),
        )
    for trozo in (*enteros, *bordes):
        assert trozo.desde < trozo.hasta
    assert all(trozo.hasta - trozo.desde <= abarca / 2 for trozo in bordes)
    assert max(Counter(trozo.intervalo for trozo in bordes).values(), default=0) <= 2


@pytest.mark.parametrize(
    ("desde", "hasta", "enteras", "dias"),
    [
        # De lunes a lunes: solo semanas.
        ("2026-01-12", "2026-02-09", [("2026-01-12", "2026-02-09")], []),
        # De domingo a martes: las semanas de en medio, y un día a cada lado.
        (
            "2026-02-01",
            "2026-03-03",
            [("2026-02-02", "2026-03-02")],
            [(1, "2026-02-01", "2026-02-02"), (1, "2026-03-02", "2026-03-03")],
        ),
        # De martes a domingo: se restan el lunes y el domingo que no toma.
        (
            "2026-02-03",
            "2026-03-01",
            [("2026-02-02", "2026-03-02")],
            [(-1, "2026-02-02", "2026-02-03"), (-1, "2026-03-01", "2026-03-02")],
        ),
        # Tres días de una semana son tres días.
        ("2026-02-03", "2026-02-06", [], [(1, "2026-02-03", "2026-02-06")]),
    ],
)
def test_un_periodo_por_influencer_son_sus_semanas_y_los_dias_de_sus_bordes(
    desde: str, hasta: str, enteras: list[tuple[str, str]], dias: list[tuple[int, str, str]]
) -> None:
    semanas, bordes = trozos([Intervalo(_dia(desde), _dia(hasta))], UNA_SEMANA)
    assert semanas == [Trozo(0, 1, _dia(lunes), _dia(otro)) for lunes, otro in enteras]
    assert bordes == [Trozo(0, signo, _dia(uno), _dia(otro)) for signo, uno, otro in dias]


def _dia(fecha: str) -> datetime:
    return datetime.fromisoformat(fecha).replace(tzinfo=UTC)
