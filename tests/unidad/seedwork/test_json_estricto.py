"""El lector estricto de JSON: lo que acepta, lo que rechaza y lo que nunca convierte."""

import json
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpespartners.seedwork.json_estricto import (
    PROFUNDIDAD_MAXIMA,
    JsonIlegible,
    NumeroJson,
    escribir_json,
    leer_json,
    leer_lo_legible,
)

JSON_CUALQUIERA = st.recursive(
    st.none() | st.booleans() | st.text(),
    lambda hijos: st.lists(hijos, max_size=4) | st.dictionaries(st.text(), hijos, max_size=4),
    max_leaves=12,
)


@given(JSON_CUALQUIERA)
def test_lo_que_no_son_numeros_se_lee_como_lo_lee_la_biblioteca_estandar(valor: object) -> None:
    assert leer_json(json.dumps(valor).encode()) == valor
    assert leer_json(json.dumps(valor, ensure_ascii=False).encode()) == valor


@given(JSON_CUALQUIERA)
def test_lo_leido_se_escribe_como_el_json_que_era(valor: object) -> None:
    escrito = json.dumps(valor, ensure_ascii=False, separators=(",", ":"))
    assert escribir_json(leer_json(escrito.encode())) == escrito


@pytest.mark.parametrize("octetos", [b'{"a":[1.50,1E400,-0],"b":{}}', b"99999999999999.990", b'"1.50"'])
def test_un_numero_se_escribe_con_su_literal(octetos: bytes) -> None:
    assert escribir_json(leer_json(octetos)).encode() == octetos


@given(st.binary(max_size=60))
def test_unos_octetos_cualesquiera_se_leen_o_son_json_ilegible(octetos: bytes) -> None:
    with suppress(JsonIlegible):
        leer_json(octetos)


@pytest.mark.parametrize(
    "literal",
    ["0", "-0", "150000.0", "99999999999999.99", "1e400", "1e999999999", "-1E-999999999", "9" * 5000],
)
def test_un_numero_conserva_su_literal_sin_convertirse_ni_desplegarse(literal: str) -> None:
    leido = leer_json(b'{"valor": %s}' % literal.encode())
    assert isinstance(leido, dict)
    assert type(leido["valor"]) is NumeroJson
    assert leido["valor"] == literal


def test_un_texto_con_aspecto_de_numero_no_es_un_numero() -> None:
    assert type(leer_json(b'"150"')) is str


