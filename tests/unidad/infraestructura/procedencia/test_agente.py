"""Qué navegador, qué sistema, qué dispositivo y qué aplicación dice un agente de usuario de verdad."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ua_parser.loaders import load_lazy_builtins

from alpespartners.modulos.tracking.infraestructura.procedencia.agente import CARAS, Agente, LectorDeAgentes

LECTOR = LectorDeAgentes()
ANDROID = (
    "Mozilla/5.0 (Linux; Android 13; SM-A536B Build/TP1A.220624.014; wv) AppleWebKit/537.36 "
    "(KHTML, like Gecko)"
)
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"

CASOS = [
    (
        (
            f"{ANDROID} Version/4.0 Chrome/119.0.6045.193 Mobile Safari/537.36 Instagram "
            "309.1.0.41.113 Android "
            "(33/13; 450dpi; 1080x2194; samsung; SM-A536B; a53x; s5e8825; es_CO; 541635890)"
        ),
        Agente("Instagram", "Android", "movil", "Instagram"),
    ),
    (
        (
            f"{IPHONE} Mobile/15E148 Instagram 309.0.2.23.110 (iPhone14,5; iOS 17_1_2; es_CO; es; "
            "scale=3.00; "
            "1170x2532; 540363640)"
        ),
        Agente("Instagram", "iOS", "movil", "Instagram"),
    ),
    (
        (
            f"{IPHONE} Mobile/15E148 [FBAN/FBIOS;FBAV/442.0.0.31.111;FBBV/542135218;FBDV/iPhone14,5;"
            "FBMD/iPhone;"
            "FBSN/iOS;FBSV/17.1.2;FBSS/3;FBID/phone;FBLC/es_LA;FBOP/5]"
        ),
        Agente("Facebook", "iOS", "movil", "Facebook"),
    ),
    (
        (
            f"{ANDROID} Version/4.0 Chrome/119.0.6045.193 Mobile Safari/537.36 "
            "[FB_IAB/FB4A;FBAV/441.1.0.39.109;IABMV/1;]"
        ),
        Agente("Facebook", "Android", "movil", "Facebook"),
    ),
    (
        (
            f"{IPHONE} Mobile/15E148 musical_ly_31.5.0 JsSdk/2.0 NetType/WIFI Channel/App Store "
            "ByteLocale/es "
            "Region/CO BytedanceWebview/d8a21c6"
        ),
        Agente("TikTok", "iOS", "movil", "TikTok"),
    ),
    (
        (
            f"{ANDROID} Version/4.0 Chrome/119.0.6045.193 Mobile Safari/537.36 trill_2023105030 JsSdk/1.0 "
            "NetType/WIFI AppName/musical_ly ByteLocale/es BytedanceWebview/d8a21c6"
        ),
        Agente("TikTok", "Android", "movil", "TikTok"),
    ),
    (
        f"{IPHONE} Version/17.1 Mobile/15E148 Safari/604.1",
        Agente("Mobile Safari", "iOS", "movil", None),
    ),
    (
        (
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/120.0.0.0 Mobile "
            "Safari/537.36"
        ),
        Agente("Chrome Mobile", "Android", "movil", None),
    ),
    (
        (
            "Mozilla/5.0 (iPad; CPU OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Version/17.1 "
            "Mobile/15E148 Safari/604.1"
        ),
        Agente("Mobile Safari", "iOS", "tableta", None),
    ),
    (
        (
            "Mozilla/5.0 (Linux; Android 12; SAMSUNG SM-T505) AppleWebKit/537.36 (KHTML, like Gecko) "
            "SamsungBrowser/23.0 Chrome/115.0.0.0 Safari/537.36"
        ),
        Agente("Samsung Internet", "Android", "tableta", None),
    ),
    (
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/120.0.0.0 "
            "Safari/537.36"
        ),
        Agente("Chrome", "Windows", "escritorio", None),
    ),
    (
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Version/17.1 Safari/605.1.15"
        ),
        Agente("Safari", "Mac OS X", "escritorio", None),
    ),
    (
        "Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/119.0",
        Agente("Firefox", "Linux", "escritorio", None),
    ),
    (
        (
            "Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) AppleWebKit/537.36 (KHTML, like Gecko) "
            "SamsungBrowser/4.0 "
            "Chrome/76.0 TV Safari/537.36"
        ),
        Agente("Samsung Internet", "Tizen", "tv", None),
    ),
    (
        (
            "com.zhiliaoapp.musically/2023105030 (Linux; U; Android 13; es_CO; SM-A536B; "
            "Build/TP1A.220624.014; Cronet/TTNetVersion:0d9ad3e4 2023-04-27)"
        ),
        Agente("Android", "Android", "movil", "TikTok"),
    ),
    ("Mozilla/5.0...", Agente(None, None, "otro", None)),
]


@pytest.mark.parametrize(("texto", "dice"), CASOS)
def test_un_agente_de_verdad_dice_lo_que_es(texto: str, dice: Agente) -> None:
    assert LECTOR.leer(texto) == dice


@given(st.text(max_size=1_024))
def test_de_cualquier_texto_se_lee_algo_corto_y_que_se_puede_escribir(texto: str) -> None:
    leido = LECTOR.leer(texto)
    for nombre in (leido.navegador, leido.sistema):
        assert nombre is None or (0 < len(nombre) <= 64 and nombre.isprintable())


def test_un_nombre_copiado_del_agente_no_trae_controles() -> None:
    assert LECTOR.leer("Mi\x1bApp/1.0 CFNetwork/1410.0.3 Darwin/22.6.0").navegador != "Mi\x1bApp"


@pytest.mark.parametrize("texto", ["a b c NuncaVisto Bot/1.0", "CrawlFire/1.0"])
def test_un_robot_que_solo_hallan_las_reglas_caras_no_da_navegador(texto: str) -> None:
    assert LECTOR.leer(texto).navegador is None


def test_las_reglas_que_se_dejan_son_las_que_se_midieron() -> None:
    # Si una versión las escribe de otra manera hay que volver a medir lo que cuesta un agente hostil.
    navegadores, _, _ = load_lazy_builtins()
    assert sum(regla.regex.startswith(CARAS) for regla in navegadores) == 4
