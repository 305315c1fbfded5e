"""La forma NFC de un texto ajeno: la de siempre, salvo para quien apila marcas sin cuento."""

import unicodedata
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpespartners.modulos.tracking.dominio import normalizacion
from alpespartners.modulos.tracking.dominio.normalizacion import MARCAS_SEGUIDAS, en_nfc

_MARCAS = ["\u0301", "\u0316", "\u0344", "\u0f73", "\u0345"]
_TROZOS = st.lists(
    st.tuples(st.sampled_from([*_MARCAS, "n", "á", "\u1f82", "\U0001d160", " "]), st.integers(1, 4))
).map(lambda trozos: "".join(caracter * veces for caracter, veces in trozos))


@given(st.text() | _TROZOS)
def test_es_la_forma_nfc(texto: str) -> None:
    assert en_nfc(texto) == unicodedata.normalize("NFC", texto)


def test_las_marcas_que_admite_se_guardan_y_una_mas_las_vuelve_ilegibles() -> None:
    admitido = "x" + "\u0302\u0316" * (MARCAS_SEGUIDAS // 2)
    assert en_nfc(admitido) == unicodedata.normalize("NFC", admitido)
    assert en_nfc("ño" + admitido + "\u0316") == "ñox" + "\ufffd" * (MARCAS_SEGUIDAS + 1)


@pytest.mark.parametrize("marca", _MARCAS)
def test_ninguna_marca_escapa_a_la_cuenta(marca: str) -> None:
    assert en_nfc("x" + marca * (MARCAS_SEGUIDAS + 1)) == "x" + "\ufffd" * (MARCAS_SEGUIDAS + 1)


@given(_TROZOS)
def test_normalizar_dos_veces_es_como_una(texto: str) -> None:
    with (
        patch.object(normalizacion, "MARCAS_SEGUIDAS", 4),
        patch.object(normalizacion, "_LONGITUD_INOFENSIVA", 1),
    ):
        una = en_nfc(texto)
        assert en_nfc(una) == una
