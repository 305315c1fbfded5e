"""Dinero, monedas y relojes de una conversión, de la petición a lo registrado."""

import json
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria, cliente_de

JSON = {"Content-Type": "application/json"}
HOY = datetime(2026, 6, 1, 12, tzinfo=UTC)
VENTA: dict[str, object] = {
    "id": "tienda-1001",
    "campaña_id": "cmp-456",
    "tipo_conversion": "VENTA",
    "valor": 150000,
    "moneda": "COP",
}


@pytest.fixture
async def cliente(puertos: PuertosEnMemoria) -> AsyncGenerator[httpx2.AsyncClient]:
    async with cliente_de(api_en_memoria(puertos, reloj=lambda: HOY)) as abierto:
        yield abierto


async def _enviar(cliente: httpx2.AsyncClient, campo: str, literal: str) -> httpx2.Response:
    cuerpo = json.dumps({**VENTA, campo: "@"}, ensure_ascii=False).replace('"@"', literal)
    return await cliente.post("/tracking/conversiones", content=cuerpo.encode(), headers=JSON)


async def _registrada(cliente: httpx2.AsyncClient, respuesta: httpx2.Response) -> dict[str, Any]:
    assert respuesta.status_code == 202, respuesta.text
    leida = await cliente.get(respuesta.headers["Location"])
    assert leida.status_code == 200, leida.text
    registrada: dict[str, Any] = leida.json()
    return registrada


def _faltas(respuesta: httpx2.Response) -> dict[str, tuple[str, str]]:
    assert respuesta.status_code == 422, respuesta.text
    return {error["campo"]: (error["codigo"], error["mensaje"]) for error in respuesta.json()["errores"]}


@pytest.mark.parametrize("literal", ['"150.000"', "150.000"])
async def test_ciento_cincuenta_mil_con_punto_de_miles_no_se_cobra_como_ciento_cincuenta(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, literal: str
) -> None:
    (codigo, mensaje) = _faltas(await _enviar(cliente, "valor", literal))["valor"]
    assert codigo == "valor_ambiguo"
    assert "150000 si el punto separa miles" in mensaje
    assert "150 si separa decimales" in mensaje
    assert puertos.publicados == []


@pytest.mark.parametrize("literal", ["150000.0", '"150000.0"', "150.0000", '"150.00"', "0.500"])
async def test_un_importe_con_una_sola_lectura_se_registra(cliente: httpx2.AsyncClient, literal: str) -> None:
    await _registrada(cliente, await _enviar(cliente, "valor", literal))


async def test_un_importe_negativo_dice_lo_mismo_como_texto_que_como_numero(
    cliente: httpx2.AsyncClient,
) -> None:
    faltas = [_faltas(await _enviar(cliente, "valor", literal)) for literal in ("-10", '"-10"', '"-10.000"')]
    assert faltas[0] == faltas[1] == faltas[2]
    codigo, mensaje = faltas[0]["valor"]
    assert codigo == "valor_negativo"
    assert "revertir una venta" in mensaje


@pytest.mark.parametrize("literal", ["-3", '"-3"'])
async def test_un_importe_negativo_sin_moneda_son_dos_faltas(
    cliente: httpx2.AsyncClient, literal: str
) -> None:
    cuerpo = f'{{"campaña_id": "c", "tipo_conversion": "VENTA", "valor": {literal}}}'
    faltas = _faltas(await cliente.post("/tracking/conversiones", content=cuerpo.encode(), headers=JSON))
    assert {campo: codigo for campo, (codigo, _) in faltas.items()} == {
        "valor": "valor_negativo",
        "moneda": "requerido",
    }


async def test_a_una_venta_sin_valor_ni_moneda_se_le_dicen_los_dos(cliente: httpx2.AsyncClient) -> None:
    cuerpo = {"campaña_id": "c", "tipo_conversion": "VENTA"}
    faltas = _faltas(await cliente.post("/tracking/conversiones", json=cuerpo))
    assert {campo: codigo for campo, (codigo, _) in faltas.items()} == {
        "valor": "requerido",
        "moneda": "requerido",
    }


async def test_una_moneda_desconocida_se_explica_con_ejemplos(cliente: httpx2.AsyncClient) -> None:
    codigo, mensaje = _faltas(await _enviar(cliente, "moneda", '"PESOS"'))["moneda"]
    assert codigo == "moneda_desconocida"
    assert "COP, USD o EUR" in mensaje


async def test_un_desplazamiento_sin_dos_puntos_se_lee(cliente: httpx2.AsyncClient) -> None:
    registrada = await _registrada(cliente, await _enviar(cliente, "timestamp", '"2026-05-01T10:00:00-0700"'))
    assert registrada["timestamp"] == "2026-05-01T17:00:00Z"
    assert registrada["advertencias"] == []


