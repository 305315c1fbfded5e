"""Las cabeceras de una petición, leídas una vez."""

from starlette.requests import Request

from alpespartners.api.http.cabeceras import cabeceras_de


def peticion(*cabeceras: tuple[bytes, bytes]) -> Request:
    return Request({"type": "http", "headers": list(cabeceras)})


def test_cada_nombre_lleva_todos_sus_valores_en_el_orden_en_que_llegaron() -> None:
    leidas = cabeceras_de(peticion((b"prefer", b"wait=1"), (b"host", b"a"), (b"prefer", b"handling=strict")))
    assert leidas == {b"prefer": ["wait=1", "handling=strict"], b"host": ["a"]}


def test_un_octeto_que_no_es_ascii_se_lee_en_latin_1() -> None:
    assert cabeceras_de(peticion((b"host", b"\xf1"))) == {b"host": ["ñ"]}


def test_una_peticion_sin_cabeceras_no_tiene_ninguna() -> None:
    assert cabeceras_de(peticion()) == {}


def test_se_leen_una_sola_vez_por_peticion() -> None:
    una = peticion((b"host", b"a"))
    assert cabeceras_de(una) is cabeceras_de(una)
