"""Lo que solo describe: se salva lo que se puede, se descarta lo demás y nada se rechaza."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpespartners.modulos.tracking.dominio.excepciones import Recolector
from alpespartners.modulos.tracking.dominio.objetos_valor import Metadatos


def limpiar(
    agente: str | None = None, direccion: str | None = None, procedencia: str | None = None
) -> tuple[Metadatos, list[str]]:
    recolector = Recolector()
    limpios = Metadatos.limpiar(agente, direccion, procedencia, recolector)
    assert recolector.fallos == []
    return limpios, recolector.avisos


def ip(texto: str) -> tuple[str | None, list[str]]:
    limpios, avisos = limpiar(direccion=texto)
    return limpios.ip_address, avisos


def referrer(texto: str) -> tuple[str | None, list[str]]:
    limpios, avisos = limpiar(procedencia=texto)
    return limpios.referrer, avisos


def test_los_metadatos_sanos_pasan_sin_cambios_ni_avisos() -> None:
    limpios = limpiar("Mozilla/5.0...", "192.168.1.1", "https://instagram.com")
    assert limpios == (Metadatos("Mozilla/5.0...", "192.168.1.1", "https://instagram.com"), [])


def test_un_user_agent_largo_se_recorta_con_aviso() -> None:
    limpios, avisos = limpiar("x" * 1025, None, None)
    assert (limpios.user_agent, avisos) == ("x" * 1024, ["user_agent_recortado"])


@pytest.mark.parametrize(
    ("texto", "limpio"),
    [("a\x00\x1b[31m", "a\ufffd\ufffd[31m"), ("x \ud83d", "x \ufffd"), ("\x85", "\ufffd")],
)
def test_lo_que_no_es_texto_en_un_user_agent_se_reemplaza_con_aviso(texto: str, limpio: str) -> None:
    limpios, avisos = limpiar(texto)
    assert (limpios.user_agent, avisos) == (limpio, ["user_agent_reparado"])


def test_un_user_agent_con_lo_que_si_es_texto_pasa_tal_cual() -> None:
    assert limpiar("tienda móvil 🛒\u200b") == (Metadatos("tienda móvil 🛒\u200b"), [])


@pytest.mark.parametrize(
    ("texto", "canonica"),
    [
        ("192.168.1.1", "192.168.1.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("::1", "::1"),
    ],
)
def test_una_direccion_queda_en_su_forma_canonica(texto: str, canonica: str) -> None:
    assert ip(texto) == (canonica, [])


@pytest.mark.parametrize(
    ("texto", "salvada"),
    [
        ("203.0.113.7:51234", "203.0.113.7"),
        ("203.0.113.7:", "203.0.113.7"),
        (" 203.0.113.7\n", "203.0.113.7"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:DB8::1]:443", "2001:db8::1"),
        ("[::ffff:10.0.0.1]:80", "10.0.0.1"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%25eth0]:80", "fe80::1"),
        ("203.0.113.7, 10.0.0.1, 10.0.0.2", "203.0.113.7"),
        ("2001:db8::1,10.0.0.1", "2001:db8::1"),
        ("203.0.113.7:51234, 10.0.0.1", "203.0.113.7"),
    ],
)
def test_una_direccion_con_algo_alrededor_se_salva_con_aviso(texto: str, salvada: str) -> None:
    assert ip(texto) == (salvada, ["ip_reparada"])


@given(st.ip_addresses(), st.integers(0, 65535))
def test_cualquier_direccion_con_puerto_zona_o_vecinas_es_esa_direccion(
    direccion: ipaddress.IPv4Address | ipaddress.IPv6Address, puerto: int
) -> None:
    sola, _ = ip(str(direccion))
    entre_corchetes = f"[{direccion}]:{puerto}"
    con_puerto = f"{direccion}:{puerto}" if direccion.version == 4 else entre_corchetes
    for escrita in (f" {direccion}", f"{direccion}, 10.0.0.1", f"{direccion}%1", entre_corchetes, con_puerto):
        assert ip(escrita) == (sola, ["ip_reparada"])


@pytest.mark.parametrize(
    "texto",
    [
        "999.1.1.1",
        "localhost",
        "10.0.0.1/24",
        "010.0.0.1",
        "1",
        ",",
        "unknown, 10.0.0.1",
        "[10.0.0.1",
        "10.0.0.1:x",
        "\ud800",
        "1\x00",
        "\u0661.1.1.1",
    ],
)
def test_una_direccion_ilegible_se_descarta_con_aviso(texto: str) -> None:
    assert ip(texto) == (None, ["ip_ilegible"])


@given(st.lists(st.from_regex(r"[0-9]{1,4}|[a-f ]", fullmatch=True), min_size=3, max_size=5).map(".".join))
def test_una_direccion_escrita_con_puntos_vale_si_y_solo_si_lo_dice_la_biblioteca(texto: str) -> None:
    try:
        canonica: str | None = str(ipaddress.ip_address(texto.strip()))
    except ValueError:
        canonica = None
    assert ip(texto)[0] == canonica


@pytest.mark.parametrize(
    "texto",
    [
        "http://a.co/x?y#z",
        "HTTPS://A.co",
        "android-app://com.x/",
        "ios-app://1/x",
        "https://medium.com/@ana?de=a@b.co",
        "https://ñandú.example/ñ?q=á",
        "https://a.co/" + "x" * 2035,
    ],
)
def test_una_procedencia_de_web_o_aplicacion_vale_octeto_por_octeto(texto: str) -> None:
    assert referrer(texto) == (texto, [])


@pytest.mark.parametrize(
    ("texto", "salvada"),
    [
        ("instagram.com", "https://instagram.com"),
        ("www.instagram.com:8080/p/1?q=a b", "https://www.instagram.com:8080/p/1?q=a%20b"),
        ("instagram.com?q=1", "https://instagram.com?q=1"),
        ("ñandú.example/x", "https://ñandú.example/x"),
        ("//l.instagram.com/x", "https://l.instagram.com/x"),
        ("https://user:clave@shop.example/x", "https://shop.example/x"),
        ("https://user@otro@shop.example", "https://shop.example"),
        ("HTTP://user:@shop.example:80?a#b", "HTTP://shop.example:80?a#b"),
        (" https://a.co/x\n", "https://a.co/x"),
        ("https://a.co/x y\u2028z", "https://a.co/x%20y%E2%80%A8z"),
        ("https://a.co/x\\y", "https://a.co/x%5Cy"),
        ("https://a.co/\x00\ud83d", "https://a.co/\ufffd\ufffd"),
        ("https://a.co/x?" + "q" * 3000, "https://a.co/x"),
        ("https://a.co/" + "x" * 3000 + "?q", "https://a.co"),
        ("https://u:c@a.co/x y?" + "q" * 3000, "https://a.co/x%20y"),
        ("https://a.co/" + " " * 1000 + "x", "https://a.co"),
    ],
)
def test_una_procedencia_que_se_puede_salvar_se_salva_con_aviso(texto: str, salvada: str) -> None:
    assert referrer(texto) == (salvada, ["referrer_reparado"])


@pytest.mark.parametrize(
    "texto",
    [
        "instagram",
        "javascript:alert(1)",
        "about:blank",
        "data:text/html,x",
        "ana@correo.example",
        "v1.2",
        "no es una URL.com",
        "https://",
        "http://[::1",
        "https://a b",
        "https://a\u2028b",
        "https://a\\b",
        "https://u:c@:/",
        "https://user:cla/ve@shop.example/x",
        "https://user:cla?ve@shop.example/x",
        "https://user:cla#ve@shop.example/x",
        "https://shop.example:99999/x",
        "ftp://a.co/x",
        "https://" + "a" * 2048,
        "\ud800",
        " ",
    ],
)
def test_una_procedencia_ilegible_se_descarta_con_aviso(texto: str) -> None:
    assert referrer(texto) == (None, ["referrer_ilegible"])


_TROZOS = st.lists(
    st.sampled_from(
        [
            "https",
            "://",
            "//",
            "user:clave@",
            "a.co",
            "[::1]",
            "/",
            "?",
            "#",
            "@",
            ":80",
            " ",
            "\n",
            "\\",
            "%",
        ]
    )
    | st.text(max_size=5),
    max_size=12,
).map("".join)


@given(_TROZOS, st.integers(0, 2100))
def test_ninguna_procedencia_guarda_credenciales_ni_pasa_de_su_longitud(texto: str, relleno: int) -> None:
    guardada, _ = referrer(texto + "x" * relleno)
    if guardada is not None:
        autoridad = guardada.partition("://")[2].partition("/")[0].partition("?")[0].partition("#")[0]
        assert "@" not in autoridad
        assert len(guardada) <= 2048
        assert referrer(guardada) == (guardada, [])


@given(*[st.none() | st.text(max_size=1100)] * 3)
def test_limpiar_metadatos_dos_veces_es_como_una_y_nunca_los_rechaza(
    agente: str | None, direccion: str | None, procedencia: str | None
) -> None:
    limpios, _ = limpiar(agente, direccion, procedencia)
    assert limpiar(limpios.user_agent, limpios.ip_address, limpios.referrer) == (limpios, [])


def test_lo_que_seguia_a_un_blanco_codificado_no_cambia_al_repasarlo() -> None:
    guardada, _ = referrer("https://a.co/\n\u0301")
    assert guardada == "https://a.co/%0\u00c1"
    assert referrer(guardada) == (guardada, [])
