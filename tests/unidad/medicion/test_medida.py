"""Las tablas: cuánto del margen se gasta y si se cumple, y si la instalación está sana."""

from collections.abc import Callable, Sequence
from io import StringIO

import pytest
from rich.console import Console

from alpespartners.medicion.carga import Resultado
from alpespartners.medicion.medida import Medida, presentar, presentar_salud


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
    presentar([_medida(2, 4), _medida(8, 4), _medida(9, None)], Console(file=salida, width=80))
    buena, mala, sin_objetivo = (linea for linea in salida.getvalue().splitlines() if "algo" in linea)
    assert "2 ×" in buena
    assert "≤ 4 ×" in buena
    assert buena.rstrip().endswith(" cumple")
    assert mala.rstrip().endswith("no cumple")
    assert "cumple" not in sin_objetivo


@pytest.mark.parametrize(
    ("cifra", "dicho", "final"),
    [
        (4, "bien", "Todo es lo normal en una instalación sana."),
        (6, "revíselo", "1 de 1 medidas no son las de una instalación sana."),
    ],
)
def test_no_llegar_al_objetivo_no_es_estar_enferma(cifra: float, dicho: str, final: str) -> None:
    mirada = Medida(meta="a", nombre="algo", medido="1 µs", cifra=cifra, objetivo=2, normal=5)
    salida = StringIO()
    presentar_salud([mirada, _medida(9, 4)], Console(file=salida, width=80))
    _, fila, detalle, _, ultima = salida.getvalue().splitlines()
    assert fila.split() == ["algo", str(cifra), "×", "≤", "5", "×", dicho]
    assert detalle.strip() == "1 µs"
    assert ultima == final


@pytest.mark.parametrize("escribir", [presentar, presentar_salud])
def test_en_ochenta_columnas_ninguna_palabra_se_parte(
    escribir: Callable[[Sequence[Medida], Console], None],
) -> None:
    larga = Medida(
        meta="d",
        nombre="Comandos por segundo de un tópico lleno a sus filas, PostgreSQL",
        medido="1013/s; con sus eventos publicados, 916/s",
        techo="10240/s insertar esas filas, sin preguntar ni anunciar nada",
        cifra=0.099,
        objetivo=0.5,
        normal=0.02,
        como_minimo=True,
    )
    salida = StringIO()
    escribir([larga], Console(file=salida, width=80))
    assert max(map(len, salida.getvalue().splitlines())) <= 80
    esperadas = f"{larga.nombre} {larga.medido}, frente a {larga.techo}".split()
    assert set(esperadas) <= set(salida.getvalue().split())


def test_una_respuesta_que_no_es_la_esperada_invalida_la_medida() -> None:
    resultado = Resultado(segundos=1.0, demoras=[0.1])
    resultado.estados[503] = 1
    with pytest.raises(RuntimeError, match="503"):
        resultado.exigir(202)
