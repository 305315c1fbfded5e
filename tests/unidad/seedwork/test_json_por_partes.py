"""La separación de muchos JSON en sus elementos: da igual por dónde se corte lo que llega."""

import json
import sys
import tracemalloc
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alpespartners.seedwork.json_estricto import JsonIlegible
from alpespartners.seedwork.json_por_partes import AnidaDeMas, DeUnaLista, PorLineas, Separador

MAXIMO = 64

JSON_CUALQUIERA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda hijos: (
        st.lists(hijos, max_size=3) | st.dictionaries(st.text(max_size=4), hijos, min_size=1, max_size=3)
    ),
    max_leaves=8,
)
CORTES = st.lists(st.integers(1, 12), min_size=1, max_size=8)
CASI_JSON = st.text(alphabet='[]{},:" \\\n1aé', max_size=40).map(str.encode)


def _trozos(cuerpo: bytes, cortes: Sequence[int]) -> Iterable[bytes]:
    """El cuerpo en trozos de esas medidas, por turnos."""
    desde = numero = 0
    while desde < len(cuerpo):
        cuanto = cortes[numero % len(cortes)]
        yield cuerpo[desde : desde + cuanto]
        desde, numero = desde + cuanto, numero + 1


def _separados(separador: Separador, trozos: Iterable[bytes]) -> tuple[list[bytes | None], str | None]:
    """Los elementos y, si el conjunto está roto, la frase que lo dice."""
    elementos: list[bytes | None] = []
    try:
        for trozo in trozos:
            elementos += separador.separar(trozo)
        elementos += separador.acabar()
    except JsonIlegible as ilegible:
        return elementos, str(ilegible)
    return elementos, None


def _de_la_lista(cuerpo: bytes, cortes: Sequence[int] = (10_000,)) -> tuple[list[bytes | None], str | None]:
    return _separados(DeUnaLista(MAXIMO), _trozos(cuerpo, cortes))


@given(st.lists(JSON_CUALQUIERA, max_size=6), CORTES, st.integers(0, 1), st.sampled_from([None, 1]))
def test_de_una_lista_salen_sus_elementos_la_corten_por_donde_la_corten(
    lista: list[object], cortes: list[int], ascii_: int, sangria: int | None
) -> None:
    cuerpo = json.dumps(lista, ensure_ascii=bool(ascii_), indent=sangria).encode()
    elementos, rota = _separados(DeUnaLista(10_000), _trozos(cuerpo, cortes))
    assert [json.loads(elemento or b"") for elemento in elementos] == lista
    assert rota is None


@given(st.lists(JSON_CUALQUIERA, max_size=6), CORTES, st.sampled_from([b"\n", b"\r\n", b"\n \n"]))
def test_de_las_lineas_salen_sus_elementos_las_corten_por_donde_las_corten(
    valores: list[object], cortes: list[int], salto: bytes
) -> None:
    cuerpo = salto.join(json.dumps(valor).encode() for valor in valores)
    elementos, _ = _separados(PorLineas(10_000), _trozos(cuerpo, cortes))
    assert [json.loads(elemento or b"") for elemento in elementos] == valores


@given(CASI_JSON, CORTES)
@example(b'{"a": "b" }, 1', [4])
@example(b'{"a": "b" x}, 1', [4])
@example(b'{"a": {"b": [{"c": [1]}]}}, 2', [3])
@example(b"1" + b" " * MAXIMO + b"2, 3" + b" " * MAXIMO + b", 4", [3])
@example(b'{"a":[[[[["b" ,[]]]]],"c" :{}},[[[[[]}', [5])
@example(b"\n \n\n  \n         \n1\n\n", [4])
def test_lo_que_no_es_json_se_separa_igual_se_corte_por_donde_se_corte(
    dentro: bytes, cortes: list[int]
) -> None:
    cuerpo = b"[" + dentro + b"]"
    assert _de_la_lista(cuerpo, cortes) == _de_la_lista(cuerpo)
    assert _separados(PorLineas(8), _trozos(cuerpo, cortes)) == _separados(PorLineas(8), [cuerpo])


@pytest.mark.parametrize("cortes", [(1,), (10_000,)])
def test_uno_que_no_es_json_o_no_cabe_no_estorba_a_los_demas(cortes: Sequence[int]) -> None:
    largo = b'{"a":"' + rb"\"\\" * MAXIMO + b'"}'
    cuerpo = b' [ {"a":1} , nada, {"a":}, , ' + largo + b', {"a":1} 2, [1,{"b":2}], "," ] '
    assert _de_la_lista(cuerpo, cortes) == (
        [b'{"a":1}', b"nada", b'{"a":}', b"", None, b'{"a":1} 2', b'[1,{"b":2}]', b'","'],
        None,
    )


@pytest.mark.parametrize("cortes", [(1,), (10_000,)])
@pytest.mark.parametrize("sobra", [0, 1])
@pytest.mark.parametrize("separador", [DeUnaLista, PorLineas])
@pytest.mark.parametrize("blancos", [b"", b" \t\r", b" " * 3 * MAXIMO])
@pytest.mark.parametrize("principio", [b'{"a":"', b'["a', b'"abcde'])
def test_cabe_justo_lo_que_mide_el_maximo_sin_los_blancos_de_alrededor(
    separador: Callable[[int], Separador], principio: bytes, blancos: bytes, sobra: int, cortes: Sequence[int]
) -> None:
    final = {b"{": b'"}', b"[": b'"]', b'"': b'"'}[principio[:1]]
    elemento = principio + b"x" * (MAXIMO - len(principio + final) + sobra) + final
    rodeado = blancos + elemento + blancos
    cuerpo = rodeado + b"\n" if separador is PorLineas else b"[" + rodeado + b"]"
    assert _separados(separador(MAXIMO), _trozos(cuerpo, cortes)) == ([None if sobra else elemento], None)


