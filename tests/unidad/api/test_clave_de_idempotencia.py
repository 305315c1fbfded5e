"""`Idempotency-Key`: el `id` que va en una cabecera."""

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpespartners.api.http.clave_de_idempotencia import clave_de_idempotencia
from alpespartners.modulos.tracking.dominio.excepciones import CampoInvalido
from tests.apoyo.cuerpos import CONVERSION
from tests.apoyo.memoria import PuertosEnMemoria

SIN_ID = {nombre: valor for nombre, valor in CONVERSION.items() if nombre != "id"}


@pytest.mark.parametrize(
    ("cabecera", "clave"),
    [
        ('"pedido-7"', "pedido-7"),
        ("pedido-7", "pedido-7"),
        ("  pedido-7\t", "pedido-7"),
        ('"a b, c"', "a b, c"),
        (r'"a\"b\\c"', r'a"b\c'),
        ("FV/2024/001", "FV/2024/001"),
        ("8e03978e-40d5-43e8-bc93-6894a57f9324", "8e03978e-40d5-43e8-bc93-6894a57f9324"),
    ],
)
def test_la_clave_se_lee_con_comillas_y_sin_ellas(cabecera: str, clave: str) -> None:
    assert clave_de_idempotencia([cabecera]) == clave


@pytest.mark.parametrize(
    "cabeceras",
    [
        [""],
        ['""'],
        ['"a'],
        ['a"'],
        ["a b"],
        ["a, b"],
        ["a,b"],
        ["ñ"],
        ['"ñ"'],
        [r'"\a"'],
        ["a", "a"],
        ["a\x00"],
    ],
)
def test_una_clave_mal_escrita_es_una_falta_que_dice_como_se_escribe(cabeceras: list[str]) -> None:
    with pytest.raises(CampoInvalido, match='"pedido-7"') as invalida:
        clave_de_idempotencia(cabeceras)
    assert invalida.value.fallo.campo == "Idempotency-Key"


def test_sin_cabecera_no_hay_clave() -> None:
    assert clave_de_idempotencia([]) is None


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1))
def test_todo_texto_ascii_cabe_entre_comillas(texto: str) -> None:
    escrito = texto.replace("\\", r"\\").replace('"', r"\"")
    assert clave_de_idempotencia([f'"{escrito}"']) == texto


async def test_el_mismo_envio_dos_veces_con_su_clave_es_una_sola_venta(
    cliente: httpx2.AsyncClient,
) -> None:
    esperar = {"Idempotency-Key": '"pedido-7"', "Prefer": "wait=5"}
    primera = await cliente.post("/tracking/conversiones", json=SIN_ID, headers=esperar)
    segunda = await cliente.post("/tracking/conversiones", json=SIN_ID, headers=esperar)
    assert (primera.status_code, segunda.status_code) == (201, 200)
    assert primera.json() == segunda.json()
    assert primera.json()["id"] == "pedido-7"
    assert primera.json()["advertencias"] == []
    assert primera.headers["Location"] == "/tracking/conversiones/pedido-7"


async def test_sin_confirmacion_del_broker_el_503_devuelve_la_clave(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    puertos.disponible = False
    respuesta = await cliente.post(
        "/tracking/conversiones", json=SIN_ID, headers={"Idempotency-Key": "pedido-7"}
    )
    assert (respuesta.status_code, respuesta.json()["id"]) == (503, "pedido-7")


@pytest.mark.parametrize(
    ("cabecera", "en_el_cuerpo", "campo"),
    [
        (b'"otro"', "conv-123", "id"),
        (b"", "conv-123", "Idempotency-Key"),
        ("ñ".encode(), None, "Idempotency-Key"),
        (b".", None, "id"),
        (b"x" * 129, None, "id"),
    ],
)
async def test_una_clave_que_no_vale_o_contradice_al_cuerpo_es_422_y_no_se_publica(
    cliente: httpx2.AsyncClient,
    puertos: PuertosEnMemoria,
    cabecera: bytes,
    en_el_cuerpo: str | None,
    campo: str,
) -> None:
    respuesta = await cliente.post(
        "/tracking/conversiones",
        json={**CONVERSION, "id": en_el_cuerpo},
        headers=[(b"Idempotency-Key", cabecera)],
    )
    assert respuesta.status_code == 422
    assert [error["campo"] for error in respuesta.json()["errores"]] == [campo]
    assert puertos.publicados == []


async def test_la_misma_clave_en_la_cabecera_y_en_el_cuerpo_vale(cliente: httpx2.AsyncClient) -> None:
    respuesta = await cliente.post(
        "/tracking/conversiones", json=CONVERSION, headers={"Idempotency-Key": "conv-123"}
    )
    assert (respuesta.status_code, respuesta.json()["id"]) == (202, "conv-123")


async def test_las_faltas_de_la_cabecera_y_del_cuerpo_se_dicen_juntas(cliente: httpx2.AsyncClient) -> None:
    respuesta = await cliente.post(
        "/tracking/conversiones?a=1", json={**SIN_ID, "moneda": "ZZZ"}, headers={"Idempotency-Key": "a b"}
    )
    campos = [error["campo"] for error in respuesta.json()["errores"]]
    assert campos == ["a", "Idempotency-Key", "moneda"]
