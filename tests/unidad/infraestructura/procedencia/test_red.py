"""De qué red venía quien llegó, según su procedencia, la aplicación o el enlace."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpespartners.modulos.tracking.infraestructura.procedencia.red import anfitrion_de, red_de_anfitrion
from alpespartners.modulos.tracking.infraestructura.procedencia.utm import red_de_utm


@pytest.mark.parametrize(
    ("procedencia", "red"),
    [
        ("https://l.instagram.com/?u=https%3A%2F%2Ftienda.example", "instagram"),
        ("https://instagram.com", "instagram"),
        ("http://m.facebook.com/", "facebook"),
        ("https://lm.facebook.com/l.php?u=x", "facebook"),
        ("https://t.co/abc", "x"),
        ("https://www.tiktok.com/@ana", "tiktok"),
        ("https://out.reddit.com/", "reddit"),
        ("https://www.google.com/", "google"),
        ("https://www.google.com.co/search?q=tienda", "google"),
        ("https://news.google.es", "google"),
        ("https://mail.google.com/", "correo"),
        ("android-app://com.google.android.googlequicksearchbox/", "google"),
        ("android-app://com.google.android.gm/", "correo"),
        ("android-app://org.telegram.messenger", "telegram"),
        ("android-app://com.instagram.android/x", "instagram"),
        ("https://INSTAGRAM.com.:443/p/1", "instagram"),
        ("https://instagram.com.malo.example/", "otra"),
        ("https://noinstagram.com", "otra"),
        ("https://google.com.malo.example/", "otra"),
        ("https://instagram.com@malo.example/", "otra"),
        ("https://ana:clave@instagram.com/", "instagram"),
        ("https://malo.example#@instagram.com", "otra"),
        ("https://tienda.example/instagram.com", "otra"),
    ],
)
def test_la_red_de_una_procedencia_es_la_de_su_anfitrion(procedencia: str, red: str) -> None:
    assert red_de_anfitrion(anfitrion_de(procedencia)) == red


@given(st.text(max_size=2_048))
def test_de_cualquier_texto_sale_un_anfitrion_que_cabe_en_uno(texto: str) -> None:
    assert len(anfitrion_de(texto)) <= 253
    assert red_de_anfitrion(anfitrion_de(f"https://{texto}")) != ""


@pytest.mark.parametrize(
    ("propiedades", "red"),
    [
        ({"utm.source": "ig"}, "instagram"),
        ({"utm_source": " TikTok "}, "tiktok"),
        ({"utm_source": "newsletter"}, "correo"),
        ({"utm_source": "mi-blog"}, None),
        ({"otra": "instagram"}, None),
    ],
)
def test_el_enlace_dice_su_red_si_nombra_una_que_se_conoce(
    propiedades: dict[str, str], red: str | None
) -> None:
    assert red_de_utm(propiedades) == red
