"""`GET /tracking/destinos`: lo que fue de todos los envíos, también de los que no se registraron."""

import base64
import json
from datetime import timedelta

import httpx2
import jsonschema_rs
import pytest

from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.handlers import ManejadorDeRegistro
from tests.apoyo.cuerpos import CONVERSION, IMPRESION
from tests.apoyo.eventos import ilegible
from tests.apoyo.memoria import AHORA, PuertosEnMemoria, descripcion

LISTA = "/tracking/destinos"


def _cumple(respuesta: httpx2.Response) -> None:
    """La respuesta es la que la descripción dice."""
    documento = {"$ref": "#/components/schemas/PaginaDestinos", "components": descripcion()["components"]}
    jsonschema_rs.validate(json.loads(json.dumps(documento)), respuesta.json())


async def _comandos(cliente: httpx2.AsyncClient, consulta: str = "") -> list[str]:
    respuesta = await cliente.get(f"{LISTA}?{consulta}")
    assert respuesta.status_code == 200, respuesta.text
    _cumple(respuesta)
    return [destino["comando_id"] for destino in respuesta.json()["elementos"]]


async def test_el_pedido_1001_de_dos_tiendas_es_un_conflicto_que_se_ve_con_lo_que_se_envio(
    cliente: httpx2.AsyncClient,
) -> None:
    de_la_a = {**CONVERSION, "id": "1001", "campaña_id": "tienda-a"}
    de_la_b = {**CONVERSION, "id": "1001", "campaña_id": "tienda-b", "influencer_id": "inf-b"}
    assert (await cliente.post("/tracking/conversiones", json=de_la_a)).status_code == 202
    negado = await cliente.post("/tracking/conversiones", json=de_la_b, headers={"Prefer": "wait=10"})
    assert negado.status_code == 409
    assert "comparten los id" in negado.json()["detail"]
    assert "tienda-1001" in negado.json()["detail"]
    assert (negado.json()["campaña_id"], negado.json()["influencer_id"]) == ("tienda-b", "inf-b")

    respuesta = await cliente.get(f"{LISTA}?estado=RECHAZADA")
    (rechazo,) = respuesta.json()["elementos"]
    assert (rechazo["clase"], rechazo["id"], rechazo["motivo"]) == ("conversion", "1001", "conflicto_de_id")
    assert (rechazo["campaña_id"], rechazo["influencer_id"]) == ("tienda-b", "inf-b")
    assert rechazo["campos"] == ["campaña_id", "influencer_id"]
    assert {nombre: rechazo["enviado"][nombre] for nombre in de_la_b} == de_la_b
    assert '"valor":150000.00,' in respuesta.text
    _cumple(respuesta)


