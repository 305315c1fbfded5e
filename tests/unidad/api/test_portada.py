"""`/`: adónde va quien abre la dirección del servicio, en un navegador o en una terminal."""

import httpx2
import pytest

from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria, cliente_de

DE_UN_NAVEGADOR = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.mark.parametrize("claves", [(), ("k",)])
async def test_un_navegador_va_al_panel_se_pidan_claves_o_no(
    puertos: PuertosEnMemoria, claves: tuple[str, ...]
) -> None:
    async with cliente_de(api_en_memoria(puertos, claves=claves)) as cliente:
        portada = await cliente.get("/", headers=DE_UN_NAVEGADOR)
    assert (portada.status_code, portada.headers["Location"]) == (303, "/panel")
    assert portada.headers["Vary"] == "Accept"


@pytest.mark.parametrize("acepta", ["*/*", "application/json"])
async def test_a_quien_no_pide_una_pagina_se_le_dice_en_json_como_esta_y_adonde_seguir(
    cliente: httpx2.AsyncClient, acepta: str
) -> None:
    portada = await cliente.get("/", headers={"Accept": acepta})
    assert portada.headers["Vary"] == "Accept"
    dicho = portada.json()
    assert dicho["salud"] == (await cliente.get("/salud/lista")).json()
    for enlace in ("panel", "documentacion", "descripcion", "metricas"):
        assert (await cliente.get(dicho[enlace])).status_code == 200


async def test_la_portada_no_pide_clave(puertos: PuertosEnMemoria) -> None:
    async with cliente_de(api_en_memoria(puertos, claves=["k"])) as cliente:
        assert (await cliente.get("/")).status_code == 200
