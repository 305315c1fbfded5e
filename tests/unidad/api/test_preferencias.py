"""Las preferencias `wait` y `handling`: lo que RFC 7240 admite, y que nada de lo demás molesta."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpespartners.api.http.preferencias import preferencias


@pytest.mark.parametrize(
    ("cabeceras", "segundos"),
    [
        (["wait=5"], 5),
        (["WAIT=5"], 5),
        (["Wait \t=\t 5"], 5),
        (['wait="5"'], 5),
        (['wait="\\5"'], 5),
        (["wait=007"], 7),
        (["wait=0"], 0),
        (["wait=10"], 10),
        (["wait=11"], 10),
        (["wait=" + "9" * 60_000], 10),
        (["respond-async, wait=4"], 4),
        (["respond-async", "wait=4"], 4),
        (['wait=4;por=favor ; otra; vez="a;b"'], 4),
        (["wait=4;"], 4),
        ([",, wait=4 ,"], 4),
        (['otra="a, wait=9", wait=4'], 4),
        (['otra="a\\", wait=9", wait=4'], 4),
        (["otra;wait=9, wait=4"], 4),
        (["@, wait=4"], 4),
        (["wait=4, wait=9"], 4),
        (["wait=4", "wait=9"], 4),
    ],
)
def test_se_reconoce_la_primera_preferencia_wait(cabeceras: list[str], segundos: int) -> None:
    assert preferencias(cabeceras).espera == segundos


@pytest.mark.parametrize(
    "cabeceras",
    [
        [],
        [""],
        ["wait"],
        ["wait="],
        ['wait=""'],
        ["wait=-1"],
        ["wait=+1"],
        ["wait=1.5"],
        ["wait=1s"],
        ["wait=1 2"],
        ["wait=٣"],
        ["wait=²"],
        ["wait:5"],
        ["wait5=3"],
        ['wait="5'],
        ['otra="a, wait=5'],
        ["otra;wait=5"],
        ["wait=pronto, wait=5"],
    ],
)
def test_lo_que_no_es_un_numero_de_segundos_se_ignora(cabeceras: list[str]) -> None:
    assert preferencias(cabeceras).espera is None


@pytest.mark.timeout(20)
@pytest.mark.parametrize("trozo", ['"', "\\", '"\\', "a;", "a=b;", " ", "\t", ";", ",", "; ", '="'])
@pytest.mark.parametrize("final", ["", "@", '"'])
def test_una_cabecera_hostil_no_tarda(trozo: str, final: str) -> None:
    assert preferencias([f"a{trozo * 30_000}{final}"]) == (None, False)


@given(st.lists(st.text(st.characters(codec="latin-1")), max_size=3))
def test_cualquier_texto_da_un_plazo_admisible_o_ninguno(cabeceras: list[str]) -> None:
    segundos = preferencias(cabeceras).espera
    assert segundos is None or 0 <= segundos <= 10


@pytest.mark.parametrize(
    "cabeceras",
    [
        ["handling=strict"],
        ["Handling = STRICT"],
        ['handling="strict"; por=favor'],
        ["wait=5, handling=strict"],
        ["wait=5", "handling=strict"],
        ["handling=strict, handling=lenient"],
    ],
)
def test_se_reconoce_la_primera_preferencia_handling(cabeceras: list[str]) -> None:
    assert preferencias(cabeceras).rigor


@pytest.mark.parametrize(
    "cabeceras",
    [[], ["handling"], ["handling=lenient"], ["handling=strict1"], ["handling=lenient, handling=strict"]],
)
def test_sin_handling_strict_no_hay_rigor(cabeceras: list[str]) -> None:
    assert not preferencias(cabeceras).rigor


@pytest.mark.parametrize(
    ("cabecera", "espera", "aplicadas"),
    [
        ("wait=11, handling=strict", True, "wait=10, handling=strict"),
        ("wait=11, handling=strict", False, "handling=strict"),
        ("wait=0", True, "wait=0"),
    ],
)
def test_se_dice_lo_que_se_concedio(cabecera: str, espera: bool, aplicadas: str) -> None:  # noqa: FBT001 (lo da parametrize)
    assert preferencias([cabecera]).aplicadas(espera=espera) == {"Preference-Applied": aplicadas}


def test_si_no_se_concedio_nada_no_hay_cabecera() -> None:
    assert preferencias(["wait=5"]).aplicadas(espera=False) == {}
