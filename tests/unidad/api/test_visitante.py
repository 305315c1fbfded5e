"""De quién viene una petición: nadie de fuera elige su dirección, y solo se guarda lo que se pidió."""

import hmac
from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from typing import Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.requests import Request

from alpespartners.api.http.visitante import (
    LETRAS_DE_UNA_CABECERA,
    LETRAS_DE_UNA_CADENA,
    SALTOS_MAXIMOS,
    Privacidad,
    Visitante,
    Visitantes,
)

PROXIES: Final = [ip_network("10.0.0.0/8"), ip_network("fd00::/16")]
PROXY: Final = "10.0.0.7"
VISITANTE: Final = "203.0.113.9"
XFF, FORWARDED = "x-forwarded-for", "forwarded"


def _visitante(
    desde: str | None,
    *cabeceras: tuple[str, str],
    proxies: Sequence[str] | None = None,
    privacidad: Privacidad = Privacidad.ENTERA,
    secreto: bytes = b"",
) -> Visitante:
    redes = PROXIES if proxies is None else [ip_network(red) for red in proxies]
    peticion = Request(
        {
            "type": "http",
            "client": None if desde is None else (desde, 50_000),
            "headers": [(nombre.encode(), valor.encode("utf-8")) for nombre, valor in cabeceras],
        }
    )
    return Visitantes(redes, privacidad, secreto).de(peticion)


