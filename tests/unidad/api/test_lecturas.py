"""Leer un evento y recorrer los de una campaña."""

import base64
import json

import httpx2
import pytest

from tests.apoyo.memoria import PuertosEnMemoria

LISTA = "/tracking/campañas/c/conversiones"


async def _sembrar(cliente: httpx2.AsyncClient, cuantas: int) -> None:
    for numero in range(cuantas):
        cuerpo = {
            "id": f"v{numero}",
            "campaña_id": "c",
            "influencer_id": "i" if numero % 2 else None,
            "tipo_conversion": "VENTA" if numero % 3 == 0 else "REGISTRO",
            "valor": numero,
            "moneda": "COP",
            "timestamp": f"2024-01-15T10:{numero:02}:00Z",
        }
        assert (await cliente.post("/tracking/conversiones", json=cuerpo)).status_code == 202


def _ids(respuesta: httpx2.Response) -> list[str]:
    assert respuesta.status_code == 200, respuesta.text
    return [evento["id"] for evento in respuesta.json()["elementos"]]


async def test_un_evento_sale_con_todos_sus_campos(cliente: httpx2.AsyncClient) -> None:
    cuerpo = {
        "id": "i-1",
        "campaña_id": "c",
        "tipo_evento": "clic",
        "ip_address": "::ffff:192.168.1.1",
        "timestamp": "2024-01-15T12:30:00.5+02:00",
        "propiedades": {"a": 1.50, "b": True},
    }
    aceptada = await cliente.post("/tracking/impresiones", json=cuerpo)
    leida = await cliente.get("/tracking/impresiones/i-1")
    assert leida.headers["Content-Type"] == "application/json"
    assert leida.json() == {
        "id": "i-1",
        "campaña_id": "c",
        "influencer_id": None,
        "usuario_id": None,
        "tipo_evento": "CLIC",
        "clic_id": None,
        "user_agent": None,
        "ip_address": "192.168.1.1",
        "referrer": None,
        "timestamp": "2024-01-15T10:30:00.500000Z",
        "propiedades": {"a": "1.5", "b": "true"},
        "ocurrido_en": "2024-01-15T10:30:00.500000Z",
        "recibido_en": "2024-01-15T10:36:00.120000Z",
        "registrado_en": "2024-01-15T10:36:00.120000Z",
        "comando_id": aceptada.json()["comando_id"],
        "advertencias": [],
        "lectura": None,
    }


async def test_una_conversion_sin_valor_sale_con_null_en_valor_y_moneda(cliente: httpx2.AsyncClient) -> None:
    cuerpo = {"id": "r", "campaña_id": "c", "tipo_conversion": "REGISTRO"}
    await cliente.post("/tracking/conversiones", json=cuerpo)
    leida = (await cliente.get("/tracking/conversiones/r")).json()
    assert (leida["valor"], leida["moneda"]) == (None, None)


async def test_impresiones_y_conversiones_no_comparten_ids(cliente: httpx2.AsyncClient) -> None:
    await cliente.post("/tracking/impresiones", json={"id": "mismo", "campaña_id": "c"})
    assert (await cliente.get("/tracking/conversiones/mismo")).status_code == 404


async def test_la_lista_va_de_lo_mas_reciente_a_lo_mas_antiguo(cliente: httpx2.AsyncClient) -> None:
    await _sembrar(cliente, 4)
    respuesta = await cliente.get(LISTA)
    assert _ids(respuesta) == ["v3", "v2", "v1", "v0"]
    assert respuesta.json()["siguiente"] is None
    assert "Link" not in respuesta.headers


async def test_una_campaña_desconocida_es_una_lista_vacia(cliente: httpx2.AsyncClient) -> None:
    respuesta = await cliente.get("/tracking/campañas/nadie/impresiones")
    assert (respuesta.status_code, respuesta.json()) == (200, {"elementos": [], "siguiente": None})


async def test_los_filtros_se_combinan(cliente: httpx2.AsyncClient) -> None:
    await _sembrar(cliente, 10)
    filtros = {
        "desde": "2024-01-15T10:03:00Z",
        "hasta": "2024-01-15T12:09:00+02:00",
        "influencer_id": "i",
        "tipo_conversion": "venta",
    }
    assert _ids(await cliente.get(LISTA, params=filtros)) == ["v3"]


