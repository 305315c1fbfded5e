"""Cuántos eventos tocan a cada hora."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from alpespartners.siembra.calendario import cuantos, horas

HASTA = datetime(2026, 11, 30, tzinfo=UTC)


@given(eventos=st.integers(0, 200_000), dias=st.integers(1, 40), atras=st.integers(0, 24 * 400))
def test_suman_exactamente_los_que_se_piden_y_ninguna_hora_tiene_menos_que_nada(
    eventos: int, dias: int, atras: int
) -> None:
    de_horas = horas(HASTA - timedelta(hours=atras), dias)
    repartidos = cuantos(eventos, de_horas)
    assert sum(repartidos) == eventos
    assert min(repartidos) >= 0


def test_lo_que_empieza_en_la_ultima_hora_acaba_antes_del_final() -> None:
    de_horas = horas(HASTA, 2)
    assert de_horas[0] == HASTA - timedelta(days=2)
    assert de_horas[-1] == HASTA - timedelta(hours=2)
    assert len(de_horas) == 47


def test_hay_noches_fines_de_semana_y_quincenas() -> None:
    de_horas = horas(HASTA, 30)
    por_hora = dict(zip(de_horas, cuantos(100_000, de_horas), strict=True))

    def del_dia(dia: int) -> int:
        return sum(eventos for hora, eventos in por_hora.items() if (hora.month, hora.day) == (11, dia))

    # Las 2 UTC son las nueve de la noche en Bogotá; las 9, las cuatro de la mañana.
    assert (
        por_hora[datetime(2026, 11, 18, 2, tzinfo=UTC)] > 2 * por_hora[datetime(2026, 11, 18, 9, tzinfo=UTC)]
    )
    miercoles, sabado, domingo_de_cobro, domingo = 18, 21, 15, 22
    assert del_dia(sabado) > 1.5 * del_dia(miercoles)
    assert del_dia(domingo_de_cobro) > 1.2 * del_dia(domingo)
