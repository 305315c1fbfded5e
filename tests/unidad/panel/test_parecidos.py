"""Los `id` que quizá quiso escribir quien escribió otro."""

import pytest

from alpespartners.panel.parecidos import parecidos


@pytest.mark.parametrize(
    ("escrito", "quiso"),
    [
        (" FV-1 ", "FV-1"),
        ("\u200bFV-1\n", "FV-1"),
        ("«FV-1»,", "FV-1"),
        ('"FV-1"', "FV-1"),
        ("FV%2F2024%2F001", "FV/2024/001"),
        ("%22FV%252F1%22", "FV/1"),
        ("fv-1", "FV-1"),
        ("FV-1", "fv-1"),
        ("1001", "tienda-1001"),
        ("tienda-1001", "1001"),
        (" 1001.", "tienda-1001"),
        ("http://localhost:8000/tracking/conversiones/FV%2F1/destino", "FV/1"),
        ("/tracking/impresiones/FV-1", "FV-1"),
    ],
)
def test_se_prueba_sin_lo_que_se_pega_sin_querer(escrito: str, quiso: str) -> None:
    assert quiso in parecidos(escrito, {"tienda-", "otra-"})


def test_el_que_se_escribio_no_es_parecido_a_si_mismo_y_ninguno_se_repite() -> None:
    hallados = parecidos("FV-1", {"tienda-"})
    assert "FV-1" not in hallados
    assert len(hallados) == len(set(hallados))


@pytest.mark.parametrize("escrito", ["", '""', "%00", "http://[", "x" * 5_000, "%FF"])
def test_de_lo_que_no_puede_ser_ninguno_no_se_propone_uno_que_no_pueda_serlo(escrito: str) -> None:
    assert all(0 < len(uno) <= 128 for uno in parecidos(escrito, ()))
