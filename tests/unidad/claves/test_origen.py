"""Los orígenes en que vale la clave de una página: cuáles se registran y cuáles alcanza cada uno."""

import pytest

from alpespartners.modulos.claves.dominio.origen import admite, es_de_esta_maquina, leer_origen, origen_de


@pytest.mark.parametrize(
    ("escrito", "queda"),
    [
        (" HTTPS://Tienda.com ", "https://tienda.com"),
        ("https://tienda.com:443", "https://tienda.com"),
        ("http://tienda.com:80", "http://tienda.com"),
        ("https://tienda.com:8443", "https://tienda.com:8443"),
        ("https://*.tienda.com", "https://*.tienda.com"),
        ("http://localhost:5173", "http://localhost:5173"),
        ("http://[::1]:5173", "http://[::1]:5173"),
        ("https://xn--panadera-i2a.com", "https://xn--panadera-i2a.com"),
    ],
)
def test_un_origen_se_registra_en_minusculas_y_sin_el_puerto_de_su_esquema(escrito: str, queda: str) -> None:
    assert leer_origen(escrito) == queda


@pytest.mark.parametrize(
    "escrito",
    [
        *("", "*", "null", "tienda.com", "//tienda.com", "ftp://tienda.com", "https://", "https://*"),
        *("https://*.com", "https://*.*.com", "https://*.1.2.3", "https://*.[::1]", "https://t*.tienda.com"),
        *("https://tienda.com/", "https://tienda.com/a", "https://tienda.com?a", "https://ana@tienda.com"),
        *("https://tienda.com:0", "https://tienda.com:65536", "https://tienda.com:", "https://tienda..com"),
        *("https://panadería.com", "https://tienda.com\nx", "https://" + "a." * 124 + "com"),
    ],
)
def test_lo_que_no_es_un_origen_o_alcanzaria_a_cualquiera_no_se_registra(escrito: str) -> None:
    with pytest.raises(ValueError, match="no es el origen"):
        leer_origen(escrito)


@pytest.mark.parametrize(
    ("direccion", "origen"),
    [
        ("https://tienda.com", "https://tienda.com"),
        ("https://Tienda.com:443/gracias?pedido=7#x", "https://tienda.com"),
        ("http://127.0.0.1:9000/", "http://127.0.0.1:9000"),
        ("null", None),
        ("", None),
        ("about:blank", None),
        ("file:///tmp/a.html", None),
        ("https://*.tienda.com/", None),
        ("https://tienda.com@otra.com/", None),
        ("https://tienda.com\\@otra.com/", None),
        ("https://" + "a" * 100_000, None),
    ],
)
def test_el_origen_de_una_direccion_es_su_esquema_su_anfitrion_y_su_puerto(
    direccion: str, origen: str | None
) -> None:
    assert origen_de(direccion) == origen


@pytest.mark.parametrize(
    ("origen", "vale"),
    [
        ("https://tienda.com", True),
        ("http://tienda.com", False),
        ("https://tienda.com:8443", False),
        ("https://otra.com", False),
        ("https://a.cadena.com", True),
        ("https://a.b.cadena.com", True),
        ("https://cadena.com", False),
        ("https://malacadena.com", False),
        ("https://cadena.com.mala.com", False),
        ("https://a.cadena.com:444", False),
    ],
)
def test_vale_el_registrado_y_lo_que_cuelga_de_uno_con_comodin(origen: str, *, vale: bool) -> None:
    assert admite({"https://tienda.com", "https://*.cadena.com"}, origen) is vale


@pytest.mark.parametrize(
    ("origen", "local"),
    [
        ("http://localhost:3000", True),
        ("http://127.0.0.1:3000", True),
        ("http://127.8.9.1", True),
        ("https://[::1]:3000", True),
        ("https://tienda.com", False),
        ("http://localhost.mala.com", False),
        ("http://127.0.0.1.mala.com", False),
        ("http://10.0.0.1", False),
    ],
)
def test_es_de_esta_maquina_solo_lo_que_nadie_mas_puede_servir(origen: str, *, local: bool) -> None:
    assert es_de_esta_maquina(origen) is local
