"""`/`: lo que ve quien abre la dirección del servicio, en un navegador o en una terminal."""

import re

import httpx2
import pytest

from alpespartners import __version__
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria, cliente_de

DE_UN_NAVEGADOR = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


async def test_en_un_navegador_es_una_pagina_sin_guiones_ni_nada_ajeno(cliente: httpx2.AsyncClient) -> None:
    pagina = await cliente.get("/", headers=DE_UN_NAVEGADOR)
    assert pagina.headers["Content-Type"] == "text/html; charset=utf-8"
    politica = pagina.headers["Content-Security-Policy"]
    assert "default-src 'none'" in politica
    assert "script-src" not in politica
    assert "unsafe" not in politica
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=|://|\$", pagina.text)
    assert __version__ in pagina.text


async def test_todo_lo_que_enlaza_existe(cliente: httpx2.AsyncClient) -> None:
    pagina = await cliente.get("/", headers=DE_UN_NAVEGADOR)
    enlaces = re.findall(r'href="(/[^"]*)"', pagina.text)
    assert {"/docs", "/salud/lista", "/metricas"} <= set(enlaces)
    assert [(await cliente.get(enlace)).status_code for enlace in enlaces] == [200] * len(enlaces)


@pytest.mark.parametrize(
    ("broker", "base_de_datos", "consumidores", "titular", "causa"),
    [
        (True, True, 2, "Funciona", "2 en marcha"),
        (True, True, 0, "Recibe, pero no registra", "no hay ningún consumidor"),
        (True, False, 1, "Funciona a medias", "la base de datos no responde"),
        (False, True, 1, "No funciona", "el broker no responde"),
        (False, False, 1, "No funciona", "el broker no responde"),
    ],
)
async def test_dice_si_el_servicio_funciona_ahora_y_que_le_falta(
    cliente: httpx2.AsyncClient,
    puertos: PuertosEnMemoria,
    *,
    broker: bool,
    base_de_datos: bool,
    consumidores: int,
    titular: str,
    causa: str,
) -> None:
    puertos.disponible, puertos.hay_base_de_datos = broker, base_de_datos
    puertos.cuantos_consumidores = consumidores
    pagina = await cliente.get("/", headers=DE_UN_NAVEGADOR)
    assert pagina.status_code == 200
    assert f">{titular}</h2>" in pagina.text
    assert causa in pagina.text
    assert '<time datetime="2024-01-15T10:36:00Z">' in pagina.text


@pytest.mark.parametrize("acepta", ["*/*", "application/json"])
async def test_a_quien_no_pide_una_pagina_se_le_dice_lo_mismo_en_json(
    cliente: httpx2.AsyncClient, acepta: str
) -> None:
    portada = await cliente.get("/", headers={"Accept": acepta})
    assert portada.headers["Vary"] == "Accept"
    dicho = portada.json()
    assert dicho["salud"] == (await cliente.get("/salud/lista")).json()
    for enlace in ("documentacion", "descripcion", "metricas"):
        assert (await cliente.get(dicho[enlace])).status_code == 200


async def test_la_portada_no_pide_clave(puertos: PuertosEnMemoria) -> None:
    async with cliente_de(api_en_memoria(puertos, claves=["k"])) as cliente:
        assert (await cliente.get("/")).status_code == 200
