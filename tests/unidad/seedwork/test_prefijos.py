"""El tramo de los textos que empiezan por otro."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpespartners.seedwork.prefijos import fin_del_prefijo

# Pocos caracteres y los de los bordes: que unos empiecen por otros.
_textos = st.text(st.sampled_from("a_%ñ\ud7ff\ue000\U0010fffe\U0010ffff"), max_size=4)


@given(prefijo=_textos, texto=_textos)
def test_un_texto_esta_en_el_tramo_si_y_solo_si_empieza_asi(prefijo: str, texto: str) -> None:
    fin = fin_del_prefijo(prefijo)
    assert (prefijo <= texto and (fin is None or texto < fin)) == texto.startswith(prefijo)


@pytest.mark.parametrize(
    ("prefijo", "fin"),
    [
        ("cmp-4", "cmp-5"),
        ("a\U0010ffff", "b"),
        ("\ud7ff", "\ue000"),
        ("", None),
        ("\U0010ffff\U0010ffff", None),
    ],
)
def test_el_fin_es_el_menor_texto_que_va_detras(prefijo: str, fin: str | None) -> None:
    assert fin_del_prefijo(prefijo) == fin
