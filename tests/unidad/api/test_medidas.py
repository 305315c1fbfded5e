"""Todo lo que llega con una petición tiene un tope, también en quien aún no ha enseñado su clave."""

import httpx2
import pytest

from alpespartners.api.http.medidas import (
    CABECERAS_MAXIMAS,
    OCTETOS_DE_LA_CONSULTA,
    OCTETOS_DE_LA_RUTA,
)
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria, cliente_de

LISTA = "/tracking/impresiones"


@pytest.mark.parametrize("trozo", ["a", "/", "%C3%A9/"])
async def test_una_ruta_enorme_es_414_antes_de_pedir_clave(puertos: PuertosEnMemoria, trozo: str) -> None:
    async with cliente_de(api_en_memoria(puertos, claves=["k"])) as cliente:
        direccion = "/tracking/" + trozo * (OCTETOS_DE_LA_RUTA // len(trozo))
        respuesta = await cliente.get(direccion)
        assert respuesta.status_code == 414
        assert "8 KiB" in respuesta.json()["detail"]


async def test_la_ruta_mas_larga_de_un_id_cabe(cliente: httpx2.AsyncClient) -> None:
    respuesta = await cliente.get(f"{LISTA}/{'%F0%9F%9B%92' * 128}/destino")
    assert respuesta.json()["type"] == "urn:alpespartners:error:destino_desconocido"


async def test_una_consulta_enorme_es_414(cliente: httpx2.AsyncClient) -> None:
    cabe = "cursor=" + "a" * (OCTETOS_DE_LA_CONSULTA - len("cursor="))
    assert (await cliente.get(f"{LISTA}?{cabe}")).status_code == 422
    assert (await cliente.get(f"{LISTA}?{cabe}a")).status_code == 414


async def test_demasiados_parametros_son_una_falta(cliente: httpx2.AsyncClient) -> None:
    respuesta = await cliente.get(f"{LISTA}?{'&'.join(['limite=1'] * 33)}")
    assert respuesta.status_code == 422
    assert "más de 32" in respuesta.text


async def test_demasiadas_cabeceras_son_431_y_las_galletas_no_se_leen(cliente: httpx2.AsyncClient) -> None:
    suyas = len(cliente.build_request("GET", LISTA).headers.raw)
    galletas = [("Cookie", "; ".join(f"c{numero}=1" for numero in range(2_000)))]
    caben = [(f"X-{numero}", "1") for numero in range(CABECERAS_MAXIMAS - suyas - 1)]
    assert (await cliente.get(LISTA, headers=[*galletas, *caben])).status_code == 200
    respuesta = await cliente.get(LISTA, headers=[*galletas, *caben, ("X-De-Mas", "1")])
    assert respuesta.status_code == 431
    assert str(CABECERAS_MAXIMAS) in respuesta.json()["detail"]