async def test_las_conversiones_de_un_influencer_son_las_de_todas_las_campañas(
    cliente: httpx2.AsyncClient,
) -> None:
    await _sembrar(cliente, 6)
    otra = {"id": "v9", "campaña_id": "ñ", "influencer_id": "i", "tipo_conversion": "REGISTRO"}
    await cliente.post("/tracking/conversiones", json=otra)
    lista = "/tracking/influencers/i/conversiones"
    assert _ids(await cliente.get(lista)) == ["v9", "v5", "v3", "v1"]
    assert _ids(await cliente.get(lista, params={"tipo_conversion": "venta"})) == ["v3"]
    assert _ids(await cliente.get(lista, params={"campaña_id": "c", "hasta": "2024-01-15T10:05:00Z"})) == [
        "v3",
        "v1",
    ]
    assert _ids(await cliente.get(lista, params={"campana_id": "ñ"})) == ["v9"]
    assert _ids(await cliente.get("/tracking/influencers/nadie/conversiones")) == []
    primera = await cliente.get(lista, params={"limite": "1", "campana_id": "c"})
    enlace = primera.headers["Link"]
    assert enlace.startswith(f"<{lista}?limite=1&campa%C3%B1a_id=c&cursor=")
    assert _ids(await cliente.get(enlace[1:].partition(">")[0])) == ["v3"]
    negada = await cliente.get(lista, params={"influencer_id": "i"})
    assert [falta["codigo"] for falta in negada.json()["errores"]] == ["parametro_desconocido"]


async def test_el_cursor_de_una_campaña_no_vale_para_su_influencer(cliente: httpx2.AsyncClient) -> None:
    await _sembrar(cliente, 6)
    de_la_campaña = await cliente.get(LISTA, params={"limite": "1", "influencer_id": "i"})
    parametros = {"cursor": de_la_campaña.json()["siguiente"], "campaña_id": "c"}
    respuesta = await cliente.get("/tracking/influencers/i/conversiones", params=parametros)
    assert [falta["codigo"] for falta in respuesta.json()["errores"]] == ["cursor_invalido"]


@pytest.mark.parametrize("por", ["link", "cursor"])
async def test_recorrer_la_lista_no_repite_ni_salta_aunque_lleguen_eventos(
    cliente: httpx2.AsyncClient, por: str
) -> None:
    await _sembrar(cliente, 7)
    parametros = {"limite": "3", "influencer_id": "i"}
    respuesta = await cliente.get(LISTA, params={**parametros, "limite": "1"})
    vistos = _ids(respuesta)
    while respuesta.json()["siguiente"] is not None:
        await cliente.post(
            "/tracking/conversiones",
            json={"campaña_id": "c", "influencer_id": "i", "tipo_conversion": "OTRA"},
        )
        if por == "link":
            enlace = respuesta.headers["Link"]
            assert enlace.endswith('>; rel="next"')
            respuesta = await cliente.get(enlace[1 : enlace.index(">")])
        else:
            cursor = respuesta.json()["siguiente"]
            respuesta = await cliente.get(LISTA, params={**parametros, "cursor": cursor})
        vistos += _ids(respuesta)
    assert vistos == ["v5", "v3", "v1"]


async def test_el_enlace_siguiente_lleva_la_campaña_y_los_filtros_codificados(
    cliente: httpx2.AsyncClient,
) -> None:
    for _ in range(2):
        cuerpo = {"campaña_id": "ñ/1 a", "influencer_id": "i&j+k l", "tipo_conversion": "OTRA"}
        await cliente.post("/tracking/conversiones", json=cuerpo)
    direccion = "/tracking/campa%C3%B1as/%C3%B1%2F1%20a/conversiones"
    primera = await cliente.get(f"{direccion}?limite=1&influencer_id=i%26j%2Bk+l")
    enlace = primera.headers["Link"]
    assert enlace.startswith(f"<{direccion}?")
    segunda = await cliente.get(enlace[1 : enlace.index(">")])
    assert len({*_ids(primera), *_ids(segunda)}) == 2


async def test_un_parametro_repetido_es_una_sola_falta(cliente: httpx2.AsyncClient) -> None:
    respuesta = await cliente.get(f"{LISTA}?hasta=a&hasta=b")
    assert [error["campo"] for error in respuesta.json()["errores"]] == ["hasta"]


async def test_una_pagina_llena_y_sin_nada_detras_es_la_ultima(cliente: httpx2.AsyncClient) -> None:
    await _sembrar(cliente, 3)
    for limite in (3, 1_000):
        respuesta = await cliente.get(LISTA, params={"limite": limite})
        assert len(_ids(respuesta)) == 3
        assert respuesta.json()["siguiente"] is None


