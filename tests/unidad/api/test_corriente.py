"""La corriente por HTTP: todo lo que llega, con el cursor por el que seguir siempre a mano."""

from datetime import timedelta

import httpx2
import pytest

from tests.apoyo.eventos import AHORA
from tests.apoyo.memoria import PuertosEnMemoria

CORRIENTE = "/tracking/conversiones"


async def _enviar(cliente: httpx2.AsyncClient, *ids: str, **otros: object) -> None:
    for id_evento in ids:
        cuerpo = {"id": id_evento, "campaña_id": "c", "tipo_conversion": "REGISTRO", **otros}
        assert (await cliente.post(CORRIENTE, json=cuerpo)).status_code == 202


def _ids(respuesta: httpx2.Response) -> list[str]:
    assert respuesta.status_code == 200, respuesta.text
    return [evento["id"] for evento in respuesta.json()["elementos"]]


async def test_da_los_de_todas_las_campañas_por_orden_de_llegada(cliente: httpx2.AsyncClient) -> None:
    await _enviar(cliente, "b", timestamp="2024-01-15T10:00:00Z")
    await _enviar(cliente, "a", campaña_id="otra", timestamp="2023-01-15T10:00:00Z")
    respuesta = await cliente.get(CORRIENTE)
    assert _ids(respuesta) == ["b", "a"]
    assert respuesta.json()["elementos"][0] == (await cliente.get(f"{CORRIENTE}/b")).json()
    assert _ids(await cliente.get("/tracking/impresiones")) == []


async def test_antes_de_que_haya_nada_ya_hay_por_donde_seguir(cliente: httpx2.AsyncClient) -> None:
    vacia = await cliente.get(CORRIENTE)
    assert (_ids(vacia), vacia.json()["al_dia"]) == ([], True)
    await _enviar(cliente, "a")
    assert _ids(await cliente.get(CORRIENTE, params={"cursor": vacia.json()["siguiente"]})) == ["a"]


async def test_el_enlace_lleva_hasta_el_final_y_el_cursor_mas_alla(cliente: httpx2.AsyncClient) -> None:
    await _enviar(cliente, *"abcde", influencer_id="í&=")
    respuesta = await cliente.get(CORRIENTE, params={"limite": "2", "influencer_id": "í&="})
    vistas = _ids(respuesta)
    while not respuesta.json()["al_dia"]:
        enlace = respuesta.headers["Link"]
        assert enlace.startswith(f"<{CORRIENTE}?")
        assert enlace.endswith('>; rel="next"')
        respuesta = await cliente.get(enlace[1 : enlace.index(">")])
        vistas += _ids(respuesta)
    assert vistas == ["a", "b", "c", "d", "e"]
    assert "Link" not in respuesta.headers
    await _enviar(cliente, "f", influencer_id="í&=")
    parametros = {"cursor": respuesta.json()["siguiente"], "limite": "9", "influencer_id": "í&="}
    assert _ids(await cliente.get(CORRIENTE, params=parametros)) == ["f"]


@pytest.mark.parametrize("nombre", ["campaña_id", "campana_id", "campan\u0303a_id"])
async def test_la_campaña_se_escribe_de_dos_maneras(cliente: httpx2.AsyncClient, nombre: str) -> None:
    await _enviar(cliente, "a")
    await _enviar(cliente, "b", campaña_id="otra")
    assert _ids(await cliente.get(CORRIENTE, params={nombre: "otra"})) == ["b"]


async def test_dos_campañas_distintas_a_la_vez_son_una_falta(cliente: httpx2.AsyncClient) -> None:
    iguales = await cliente.get(CORRIENTE, params={"campaña_id": "c", "campana_id": "c"})
    assert _ids(iguales) == []
    distintas = await cliente.get(CORRIENTE, params={"campaña_id": "c", "campana_id": "d"})
    assert distintas.status_code == 422
    assert [(e["campo"], e["codigo"]) for e in distintas.json()["errores"]] == [
        ("campaña_id", "campo_repetido")
    ]


async def test_todas_las_faltas_se_dicen_a_la_vez(cliente: httpx2.AsyncClient) -> None:
    parametros = {
        "limite": "0",
        "registrado_desde": "ayer",
        "desde": "2024-01-15",
        "campaña_id": " c",
        "tipo_conversion": "NADA",
        "registrado_hasta": "2024-01-15T10:00:00Z",
    }
    respuesta = await cliente.get(CORRIENTE, params=parametros)
    assert respuesta.status_code == 422
    assert {error["campo"] for error in respuesta.json()["errores"]} == parametros.keys()


async def test_las_impresiones_no_se_filtran_por_tipo(cliente: httpx2.AsyncClient) -> None:
    respuesta = await cliente.get("/tracking/impresiones", params={"tipo_evento": "CLIC"})
    assert [error["codigo"] for error in respuesta.json()["errores"]] == ["parametro_desconocido"]


async def test_un_cursor_solo_vale_en_su_corriente_y_con_sus_filtros(cliente: httpx2.AsyncClient) -> None:
    await _enviar(cliente, "a", "b")
    cursor = (await cliente.get(CORRIENTE, params={"limite": "1"})).json()["siguiente"]
    desde = (AHORA - timedelta(days=1)).isoformat()
    lista = (await cliente.get("/tracking/campañas/c/conversiones", params={"limite": "1"})).json()
    for ruta, parametros in (
        ("/tracking/impresiones", {"cursor": cursor}),
        (CORRIENTE, {"cursor": cursor, "influencer_id": "i"}),
        (CORRIENTE, {"cursor": cursor, "registrado_desde": desde}),
        (CORRIENTE, {"cursor": lista["siguiente"]}),
        (CORRIENTE, {"cursor": "%%%"}),
        ("/tracking/campañas/c/conversiones", {"cursor": cursor}),
    ):
        respuesta = await cliente.get(ruta, params=parametros)
        assert respuesta.status_code == 422, (ruta, parametros)
        assert [error["codigo"] for error in respuesta.json()["errores"]] == ["cursor_invalido"]
    assert _ids(await cliente.get(CORRIENTE, params={"cursor": cursor})) == ["b"]


async def test_sin_base_de_datos_es_503(cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria) -> None:
    puertos.hay_base_de_datos = False
    assert (await cliente.get(CORRIENTE)).status_code == 503
