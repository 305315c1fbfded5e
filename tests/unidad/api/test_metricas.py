"""`/metricas` de la API."""

import asyncio

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.apoyo.espera import hasta_en_el_bucle
from tests.apoyo.memoria import PuertosEnMemoria

IMPRESION = {
    "id": "secreto-1",
    "campaña_id": "secreto-2",
    "influencer_id": "secreto-3",
    "usuario_id": "secreto-4",
}


async def _leidas(cliente: httpx2.AsyncClient) -> dict[str, dict[tuple[str, ...], float]]:
    """Cada muestra por su nombre y los valores de sus etiquetas, en el orden alfabético de estas."""
    respuesta = await cliente.get("/metricas")
    assert respuesta.status_code == 200
    assert respuesta.headers["content-type"].startswith("text/plain; version=0.0.4")
    leidas: dict[str, dict[tuple[str, ...], float]] = {}
    for familia in text_string_to_metric_families(respuesta.text):
        for muestra in familia.samples:
            leidas.setdefault(muestra.name, {})[
                tuple(muestra.labels[etiqueta] for etiqueta in sorted(muestra.labels))
            ] = muestra.value
    return leidas


async def test_cada_respuesta_se_cuenta_por_su_plantilla_y_sin_identificadores(
    cliente: httpx2.AsyncClient,
) -> None:
    await cliente.post("/tracking/impresiones", json=IMPRESION)
    await cliente.post("/tracking/impresiones", json={})
    await cliente.get("/tracking/impresiones/secreto-1")
    await cliente.get("/secreto")
    await cliente.request("SECRETO", "/salud/viva")
    cuentas = (await _leidas(cliente))["alpes_respuestas_total"]
    assert cuentas["202", "POST", "/tracking/impresiones"] == 1
    assert cuentas["422", "POST", "/tracking/impresiones"] == 1
    assert cuentas["200", "GET", "/tracking/impresiones/{id}"] == 1
    assert cuentas["404", "GET", "otra"] == 1
    assert cuentas["405", "otro", "/salud/viva"] == 1
    assert "secreto" not in (await cliente.get("/metricas")).text.lower()


async def test_el_balance_y_la_bandeja_de_salida_se_leen_al_preguntar(cliente: httpx2.AsyncClient) -> None:
    leidas = await _leidas(cliente)
    assert leidas["alpes_comandos_total"]["REGISTRADA", "", "comando-registrar-impresion"] == 0
    assert leidas["alpes_bandeja_salida_envios"][()] == 0
    assert leidas["alpes_bandeja_salida_antiguedad_segundos"][()] == 0
    assert leidas["alpes_consumidores"][()] == 1
    assert leidas["alpes_esperas"][()] == 0
    assert leidas["alpes_base_datos_disponible"][()] == leidas["alpes_broker_disponible"][()] == 1


async def test_un_error_nuestro_se_cuenta_en_una_serie_que_nace_a_cero(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fallar(*_: object) -> None:
        raise ZeroDivisionError

    assert (await _leidas(cliente))["alpes_errores_internos_total"][()] == 0
    with monkeypatch.context() as averiado:
        averiado.setattr(puertos, "leer", fallar)
        assert (await cliente.get("/tracking/balance")).status_code == 500
    assert (await _leidas(cliente))["alpes_errores_internos_total"][()] == 1


async def test_sin_base_de_datos_ni_broker_se_responde_igual_y_se_dice(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    puertos.disponible = puertos.hay_base_de_datos = False
    leidas = await _leidas(cliente)
    assert leidas["alpes_base_datos_disponible"][()] == leidas["alpes_broker_disponible"][()] == 0
    assert leidas.keys().isdisjoint(
        {"alpes_comandos_total", "alpes_bandeja_salida_envios", "alpes_consumidores"}
    )


async def test_se_sabe_cuantas_peticiones_esperan_su_destino(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    puertos.cuantos_consumidores = 0
    espera = asyncio.create_task(
        cliente.post("/tracking/impresiones", json=IMPRESION, headers={"Prefer": "wait=10"})
    )
    await hasta_en_el_bucle(lambda: puertos.sin_consumir != [])
    assert (await _leidas(cliente))["alpes_esperas"][()] == 1
    puertos.consumir()
    assert (await espera).status_code == 201
    assert (await _leidas(cliente))["alpes_esperas"][()] == 0


async def test_un_parametro_en_una_direccion_que_no_los_admite_es_422(cliente: httpx2.AsyncClient) -> None:
    for direccion in ("/metricas", "/salud/viva", "/salud/lista", "/openapi.json"):
        respuesta = await cliente.get(f"{direccion}?formato=otro")
        assert (respuesta.status_code, respuesta.json()["errores"][0]["campo"]) == (422, "formato")


async def test_los_clics_que_esperan_y_los_perdidos_se_cuentan_tambien_sin_base_de_datos(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    puertos.hay_base_de_datos = False
    puertos.clics.perdidos = 2
    leidas = await _leidas(cliente)
    assert (leidas["alpes_clics_en_espera"][()], leidas["alpes_clics_perdidos_total"][()]) == (0, 2)