async def test_un_cursor_retocado_es_422_y_otra_falta_no_lo_hace_invalido(
    cliente: httpx2.AsyncClient,
) -> None:
    await _sembrar(cliente, 4)
    cursor = (await cliente.get(LISTA, params={"limite": "1"})).json()["siguiente"]
    version, atadura, micros, ultimo = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    retocados = [
        [version, atadura, 10**30, ultimo],
        [version, atadura, micros, "a\x00b"],
        [version, atadura, micros, 7],
        [version + 1, atadura, micros, ultimo],
    ]
    for texto in (
        f"{cursor[:4]}!!!!{cursor[4:]}",
        *(base64.urlsafe_b64encode(json.dumps(retocado).encode()).decode() for retocado in retocados),
    ):
        respuesta = await cliente.get(LISTA, params={"cursor": texto})
        assert [error["codigo"] for error in respuesta.json()["errores"]] == ["cursor_invalido"]
    filtrada = await cliente.get(LISTA, params={"limite": "1", "influencer_id": "i"})
    respuesta = await cliente.get(
        LISTA, params={"cursor": filtrada.json()["siguiente"], "influencer_id": " i"}
    )
    assert [error["campo"] for error in respuesta.json()["errores"]] == ["influencer_id"]


async def test_un_cursor_de_otros_filtros_es_422(cliente: httpx2.AsyncClient) -> None:
    await _sembrar(cliente, 3)
    cursor = (await cliente.get(LISTA, params={"limite": "1"})).json()["siguiente"]
    for otra in (f"{LISTA}?tipo_conversion=VENTA", "/tracking/campañas/d/conversiones?limite=1"):
        respuesta = await cliente.get(f"{otra}&cursor={cursor}")
        assert [error["codigo"] for error in respuesta.json()["errores"]] == ["cursor_invalido"]


@pytest.mark.parametrize(
    ("consulta", "faltas"),
    [
        ("limite=0", {"limite": "parametro_invalido"}),
        ("limite=1001", {"limite": "parametro_invalido"}),
        ("limite=%EF%BC%91", {"limite": "parametro_invalido"}),
        (f"limite={'9' * 5_000}", {"limite": "parametro_invalido"}),
        ("influencer_id=%20i", {"influencer_id": "espacio_en_los_extremos"}),
        ("limite=1.5", {"limite": "parametro_invalido"}),
        ("limite=", {"limite": "parametro_invalido"}),
        ("limite", {"limite": "parametro_invalido"}),
        ("limite=1&limite=1", {"limite": "parametro_invalido"}),
        ("desde=2024-01-15", {"desde": "timestamp_ilegible"}),
        ("desde=0001-01-01T00:00:00%2B14:00", {"desde": "timestamp_ilegible"}),
        ("influencer_id=%FF", {"influencer_id": "parametro_invalido"}),
        ("%FF=1", {"": "parametro_desconocido"}),
        ("influencerid=i", {"influencerid": "parametro_desconocido"}),
        ("tipo_conversion=COMPRA", {"tipo_conversion": "valor_no_permitido"}),
        ("cursor=abc", {"cursor": "cursor_invalido"}),
        ("cursor=%C3%B1", {"cursor": "cursor_invalido"}),
        ("&".join(f"p{n}=1" for n in range(33)), {"": "parametro_invalido"}),
        (
            "influencerid=i&limite=x&desde=&hasta=a",
            {
                "limite": "parametro_invalido",
                "desde": "parametro_invalido",
                "hasta": "timestamp_ilegible",
                "influencerid": "parametro_desconocido",
            },
        ),
    ],
)
async def test_un_parametro_que_no_se_entiende_es_422(
    cliente: httpx2.AsyncClient, consulta: str, faltas: dict[str, str]
) -> None:
    respuesta = await cliente.get(f"{LISTA}?{consulta}")
    assert respuesta.status_code == 422
    assert {e["campo"]: e["codigo"] for e in respuesta.json()["errores"]} == faltas


async def test_el_nombre_de_un_parametro_enorme_no_se_devuelve_entero(cliente: httpx2.AsyncClient) -> None:
    respuesta = await cliente.get(f"{LISTA}?{'k' * 5_000}=1")
    (error,) = respuesta.json()["errores"]
    assert error["campo"] == "k" * 128 + "…"


async def test_tipo_conversion_no_es_un_filtro_de_impresiones(cliente: httpx2.AsyncClient) -> None:
    respuesta = await cliente.get("/tracking/campañas/c/impresiones?tipo_conversion=VENTA")
    assert respuesta.status_code == 422


async def test_leer_un_evento_no_admite_parametros(cliente: httpx2.AsyncClient) -> None:
    assert (await cliente.get("/tracking/impresiones/a?x=1")).status_code == 422


@pytest.mark.parametrize("direccion", ["/tracking/impresiones/a", LISTA])
async def test_sin_base_de_datos_las_lecturas_son_503(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, direccion: str
) -> None:
    puertos.hay_base_de_datos = False
    respuesta = await cliente.get(direccion)
    assert respuesta.status_code == 503
    assert int(respuesta.headers["Retry-After"]) > 0
    assert json.loads(respuesta.text)["type"] == "urn:alpespartners:error:base_de_datos_no_disponible"
