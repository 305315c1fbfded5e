"""El destino de un enlace: cuál vale, y cómo se le añade algo sin cambiar lo demás."""

from typing import Final
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpespartners.modulos.enlaces.dominio.destino import (
    anfitrion_de,
    con_parametros,
    destino_legible,
    lleva_parametro,
)
from alpespartners.modulos.enlaces.dominio.faltas import CodigoDeEnlace as Codigo
from alpespartners.modulos.enlaces.dominio.faltas import NoVale

_TROZO: Final = st.text(
    st.sampled_from("abZ09-._~%/:?#[]@!$&'()*+,;=ñé€{}|\\^`\"<>"),
    max_size=40,
)
destinos = st.builds(
    lambda camino, consulta, fragmento: f"https://tienda.com/{camino}{consulta}{fragmento}",
    _TROZO,
    st.one_of(st.just(""), _TROZO.map("?{}".format)),
    st.one_of(st.just(""), _TROZO.map("#{}".format)),
).map(destino_legible)
nombres = st.from_regex(r"\A[a-z][a-z0-9_]{0,31}\Z")


@pytest.mark.parametrize(
    ("escrito", "leido"),
    [
        ("https://tienda.com", "https://tienda.com"),
        ("HTTP://Tienda.COM:80/A?b=C#D", "http://tienda.com:80/A?b=C#D"),
        ("https://tienda.com:", "https://tienda.com"),
        ("https://tienda.com:0443/", "https://tienda.com:443/"),
        ("https://ñandú.co/camión?año=1#así", "https://xn--and-6ma2c.co/cami%C3%B3n?a%C3%B1o=1#as%C3%AD"),
        ("https://127.0.0.1:8000/a", "https://127.0.0.1:8000/a"),
        ("https://[2001:DB8::1]:8443/a", "https://[2001:db8::1]:8443/a"),
        ("https://tienda.com/%zz%2F%?a=%", "https://tienda.com/%zz%2F%?a=%"),
        ("https://tienda.com?a=b", "https://tienda.com?a=b"),
        ("https://tienda.com/\\mal.com", "https://tienda.com/%5Cmal.com"),
    ],
)
def test_un_destino_se_escribe_en_ascii_y_lo_demas_no_cambia(escrito: str, leido: str) -> None:
    assert destino_legible(escrito) == leido
    assert destino_legible(leido) == leido


@pytest.mark.parametrize(
    ("escrito", "codigo"),
    [
        ("", Codigo.REQUERIDO),
        ("tienda.com", Codigo.VALOR_NO_PERMITIDO),
        ("//tienda.com", Codigo.VALOR_NO_PERMITIDO),
        ("/tienda", Codigo.VALOR_NO_PERMITIDO),
        ("javascript:alert(1)", Codigo.VALOR_NO_PERMITIDO),
        ("ftp://tienda.com", Codigo.VALOR_NO_PERMITIDO),
        ("https:/tienda.com", Codigo.VALOR_NO_PERMITIDO),
        ("https://ana:clave@tienda.com", Codigo.VALOR_NO_PERMITIDO),
        ("https://tienda.com@mal.com", Codigo.VALOR_NO_PERMITIDO),
        ("https://tienda.com/a\r\nSet-Cookie: a=b", Codigo.CARACTER_DE_CONTROL),
        ("https://tien\tda.com", Codigo.CARACTER_DE_CONTROL),
        ("https://tienda.com/\x85", Codigo.CARACTER_DE_CONTROL),
        ("https://tienda.com/\ud800", Codigo.SUSTITUTO_SUELTO),
        ("https://tienda.com/a b", Codigo.VALOR_ILEGIBLE),
        (" https://tienda.com", Codigo.VALOR_NO_PERMITIDO),
        ("https://", Codigo.VALOR_ILEGIBLE),
        ("https:///a", Codigo.VALOR_ILEGIBLE),
        ("https://tienda.com\\.mal.com/", Codigo.VALOR_ILEGIBLE),
        ("https://tienda..com", Codigo.VALOR_ILEGIBLE),
        ("https://tienda.com:0", Codigo.VALOR_ILEGIBLE),
        ("https://tienda.com:65536", Codigo.VALOR_ILEGIBLE),
        ("https://tienda.com:80:80", Codigo.VALOR_ILEGIBLE),
        ("https://tienda%2ecom", Codigo.VALOR_ILEGIBLE),
        ("https://2130706433/", Codigo.VALOR_ILEGIBLE),
        ("https://0x7f.1/", Codigo.VALOR_ILEGIBLE),
        ("https://127.0.0.1.5/", Codigo.VALOR_ILEGIBLE),
        ("https://[fe80::1%eth0]/", Codigo.VALOR_ILEGIBLE),
        ("https://[tienda]/", Codigo.VALOR_ILEGIBLE),
        ("https://straße.de", Codigo.VALOR_ILEGIBLE),
        ("https://tienda\uff0fmal.com", Codigo.VALOR_ILEGIBLE),
        (f"https://{'a' * 64}.com", Codigo.VALOR_ILEGIBLE),
        (f"https://tienda.com/{'a' * 2030}", Codigo.LONGITUD_EXCEDIDA),
        (f"https://tienda.com/{'ñ' * 500}", Codigo.LONGITUD_EXCEDIDA),
    ],
)
def test_lo_que_no_es_un_destino_dice_por_que_y_no_lo_repite(escrito: str, codigo: Codigo) -> None:
    with pytest.raises(NoVale) as invalido:
        destino_legible(escrito)
    assert invalido.value.codigo is codigo
    assert len(escrito) < 2 or escrito not in invalido.value.frase