@pytest.mark.parametrize("cortes", [(1,), (10_000,)])
@pytest.mark.parametrize(
    ("cuerpo", "salen", "frase"),
    [
        (b"", [], "El cuerpo está vacío."),
        (b" \n", [], "El cuerpo está vacío."),
        (b"\xef\xbb\xbf[1]", [], "El cuerpo empieza con una marca BOM: el JSON va en UTF-8 sin ella."),
        (b'{"a":1}', [], "El cuerpo no es una lista JSON: debe empezar con «[»."),
        (b"[1,2", [b"1"], "su elemento 1 (el primero es el 0): el cuerpo acaba sin cerrar la lista."),
        (b"[1] 2", [b"1"], "su elemento 1 (el primero es el 0): detrás de la lista hay algo más."),
        (b'[{"a":1},{"a":[1},2]', [b'{"a":1}'], "un corchete o una llave no cierra lo que se abrió."),
        (b"[1},2]", [], "se cierra una llave que no se abrió."),
        (b'[1,{"a":"x},{"b":"y"},3]', [b"1"], "unas comillas sobran o faltan."),
        (b'[1,{"a":1"},{"b":2}]', [b"1"], "unas comillas sobran o faltan."),
        (b"[1," + b"[" * (MAXIMO + 1), [b"1"], "anida demasiado."),
    ],
)
def test_de_una_lista_rota_sale_lo_anterior_y_dice_por_donde_se_rompe(
    cuerpo: bytes, salen: list[bytes | None], frase: str, cortes: Sequence[int]
) -> None:
    elementos, rota = _de_la_lista(cuerpo, cortes)
    assert elementos == salen
    assert rota is not None
    assert rota.endswith(frase)


def test_lo_que_anida_poco_no_gasta_signos_y_lo_que_anida_mucho_los_gasta() -> None:
    llana = b"[" + b'{"a":{"b":[1]}},' * 10 + b"1]"
    honda = b'[{"a":{"b":[{"c":[]}]}},1]'
    for signos, cuerpo, sale in ((1, llana, None), (6, honda, None), (5, honda, AnidaDeMas)):
        separador = DeUnaLista(10_000, signos)
        with nullcontext() if sale is None else pytest.raises(sale):
            list(separador.separar(cuerpo))


@pytest.mark.parametrize("cortes", [(1,), (7,), (10_000,)])
def test_los_blancos_de_dentro_cuentan(cortes: Sequence[int]) -> None:
    blancos = b" " * MAXIMO
    for elemento in (b"1" + blancos + b"2", b'{"a":' + blancos + b"1}", b'"' + blancos + b'"'):
        assert _de_la_lista(b"[" + elemento + b",3]", cortes) == ([None, b"3"], None)
        lineas = _trozos(elemento + b"\n3", cortes)
        assert _separados(PorLineas(MAXIMO), lineas) == ([None, b"3"], None)


def test_una_lista_vacia_no_tiene_elementos_y_una_coma_de_mas_es_un_elemento_vacio() -> None:
    assert _de_la_lista(b" [ ] ") == ([], None)
    assert _de_la_lista(b"[1,]") == ([b"1", b""], None)


@pytest.mark.parametrize("relleno", [b"x", b" "])
@pytest.mark.parametrize(
    ("separador", "principio"),
    [
        (DeUnaLista, b'["'),
        (DeUnaLista, b"[" + b" "),
        (DeUnaLista, b"[1"),
        (PorLineas, b""),
        (PorLineas, b"1"),
    ],
)
def test_un_elemento_que_no_acaba_no_ocupa_mas_de_lo_que_cabe(
    separador: Callable[[int], Separador], principio: bytes, relleno: bytes
) -> None:
    bajo_prueba = separador(1_000)
    list(bajo_prueba.separar(principio))
    tracemalloc.start()
    try:
        for _ in range(1_000):
            list(bajo_prueba.separar(relleno * 10_000))
        _, pico = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert pico < 100_000


@pytest.mark.parametrize(
    ("separador", "principio", "muchos"),
    [
        (PorLineas, b"", b"\n"),
        (PorLineas, b"{}\n", b" \r\n"),
        (DeUnaLista, b'[{"a":{"b":[', b'"",'),
        (DeUnaLista, b'[{"a":{"b":[', b'"" , '),
        (DeUnaLista, b'[{"a":{"b":[', b"0,"),
        (DeUnaLista, b'[{"a":{"b":[', b'[],{"c":[]},'),
    ],
)
def test_lo_que_se_repite_miles_de_veces_no_se_mira_vez_a_vez(
    separador: Callable[[int], Separador], principio: bytes, muchos: bytes
) -> None:
    bajo_prueba = separador(1_000)
    llamadas = 0

    def contar(*_: object) -> None:
        nonlocal llamadas
        llamadas += 1

    sys.setprofile(contar)
    try:
        for trozo in (principio, *[muchos * 1_000] * 5):
            list(bajo_prueba.separar(trozo))
    finally:
        sys.setprofile(None)
    assert llamadas < 1_000
