"""Lo ajeno se enseña escapado, y lo que no se ve, a la vista."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from alpespartners.panel.formato import NADA
from alpespartners.panel.visibles import valor_visible, visible


@pytest.mark.parametrize(
    ("texto", "escrito"),
    [
        ("cmp-456", "cmp-456"),
        ("<b>&\"'", "&lt;b&gt;&amp;&#34;&#39;"),
        ("سلام", "سلام"),
        ("👨\u200d👩", "👨\u200d👩"),
        ("a b", "a b"),
    ],
)
def test_lo_que_se_ve_queda_escapado_y_aislado(texto: str, escrito: str) -> None:
    assert visible(texto) == f"<bdi>{escrito}</bdi>"


@pytest.mark.parametrize(
    ("texto", "marca"),
    [
        ("a\u200b", "U+200B ZERO WIDTH SPACE"),
        ("a\u202eb", "U+202E RIGHT-TO-LEFT OVERRIDE"),
        ("a\u200d", "U+200D ZERO WIDTH JOINER"),
        ("a\x00b", "U+0000"),
        ("a\nb", "U+000A"),
        ("a\u00a0b", "U+00A0 NO-BREAK SPACE"),
        ("a\U000e0041b", "U+E0041 TAG LATIN CAPITAL LETTER A"),
    ],
)
def test_lo_que_no_se_ve_se_escribe_con_su_numero(texto: str, marca: str) -> None:
    numero = marca.partition(" ")[0]
    assert f'<abbr class="invisible" title="{marca}">{numero}</abbr>' in visible(texto)
    assert texto.strip("ab") not in visible(texto)


def test_los_espacios_de_los_extremos_se_ven_uno_a_uno() -> None:
    assert visible("  a b ").count('title="U+0020 SPACE"') == 3


def test_un_valor_se_enseña_con_todas_sus_cifras_y_lo_que_falta_no_es_un_cero() -> None:
    cuando = datetime(2026, 1, 15, 10, 30, 0, 120_000, tzinfo=UTC)
    assert [valor_visible(valor) for valor in (None, Decimal("150000.00"), cuando, "<i>")] == [
        NADA,
        "<bdi>150000.00</bdi>",
        "2026-01-15T10:30:00.120000Z",
        "<bdi>&lt;i&gt;</bdi>",
    ]
