"""El cubo: nunca da más de lo que dijo, y siempre vuelve a dar."""

from hypothesis import given
from hypothesis import strategies as st

from alpespartners.seedwork.cubo import SEGUNDOS_DE_RAFAGA, Cubo

SEGUNDO = 1_000_000_000

_ritmos = st.integers(1, 100_000)
_partes = st.integers(1, 64)
_esperas = st.one_of(st.just(0), st.integers(0, 3 * SEGUNDO), st.integers(0, 3_600 * SEGUNDO))
_cuantos = st.one_of(st.just(1), st.integers(1, 5_000))
_llegadas = st.lists(st.tuples(_esperas, _cuantos), min_size=1, max_size=60)
"""Cuánto después de la anterior llega cada petición, y cuántos eventos lleva."""


@given(por_segundo=_ritmos, partes=_partes, llegadas=_llegadas)
def test_en_ningun_rato_se_admite_mas_que_el_ritmo_la_rafaga_y_una_peticion(
    por_segundo: int, partes: int, llegadas: list[tuple[int, int]]
) -> None:
    cubo = Cubo(por_segundo, partes)
    ahora = 0
    admitidas: list[tuple[int, int]] = []
    for espera, eventos in llegadas:
        ahora += espera
        if not cubo.falta(ahora):
            cubo.cobrar(eventos, ahora)
            admitidas.append((ahora, eventos))
    for primera, (desde, _) in enumerate(admitidas):
        antes_de_la_ultima = 0
        for hasta, eventos in admitidas[primera:]:
            nanosegundos = hasta - desde + SEGUNDOS_DE_RAFAGA * SEGUNDO
            assert antes_de_la_ultima * SEGUNDO * partes <= nanosegundos * por_segundo
            antes_de_la_ultima += eventos


@given(por_segundo=_ritmos, partes=_partes, llegadas=_llegadas)
def test_quien_espera_lo_que_se_le_dice_entra_y_un_segundo_antes_no(
    por_segundo: int, partes: int, llegadas: list[tuple[int, int]]
) -> None:
    cubo = Cubo(por_segundo, partes)
    ahora = 0
    for espera, eventos in llegadas:
        ahora += espera
        falta = cubo.falta(ahora)
        if falta:
            assert cubo.falta(ahora + (falta - 1) * SEGUNDO) > 0
            ahora += falta * SEGUNDO
        assert cubo.falta(ahora) == 0
        cubo.cobrar(eventos, ahora)


@given(por_segundo=_ritmos, partes=_partes, eventos=st.integers(1, 1_000_000))
def test_la_deuda_mas_grande_se_paga_en_lo_que_costaria_a_su_ritmo(
    por_segundo: int, partes: int, eventos: int
) -> None:
    cubo = Cubo(por_segundo, partes)
    cubo.cobrar(eventos, 0)
    por_evento = -(-SEGUNDO * partes // por_segundo)
    assert cubo.falta(0) * SEGUNDO <= max(0, eventos * por_evento - SEGUNDOS_DE_RAFAGA * SEGUNDO) + SEGUNDO


def test_uno_que_no_se_ha_usado_admite_un_lote_de_mil_y_lo_que_pasa_del_cubo_se_paga_esperando() -> None:
    cubo = Cubo(100)
    assert cubo.falta(0) == 0
    cubo.cobrar(1_000, 0)
    assert cubo.falta(0) == 9
    assert cubo.falta(8 * SEGUNDO) == 1
    assert cubo.falta(8 * SEGUNDO + 1) == 0


def test_quien_calla_una_hora_no_ahorra_mas_que_la_rafaga() -> None:
    cubo = Cubo(10)
    cubo.cobrar(1, 0)
    entraron = 0
    while not cubo.falta(3_600 * SEGUNDO):
        cubo.cobrar(1, 3_600 * SEGUNDO)
        entraron += 1
    assert entraron == 10 * SEGUNDOS_DE_RAFAGA


def test_un_ritmo_que_no_divide_al_segundo_no_da_ni_uno_de_mas() -> None:
    cubo = Cubo(70_000)
    cubo.cobrar(70_000 * SEGUNDOS_DE_RAFAGA, 0)
    assert cubo.falta(0) == 1


def test_repartido_entre_cuatro_cada_uno_da_la_cuarta_parte() -> None:
    cubo = Cubo(100, partes=4)
    entraron = 0
    for ahora in range(0, 100 * SEGUNDO, SEGUNDO // 100):
        if not cubo.falta(ahora):
            cubo.cobrar(1, ahora)
            entraron += 1
    assert entraron == 25 * (100 + SEGUNDOS_DE_RAFAGA)