@pytest.mark.parametrize("literal", ["1621642003", '"1621642003"', '"2026-05-01"', '"2026-05-01T10:00:00"'])
async def test_un_timestamp_que_no_se_lee_enseña_uno_que_si_y_no_habla_de_direcciones(
    cliente: httpx2.AsyncClient, literal: str
) -> None:
    _, mensaje = _faltas(await _enviar(cliente, "timestamp", literal))["timestamp"]
    assert "RFC 3339" in mensaje
    assert "2024-01-15T10:30:00Z" in mensaje
    assert "%2B" not in mensaje


async def test_en_una_direccion_se_dice_ademas_como_se_escribe_el_signo_mas(
    cliente: httpx2.AsyncClient,
) -> None:
    respuesta = await cliente.get("/tracking/campañas/c/conversiones?desde=2026-05-01T10:00:00+05:00")
    _, mensaje = _faltas(respuesta)["desde"]
    assert "2024-01-15T10:30:00Z" in mensaje
    assert "%2B" in mensaje


@pytest.mark.parametrize("instante", ["1970-01-01T00:00:07Z", "2040-01-01T00:00:00Z", "1999-12-31T23:59:59Z"])
async def test_un_reloj_que_no_se_puede_creer_no_cuesta_una_venta(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, instante: str
) -> None:
    respuesta = await _enviar(cliente, "timestamp", f'"{instante}"')
    registrada = await _registrada(cliente, respuesta)
    assert respuesta.json()["advertencias"] == ["timestamp_fuera_de_rango"]
    assert registrada["timestamp"] is None
    assert registrada["propiedades"] == {"timestamp_recibido": instante}
    assert registrada["advertencias"] == ["timestamp_fuera_de_rango"]
    assert registrada["ocurrido_en"] == "2026-06-01T12:00:00Z"
    (comando, _, _) = puertos.publicados[0]
    assert (comando.timestamp, comando.propiedades) == (None, {"timestamp_recibido": instante})


async def test_un_reloj_algo_adelantado_se_respeta_con_aviso(cliente: httpx2.AsyncClient) -> None:
    registrada = await _registrada(cliente, await _enviar(cliente, "timestamp", '"2026-06-02T12:00:00Z"'))
    assert registrada["timestamp"] == "2026-06-02T12:00:00Z"
    assert registrada["advertencias"] == ["reloj_adelantado"]


@pytest.mark.parametrize(
    ("moneda", "instante"),
    [
        ("BGN", "2025-12-31T23:59:59Z"),
        ("BGN", "2026-01-01T01:00:00+02:00"),
        ("HRK", "2022-12-31T12:00:00Z"),
        ("ITL", "2001-05-01T00:00:00Z"),
        ("COP", "2000-01-01T00:00:00Z"),
        ("XCG", "2025-03-30T23:00:00Z"),
    ],
)
async def test_una_venta_vale_en_la_moneda_que_existia_cuando_ocurrio(
    cliente: httpx2.AsyncClient, moneda: str, instante: str
) -> None:
    cuerpo = {**VENTA, "moneda": moneda, "timestamp": instante}
    registrada = await _registrada(cliente, await cliente.post("/tracking/conversiones", json=cuerpo))
    assert (registrada["moneda"], registrada["valor"]) == (moneda, 150000)


@pytest.mark.parametrize(
    ("moneda", "instante"),
    [
        ("BGN", "2026-01-01T00:00:00Z"),
        ("BGN", "2026-03-01T10:00:00Z"),
        ("BGN", None),
        ("BGN", "1970-01-01T00:00:07Z"),
        ("HRK", "2023-01-01T00:00:00Z"),
        ("ITL", "2002-03-01T00:00:00Z"),
    ],
)
async def test_una_venta_no_vale_en_una_moneda_ya_retirada(
    cliente: httpx2.AsyncClient, moneda: str, instante: str | None
) -> None:
    cuerpo = {**VENTA, "moneda": moneda, "timestamp": instante}
    codigo, mensaje = _faltas(await cliente.post("/tracking/conversiones", json=cuerpo))["moneda"]
    assert codigo == "moneda_desconocida"
    assert "timestamp" in mensaje


async def test_a_una_moneda_retirada_no_se_la_acusa_si_el_instante_no_se_pudo_leer(
    cliente: httpx2.AsyncClient,
) -> None:
    cuerpo = {**VENTA, "moneda": "BGN", "timestamp": "mayo de 2025"}
    assert _faltas(await cliente.post("/tracking/conversiones", json=cuerpo)).keys() == {"timestamp"}