async def test_estan_todos_del_ultimo_decidido_al_primero_y_cada_uno_dice_que_se_envio(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    await cliente.post("/tracking/impresiones", json=IMPRESION)
    await cliente.post("/tracking/conversiones", json=CONVERSION)
    await cliente.post("/tracking/conversiones", json={**CONVERSION, "user_agent": "otro"})
    ManejadorDeRegistro(clases.CONVERSIONES).manejar(
        [ilegible("x")], puertos.registrado, AHORA + timedelta(seconds=1)
    )
    respuesta = await cliente.get(LISTA)
    _cumple(respuesta)
    carta, duplicado, conversion, impresion = respuesta.json()["elementos"]
    assert (carta["estado"], carta["id"], carta["enviado"]) == ("ILEGIBLE", None, None)
    assert (duplicado["estado"], duplicado["difieren"]) == ("DUPLICADA", ["user_agent"])
    assert duplicado["original"] == conversion["comando_id"]
    assert duplicado["enviado"] == {**conversion["enviado"], "user_agent": "otro"}
    assert (conversion["estado"], conversion["clase"]) == ("REGISTRADA", "conversion")
    assert (impresion["estado"], impresion["clase"]) == ("REGISTRADA", "impresion")
    assert impresion["enviado"]["tipo_evento"] == "IMPRESION"


@pytest.mark.parametrize(
    ("consulta", "cuales"),
    [
        ("estado=REGISTRADA", ["b", "a"]),
        ("estado=registrada&clase=impresion", ["a"]),
        ("clase=conversiones", ["d", "c", "b"]),
        ("motivo=conflicto_de_id", ["d"]),
        ("estado=DUPLICADA&motivo=conflicto_de_id", []),
        ("campa%C3%B1a_id=otra", ["d"]),
        ("campana_id=otra", ["d"]),
        ("campana_id=nunca", []),
        ("desde=2024-01-15T10:36:00.12Z", ["d", "c", "b", "a"]),
        ("hasta=2024-01-15T10:36:00.12Z", []),
    ],
)
async def test_los_filtros(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, consulta: str, cuales: list[str]
) -> None:
    await cliente.post("/tracking/impresiones", json=IMPRESION)
    for cambios in ({}, {}, {"campaña_id": "otra"}):
        await cliente.post("/tracking/conversiones", json={**CONVERSION, **cambios})
    de_quien = dict(zip((comando_id for _, comando_id, _ in puertos.publicados), "abcd", strict=True))
    assert [de_quien[comando] for comando in await _comandos(cliente, consulta)] == sorted(
        cuales, key="dcba".index
    )


async def test_las_paginas_se_enlazan_y_no_repiten_lo_que_llega_mientras_se_recorren(
    cliente: httpx2.AsyncClient,
) -> None:
    for numero in range(5):
        await cliente.post("/tracking/conversiones", json={**CONVERSION, "id": f"v{numero}"})
    vistos: list[str] = []
    siguiente = f"{LISTA}?limite=2&clase=conversion"
    while siguiente:
        respuesta = await cliente.get(siguiente)
        vistos += [destino["id"] for destino in respuesta.json()["elementos"]]
        enlace = respuesta.headers.get("Link", "")
        assert bool(enlace) == (respuesta.json()["siguiente"] is not None)
        siguiente = enlace.partition("<")[2].partition(">")[0]
        await cliente.post("/tracking/conversiones", json={**CONVERSION, "id": f"z{len(vistos)}"})
    assert [visto for visto in vistos if visto.startswith("v")] == ["v4", "v3", "v2", "v1", "v0"]
    assert len(vistos) == len(set(vistos))


@pytest.mark.parametrize(
    ("consulta", "campo", "codigo"),
    [
        ("foo=1", "foo", "parametro_desconocido"),
        ("estado=ACEPTADA", "estado", "parametro_invalido"),
        ("motivo=nada", "motivo", "parametro_invalido"),
        # Es de una petición: ningún envío que se aceptó acabó así.
        ("motivo=cursor_invalido", "motivo", "parametro_invalido"),
        ("clase=venta", "clase", "parametro_invalido"),
        ("limite=1001", "limite", "parametro_invalido"),
        ("desde=ayer", "desde", "timestamp_ilegible"),
        ("campana_id=%20a", "campaña_id", "espacio_en_los_extremos"),
        ("campana_id=a&campa%C3%B1a_id=b", "campaña_id", "campo_repetido"),
        ("cursor=x", "cursor", "cursor_invalido"),
    ],
)
async def test_un_filtro_mal_escrito_es_una_falta(
    cliente: httpx2.AsyncClient, consulta: str, campo: str, codigo: str
) -> None:
    respuesta = await cliente.get(f"{LISTA}?{consulta}")
    assert respuesta.status_code == 422
    assert [(f["campo"], f["codigo"]) for f in respuesta.json()["errores"]] == [(campo, codigo)]


async def test_un_cursor_solo_vale_con_sus_filtros(cliente: httpx2.AsyncClient) -> None:
    for numero in range(2):
        await cliente.post("/tracking/conversiones", json={**CONVERSION, "id": f"v{numero}"})
    cursor = (await cliente.get(f"{LISTA}?limite=1")).json()["siguiente"]
    assert (await cliente.get(f"{LISTA}?limite=9&cursor={cursor}")).status_code == 200
    assert (await cliente.get(f"{LISTA}?estado=REGISTRADA&cursor={cursor}")).status_code == 422


@pytest.mark.parametrize(
    "lugar",
    [
        [10**30, "conversion/REGISTRADA", "v1"],
        [253_402_300_799_999_999, "conversion/REGISTRADA", "v1"],
        [0, "conversion/REGISTRADA"],
        [0, "conversion/REGISTRADA", "\ud800"],
        [0, "conversion/RECHAZADA", "c", "no es hexadecimal"],
        [0, "conversion/RECHAZADA", "\ud800", "00"],
        [0, "otra/RECHAZADA", "c", "00"],
        [0],
        [0, 1],
    ],
)
async def test_un_cursor_escrito_a_mano_es_una_falta_y_no_un_fallo(
    cliente: httpx2.AsyncClient, lugar: list[object]
) -> None:
    for numero in range(2):
        await cliente.post("/tracking/conversiones", json={**CONVERSION, "id": f"v{numero}"})
    bueno = (await cliente.get(f"{LISTA}?limite=1")).json()["siguiente"]
    version, atadura, *_ = json.loads(base64.urlsafe_b64decode(bueno + "=="))
    falso = base64.urlsafe_b64encode(json.dumps([version, atadura, *lugar]).encode()).decode().rstrip("=")
    respuesta = await cliente.get(f"{LISTA}?cursor={falso}")
    assert respuesta.status_code == 422
    assert respuesta.json()["errores"][0]["codigo"] == "cursor_invalido"


async def test_sin_base_de_datos_es_503(cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria) -> None:
    puertos.hay_base_de_datos = False
    assert (await cliente.get(LISTA)).status_code == 503