def test_un_punto_de_otra_escritura_separa_como_en_un_navegador() -> None:
    assert destino_legible("https://ñ\u3002com/") == "https://xn--ida.com/"


@pytest.mark.parametrize(
    ("destino", "anfitrion"),
    [
        ("https://tienda.com", "tienda.com"),
        ("https://tienda.com:8443?a=b:1", "tienda.com"),
        ("https://[::1]:80/", "[::1]"),
        ("https://[::1]#a", "[::1]"),
        ("https://tienda.com#@mal.com", "tienda.com"),
    ],
)
def test_el_anfitrion_es_el_que_lee_un_navegador(destino: str, anfitrion: str) -> None:
    assert anfitrion_de(destino_legible(destino)) == anfitrion


@pytest.mark.parametrize(
    ("destino", "esperado"),
    [
        ("https://t.co", "https://t.co?c=1"),
        ("https://t.co/a?", "https://t.co/a?c=1"),
        ("https://t.co/a?b", "https://t.co/a?b&c=1"),
        ("https://t.co/a?b=2&", "https://t.co/a?b=2&c=1"),
        ("https://t.co/a#f?c=3", "https://t.co/a?c=1#f?c=3"),
        ("https://t.co/a?b=2#", "https://t.co/a?b=2&c=1#"),
        ("https://t.co/a?c=7", "https://t.co/a?c=7"),
    ],
)
def test_lo_que_se_añade_va_al_final_de_la_consulta_y_antes_del_fragmento(
    destino: str, esperado: str
) -> None:
    assert con_parametros(destino, {"c": "1"}) == esperado


@given(destinos, st.dictionaries(nombres, st.text(max_size=20), max_size=4))
def test_añadir_no_cambia_nada_de_lo_que_habia_y_llega_tal_cual(
    destino: str, parametros: dict[str, str]
) -> None:
    nuevos = {clave: valor for clave, valor in parametros.items() if not lleva_parametro(destino, clave)}
    antes, despues = urlsplit(destino), urlsplit(con_parametros(destino, parametros))
    assert (despues.scheme, despues.netloc, despues.path) == (antes.scheme, antes.netloc, antes.path)
    assert despues.fragment == antes.fragment
    assert despues.query.startswith(antes.query)
    añadido = despues.query.removeprefix(antes.query).removeprefix("&")
    assert dict(parse_qsl(añadido, keep_blank_values=True)) == nuevos
    assert despues.geturl().isascii()


@given(destinos, nombres, st.text(max_size=20), st.text(max_size=20))
def test_ningun_parametro_se_repite_aunque_se_añada_dos_veces(
    destino: str, nombre: str, uno: str, otro: str
) -> None:
    con_uno = con_parametros(destino, {nombre: uno})
    assert lleva_parametro(con_uno, nombre)
    assert con_parametros(con_uno, {nombre: otro}) == con_uno


@pytest.mark.parametrize(
    "consulta", ["alp_clic=x", "a=1&alp%5Fclic=x", "a=1;alp_clic", "%61lp_clic=", "alp_clic"]
)
def test_el_parametro_se_halla_aunque_su_nombre_este_codificado(consulta: str) -> None:
    assert lleva_parametro(f"https://t.co/?{consulta}#a", "alp_clic")
    assert not lleva_parametro(f"https://t.co/#?{consulta}", "alp_clic")