@pytest.mark.parametrize(
    ("octetos", "frase"),
    [
        (b"", "El cuerpo está vacío."),
        (b" \n\t", "El cuerpo está vacío."),
        (b'\xef\xbb\xbf{"a": 1}', "El cuerpo empieza con una marca BOM: el JSON va en UTF-8 sin ella."),
        (b'{"a": "\xff"}', "El cuerpo no es UTF-8: octeto no válido en la posición 7."),
        (b'"\xed\xa0\x80"', "El cuerpo no es UTF-8: octeto no válido en la posición 1."),
        ('{"a": 1}'.encode("utf-16"), "El cuerpo no es UTF-8: octeto no válido en la posición 0."),
        ('{"a": 1}'.encode("utf-16-le"), "El cuerpo no es JSON: error en la línea 1, columna 2."),
        (b'{"a": 1,\n "b": }', "El cuerpo no es JSON: error en la línea 2, columna 7."),
        (b'{"a": 1} {}', "El cuerpo no es JSON: error en la línea 1, columna 10."),
        (b"{'a': 1}", "El cuerpo no es JSON: error en la línea 1, columna 2."),
        (b'{"a": 01}', "El cuerpo no es JSON: error en la línea 1, columna 8."),
        ('{"a": \u0661}'.encode(), "El cuerpo no es JSON: error en la línea 1, columna 7."),
        (b'"a\x00b"', "El cuerpo no es JSON: error en la línea 1, columna 3."),
        (b'{"a": NaN}', "El cuerpo contiene NaN o Infinity, que no son JSON."),
        (b'{"a": -Infinity}', "El cuerpo contiene NaN o Infinity, que no son JSON."),
        (b'{"b": 2, "a": 1, "a": 1, "b": 2}', "El cuerpo repite la clave «a» dentro de un mismo objeto."),
        (b'[{"b": {"a": 1, "\\u0061": 2}}]', "El cuerpo repite la clave «a» dentro de un mismo objeto."),
        (
            '{"campaña_id": 1, "campaña_id": 1}'.encode(),
            "El cuerpo repite la clave «campaña_id» dentro de un mismo objeto.",
        ),
        (
            b'{"\\ud800\\u0000\\n": 1, "\\ud800\\u0000\\n": 1}',
            "El cuerpo repite la clave «\ufffd\ufffd\ufffd» dentro de un mismo objeto.",
        ),
        (
            b'{"%(k)s": 1, "%(k)s": 1}' % {b"k": b"k" * 60_000},
            f"El cuerpo repite la clave «{'k' * 64}» dentro de un mismo objeto.",
        ),
        (b"[" * 50_000, "El cuerpo anida objetos o listas a más de 32 niveles."),
        (b'{"a":' * 50_000, "El cuerpo anida objetos o listas a más de 32 niveles."),
        (b"[" * 50_000 + b"]" * 50_000, "El cuerpo anida objetos o listas a más de 32 niveles."),
    ],
)
def test_lo_que_no_es_json_se_dice_con_su_lugar_o_su_clave_y_sin_sus_valores(
    octetos: bytes, frase: str
) -> None:
    with pytest.raises(JsonIlegible) as error:
        leer_json(octetos)
    assert str(error.value) == frase


def test_la_profundidad_maxima_se_lee_y_un_nivel_mas_no() -> None:
    justo = b"[" * PROFUNDIDAD_MAXIMA + b"]" * PROFUNDIDAD_MAXIMA
    assert leer_json(justo)
    with pytest.raises(JsonIlegible):
        leer_json(b"[" + justo + b"]")


def test_los_corchetes_dentro_de_un_texto_y_los_objetos_hermanos_no_cuentan_como_niveles() -> None:
    texto = '[{"' * 100 + '\\"'
    assert leer_json(json.dumps([texto]).encode()) == [texto]
    assert leer_json(json.dumps([{}] * 100).encode()) == [{}] * 100


def test_un_sustituto_suelto_en_un_escape_llega_al_dominio() -> None:
    assert leer_json(rb'"\ud800"') == "\ud800"


def test_un_cuerpo_hostil_se_recorre_en_tiempo_lineal() -> None:
    gastado = time.process_time()
    with pytest.raises(JsonIlegible):
        leer_json(b"[]" * 40 + b'"' + b'\\"' * 32_000)
    assert time.process_time() - gastado < 1


@pytest.mark.parametrize(
    ("octetos", "legible"),
    [
        (b'{"a":NaN,"b":[-Infinity,1.50]}', {"a": None, "b": [None, NumeroJson("1.50")]}),
        (b'{"a":1,"a":2,"b":{"c":1,"c":1},"d":3}', {"b": {}, "d": NumeroJson("3")}),
        (b'{"a":"\xff"}', {"a": "\ufffd"}),
        (b'{"a":1', None),
        (b"\xef\xbb\xbf{}", None),
        (b"", None),
        (b"[" * (PROFUNDIDAD_MAXIMA + 1), None),
    ],
)
def test_de_lo_que_no_es_json_se_lee_lo_que_solo_puede_ser_una_cosa(octetos: bytes, legible: object) -> None:
    assert leer_lo_legible(octetos) == legible


def test_escribir_no_hace_un_escritor_por_cada_valor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(json, "JSONEncoder")
    assert escribir_json(["ñ", None, True]) == '["ñ",null,true]'