@pytest.mark.parametrize(
    ("escrito", "direccion"),
    [
        (VISITANTE, VISITANTE),
        (f"{VISITANTE}:4711", VISITANTE),
        ("2001:db8::0:1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("::ffff:203.0.113.9", VISITANTE),
        (f"6.6.6.6, {VISITANTE}", VISITANTE),
        (f"6.6.6.6, {VISITANTE}, 10.1.1.1, 10.2.2.2", VISITANTE),
        (f"{VISITANTE}, 10.1.1.1,, ", VISITANTE),
        ("10.3.3.3, 10.1.1.1", "10.3.3.3"),
        ("unknown", None),
        ("6.6.6.6, unknown", None),
        ("6.6.6.6, _oculto, 10.1.1.1", None),
        ("6.6.6.6, fe80::1%eth0", None),
        (f"{VISITANTE}:nada", None),
        ("", PROXY),
        (" , ", PROXY),
    ],
)
def test_de_x_forwarded_for_vale_la_de_mas_a_la_derecha_que_no_es_de_un_proxy(
    escrito: str, direccion: str | None
) -> None:
    assert _visitante(PROXY, (XFF, escrito)).direccion == direccion


@pytest.mark.parametrize(
    ("escrito", "direccion"),
    [
        (f"for={VISITANTE}", VISITANTE),
        (f'For="{VISITANTE}:47011"', VISITANTE),
        ('for="[2001:db8:cafe::17]:4711"', "2001:db8:cafe::17"),
        (f"for={VISITANTE};proto=http;by=203.0.113.43", VISITANTE),
        (f"proto=http ; for={VISITANTE}", VISITANTE),
        (f'for=6.6.6.6, for={VISITANTE};host="tienda.example:443", for="[fd00::1]"', VISITANTE),
        ("for=unknown", None),
        ("for=_oculto", None),
        ('for=6.6.6.6, for="_oculto"', None),
        ("for=6.6.6.6, proto=https", None),
        ("for=6.6.6.6;for=7.7.7.7", None),
        ('for="6.6.6.6', None),
        (f'for={VISITANTE};host="a\\\\b"', None),
        ("6.6.6.6", None),
    ],
)
def test_de_forwarded_vale_la_de_mas_a_la_derecha_que_no_es_de_un_proxy(
    escrito: str, direccion: str | None
) -> None:
    assert _visitante(PROXY, (FORWARDED, escrito)).direccion == direccion


def test_las_lineas_de_una_cabecera_son_una_sola_lista() -> None:
    visto = _visitante(PROXY, (XFF, "6.6.6.6"), (XFF, VISITANTE), (XFF, "10.1.1.1"))
    assert visto.direccion == VISITANTE


def test_si_vienen_las_dos_vale_lo_que_dicen_igual_y_si_no_no_se_sabe() -> None:
    iguales = _visitante(PROXY, (XFF, VISITANTE), (FORWARDED, f"for={VISITANTE};proto=https"))
    distintas = _visitante(PROXY, (XFF, VISITANTE), (FORWARDED, "for=6.6.6.6"))
    assert (iguales.direccion, iguales.origen) == (VISITANTE, VISITANTE)
    assert (distintas.direccion, distintas.origen) == (None, PROXY)


_direcciones = st.one_of(
    st.ip_addresses().map(str), st.sampled_from(["10.0.0.7", "fd00::9", "::ffff:10.0.0.1"])
)
_de_fuera = st.ip_addresses().filter(
    lambda una: (
        not any(una.version == red.version and una in red for red in PROXIES)
        and getattr(una, "ipv4_mapped", None) is None
    )
)
_escrito = st.one_of(
    st.lists(_direcciones, max_size=5).map(", ".join),
    st.lists(_direcciones.map(lambda una: f'for="[{una}]";proto=https'), max_size=5).map(", ".join),
    st.text(st.characters(codec="ascii", exclude_characters="\r\n\0"), max_size=80),
    st.sampled_from(['for="', 'for="a\\', "for=6.6.6.6;host=", '"', "\\", ",,,,", "for=_x,"]),
)


@given(suya=_de_fuera, xff=_escrito, forwarded=_escrito)
def test_sin_un_proxy_de_confianza_delante_nada_de_lo_que_se_envia_cambia_la_direccion(
    suya: object, xff: str, forwarded: str
) -> None:
    visto = _visitante(str(suya), (XFF, xff), (FORWARDED, forwarded))
    assert (visto.direccion, visto.origen) == (str(suya), str(suya))
    sin_proxies = _visitante(PROXY, (XFF, xff), (FORWARDED, forwarded), proxies=[])
    assert sin_proxies.direccion == PROXY


@given(suya=_de_fuera, xff=_escrito, forwarded=_escrito, otra_linea=st.booleans(), dentro=st.booleans())
@example(suya=ip_address(VISITANTE), xff="", forwarded='for="', otra_linea=False, dentro=False)
@example(suya=ip_address(VISITANTE), xff="6.6.6.6", forwarded="for=6.6.6.6", otra_linea=True, dentro=True)
def test_con_un_proxy_que_escribe_x_forwarded_for_la_direccion_es_la_suya_o_no_se_sabe(
    suya: object, xff: str, forwarded: str, *, otra_linea: bool, dentro: bool
) -> None:
    añadido = f"{suya}, 10.1.1.1" if dentro else str(suya)
    escritas = [(XFF, xff), (XFF, añadido)] if otra_linea else [(XFF, f"{xff}, {añadido}")]
    visto = _visitante(PROXY, *escritas, (FORWARDED, forwarded))
    assert visto.direccion in {str(suya), None}
    assert visto.origen in {str(suya), PROXY}
    assert _visitante(PROXY, *escritas).direccion == str(suya)


@given(
    suya=_de_fuera,
    xff=_escrito,
    forwarded=_escrito,
    anfitrion=st.one_of(
        st.sampled_from(
            ["x, for=6.6.6.6", "x, for=6.6.6.6;a=", "x, for=6.6.6.6;a=b;c=", '", for=6.6.6.6;a="']
        ),
        st.text(st.sampled_from(list('for=6.;," \\x')), max_size=24),
    ),
    despues=st.booleans(),
)
def test_con_un_proxy_que_escribe_forwarded_ni_lo_que_repite_del_host_cambia_la_direccion(
    suya: object, xff: str, forwarded: str, anfitrion: str, *, despues: bool
) -> None:
    escapado = anfitrion.replace("\\", "\\\\").replace('"', '\\"')
    añadido = f'for="[{suya}]";host="{escapado}"' + (";proto=https" if despues else "")
    visto = _visitante(PROXY, (XFF, xff), (FORWARDED, f"{forwarded}, {añadido}"))
    assert visto.direccion in {str(suya), None}
    sencillo = _visitante(PROXY, (FORWARDED, f'{forwarded}, for="[{suya}]"'))
    assert sencillo.direccion == str(suya)


@pytest.mark.parametrize("saltos", [SALTOS_MAXIMOS, SALTOS_MAXIMOS + 1])
def test_mas_intermediarios_de_los_que_se_recorren_es_no_saber(saltos: int) -> None:
    escrito = ", ".join([VISITANTE, *["10.1.1.1"] * (saltos - 1)])
    esperado = VISITANTE if saltos == SALTOS_MAXIMOS else None
    assert _visitante(PROXY, (XFF, escrito)).direccion == esperado


def test_de_una_lista_sin_fin_se_lee_el_final_y_nada_se_corta_por_la_mitad() -> None:
    larga = "6.6.6.6, " * 10_000
    assert _visitante(PROXY, (XFF, f"{larga}{VISITANTE}")).direccion == VISITANTE
    relleno = "10.1.1.1" + " " * (LETRAS_DE_UNA_CADENA - len("10.1.1.1") - len("1.2.3.4,"))
    assert _visitante(PROXY, (XFF, f"11.2.3.4,{relleno}")).direccion is None


def test_por_un_socket_unix_vale_lo_que_dice_el_proxy_si_esta_maquina_es_de_confianza() -> None:
    assert _visitante(None, (XFF, VISITANTE), proxies=["127.0.0.0/8"]).direccion == VISITANTE
    assert _visitante(None, (XFF, VISITANTE)).direccion == "127.0.0.1"


def test_recortada_queda_la_red_y_se_limita_por_la_entera() -> None:
    cuatro = _visitante("198.51.100.77", privacidad=Privacidad.RECORTADA)
    seis = _visitante("2001:db8:1:2::3", privacidad=Privacidad.RECORTADA)
    assert (cuatro.direccion, cuatro.origen) == ("198.51.100.0", "198.51.100.77")
    assert (seis.direccion, seis.origen) == ("2001:db8:1::", "2001:db8:1:2::3")


def test_resumida_queda_un_hmac_que_distingue_y_no_la_direccion() -> None:
    def resumida(desde: str, secreto: bytes = b"clave") -> Visitante:
        return _visitante(desde, privacidad=Privacidad.RESUMIDA, secreto=secreto)

    una = resumida(VISITANTE)
    esperado = hmac.digest(b"clave", ip_address(VISITANTE).packed, "sha256")[:16].hex()
    assert (una.direccion, dict(una.extra)) == (None, {"direccion_resumida": esperado})
    assert resumida(f"::ffff:{VISITANTE}").extra == una.extra
    assert resumida("203.0.113.8").extra != una.extra
    assert resumida(VISITANTE, b"otra").extra != una.extra
    assert VISITANTE not in repr(una)


def test_resumir_sin_secreto_no_se_puede() -> None:
    with pytest.raises(ValueError, match="secreto"):
        Visitantes([], Privacidad.RESUMIDA)


@pytest.mark.parametrize("agente", ["Mozilla/5.0", "café ☕", "x" * LETRAS_DE_UNA_CABECERA])
def test_agente_y_procedencia_son_los_de_sus_cabeceras(agente: str) -> None:
    visto = _visitante(VISITANTE, ("user-agent", agente), ("referer", "https://a.example/?q=1"))
    assert (visto.agente, visto.procedencia) == (agente, "https://a.example/?q=1")


def test_lo_que_falta_o_va_vacio_no_se_sabe_y_lo_que_no_acaba_se_corta() -> None:
    visto = _visitante(VISITANTE, ("user-agent", ""), ("referer", "x" * 20_000))
    assert (visto.agente, visto.extra) == (None, {})
    assert visto.procedencia == "x" * LETRAS_DE_UNA_CABECERA


def test_un_agente_que_no_es_utf_8_se_lee_en_latin_1() -> None:
    peticion = Request(
        {"type": "http", "client": None, "headers": [(b"user-agent", "café".encode("latin-1"))]}
    )
    assert Visitantes([], Privacidad.ENTERA).de(peticion).agente == "café"
