"""La tabla: cuánto del margen se gasta y si se cumple."""

from io import StringIO

import pytest
from rich.console import Console

from alpespartners.medicion.carga import Resultado
from alpespartners.medicion.medida import Medida, presentar


def _medida(cifra: float, objetivo: float | None, *, como_minimo: bool = False) -> Medida:
    return Medida(
        meta="a", nombre="algo", medido="1 µs", cifra=cifra, objetivo=objetivo, como_minimo=como_minimo
    )


@pytest.mark.parametrize(
    ("medida", "gasto", "cumple"),
    [
        (_medida(2, 4), 0.5, True),
        (_medida(4, 4), 1, True),
        (_medida(8, 4), 2, False),
        (_medida(0.8, 0.4, como_minimo=True), 0.5, True),
        (_medida(0.2, 0.4, como_minimo=True), 2, False),
        (_medida(0, 0.4, como_minimo=True), float("inf"), False),
        (_medida(9, None), 0, True),
    ],
)
def test_el_gasto_dice_cuanto_del_margen_queda(medida: Medida, gasto: float, cumple: bool) -> None:  # noqa: FBT001
    assert medida.gasto == pytest.approx(gasto)
    assert medida.cumple is cumple


def test_la_tabla_dice_la_cifra_su_objetivo_y_si_cumple() -> None:
    salida = StringIO()
    presentar([_medida(2, 4), _medida(8, 4), _medida(9, None)], Console(file=salida, width=160))
    buena, mala, sin_objetivo = salida.getvalue().splitlines()[1:]
    assert "2 ×" in buena
    assert "≤ 4 ×" in buena
    assert buena.rstrip().endswith(" cumple")
    assert mala.rstrip().endswith("no cumple")
    assert "cumple" not in sin_objetivo


def test_una_respuesta_que_no_es_la_esperada_invalida_la_medida() -> None:
    resultado = Resultado(segundos=1.0, demoras=[0.1])
    resultado.estados[503] = 1
    with pytest.raises(RuntimeError, match="503"):
        resultado.exigir(202)
