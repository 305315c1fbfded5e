"""CSV: cada celda se lee de vuelta como era, y ninguna la ejecuta una hoja de cálculo."""

import csv
import io
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alpespartners.seedwork.csv_protegido import Celda, en_csv, sin_proteger


def _leidas(texto: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(texto, newline=""), strict=True))


_TRAMPAS = st.text(st.sampled_from(";\t\r\n'\"=+-@,a"))


@given(st.lists(st.lists(st.text() | _TRAMPAS, min_size=1, max_size=4), max_size=4))
@example([["=1+1", "'=1+1", "''", "'", "'hola", ""]])
@example([["\r", "\n", 'a"b', "a,b", "a\x00b"]])
def test_todo_texto_se_lee_de_vuelta_como_era(filas: list[list[str]]) -> None:
    leidas = [[sin_proteger(celda) for celda in fila] for fila in _leidas(en_csv(filas))]
    assert leidas == filas


@pytest.mark.parametrize(
    "texto",
    [
        "=cmd|' /C calc'!A0",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t1",
        "\r1",
        "\n1",
        "\uff1d1",
        "\uff0b1",
        "\uff0d1",
        "\uff20a",
    ],
)
def test_un_texto_que_una_hoja_tomaria_por_formula_empieza_por_un_apostrofo(texto: str) -> None:
    assert _leidas(en_csv([[texto]])) == [[f"'{texto}"]]


@given(st.text())
def test_ninguna_celda_de_texto_empieza_por_lo_que_una_hoja_toma_por_formula(texto: str) -> None:
    [[celda]] = _leidas(en_csv([[texto]]))
    assert not celda.startswith(tuple("=+-@\t\r\n"))


@given(st.lists(_TRAMPAS, min_size=1, max_size=4), st.sampled_from(";\t"))
@example(["a;=1+1", 'a;"=1+1"', "a\n=1+1"], ";")
def test_tampoco_donde_una_hoja_que_separa_de_otra_manera_empezaria_otra_celda(
    celdas: list[str], separador: str
) -> None:
    # La primera celda de cada fila es nuestra: un texto que escribe otro podría abrir comillas.
    leidas = csv.reader(io.StringIO(en_csv([["id", *celdas]]), newline=""), delimiter=separador)
    partes = [parte for celda in leidas for suya in celda for parte in suya.splitlines()]
    assert [parte for parte in partes if parte.startswith(tuple("=+-@"))] == []


@pytest.mark.parametrize(
    ("celda", "escrita"),
    [
        (None, ""),
        (-3, "-3"),
        (True, "true"),
        (Decimal("-10.50"), "-10.50"),
        (Decimal("1E+3"), "1000"),
        (datetime(2024, 1, 15, 10, 30, tzinfo=UTC), "2024-01-15T10:30:00Z"),
        (datetime(2024, 1, 15, 10, 30, 0, 250000, tzinfo=UTC), "2024-01-15T10:30:00.250000Z"),
        (datetime(2024, 1, 15, tzinfo=timezone(timedelta(hours=-5))), "2024-01-15T00:00:00-05:00"),
        ({"utm.source": "ñ"}, '{"utm.source":"ñ"}'),
        ({"a": "x;=1"}, """{"a":"x;'=1"}"""),
        (["a", "b:c"], '["a","b:c"]'),
    ],
)
def test_cada_valor_se_escribe_como_en_json_y_sin_comillas(celda: Celda, escrita: str) -> None:
    assert _leidas(en_csv([[celda]])) == [[escrita]]


def test_cada_fila_acaba_en_crlf_y_lo_que_hace_falta_va_entre_comillas() -> None:
    assert en_csv([["id", "nota"], ["1", 'di "a",\r\nb']]) == 'id,nota\r\n1,"di ""a"",\r\nb"\r\n'
