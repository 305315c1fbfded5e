"""`GET …/destino` y `GET /tracking/balance`."""

import json
from dataclasses import replace
from datetime import timedelta

import httpx2
import jsonschema_rs
import pytest

from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.handlers import ManejadorDeRegistro
from alpespartners.modulos.tracking.aplicacion.mensajes import EnviosPendientes
from tests.apoyo import eventos
from tests.apoyo.cuerpos import CONVERSION, IMPRESION
from tests.apoyo.eventos import IMPRESION as UN_CLIC
from tests.apoyo.eventos import ilegible, recibido
from tests.apoyo.memoria import AHORA, PuertosEnMemoria, descripcion

INSTANTE = "2024-01-15T10:36:00.120000Z"


def _cumple(respuesta: httpx2.Response, esquema: str) -> None:
    """La respuesta es la que la descripción dice."""
    documento = {"$ref": f"#/components/schemas/{esquema}", "components": descripcion()["components"]}
    jsonschema_rs.validate(json.loads(json.dumps(documento)), respuesta.json())


async def _enviar(cliente: httpx2.AsyncClient, **cambios: object) -> str:
    respuesta = await cliente.post("/tracking/conversiones", json={**CONVERSION, **cambios})
    comando_id: str = respuesta.json()["comando_id"]
    return comando_id


async def test_el_destino_cuenta_todo_lo_que_paso_con_el_id(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    registrado = await _enviar(cliente)
    duplicado = await _enviar(cliente, user_agent="otro", timestamp="2024-01-15T10:35:07Z")
    rechazado = await _enviar(cliente, valor=1, influencer_id="inf-9")
    ManejadorDeRegistro(clases.CONVERSIONES).manejar(
        [ilegible("x", clave="conv-123")], puertos.registrado, AHORA + timedelta(seconds=1)
    )
    respuesta = await cliente.get("/tracking/conversiones/conv-123/destino")
    assert respuesta.status_code == 200
    assert respuesta.headers["Content-Type"] == "application/json"
    cuando = {"recibido_en": INSTANTE, "decidido_en": INSTANTE}
    assert respuesta.json() == {
        "id": "conv-123",
        "destinos": [
            {"estado": "REGISTRADA", "comando_id": registrado, **cuando},
            {
                "estado": "DUPLICADA",
                "original": registrado,
                "difieren": ["user_agent", "timestamp"],
                "comando_id": duplicado,
                **cuando,
            },
            {
                "estado": "RECHAZADA",
                "motivo": "conflicto_de_id",
                "detalle": (
                    "ya existe ese id con otro contenido; difieren: influencer_id, valor. Todas las campañas "
                    "y todos los que envían comparten los id: si es otro evento, anteponga al suyo algo "
                    "propio, como tienda-1001"
                ),
                "campos": ["influencer_id", "valor"],
                "campaña_id": "cmp-456",
                "influencer_id": "inf-9",
                "comando_id": rechazado,
                **cuando,
            },
            {
                "estado": "ILEGIBLE",
                "detalle": "no es un registro Avro",
                "comando_id": "x",
                "recibido_en": "2026-01-15T10:36:00.120000Z",
                "decidido_en": "2024-01-15T10:36:01.120000Z",
            },
        ],
        "omitidos": 0,
    }
    _cumple(respuesta, "Historia")


async def test_impresiones_y_conversiones_tienen_destinos_distintos(cliente: httpx2.AsyncClient) -> None:
    await cliente.post("/tracking/impresiones", json={**IMPRESION, "id": "mismo"})
    assert (await cliente.get("/tracking/impresiones/mismo/destino")).status_code == 200
    assert (await cliente.get("/tracking/conversiones/mismo/destino")).status_code == 404


async def test_a_barra_destino_es_un_id_y_tiene_destino(cliente: httpx2.AsyncClient) -> None:
    await cliente.post("/tracking/impresiones", json={**IMPRESION, "id": "a/destino"})
    leida = await cliente.get("/tracking/impresiones/a%2Fdestino")
    assert (leida.status_code, leida.json()["id"]) == (200, "a/destino")
    destino = await cliente.get("/tracking/impresiones/a%2Fdestino/destino")
    assert (destino.status_code, destino.json()["id"]) == (200, "a/destino")
    assert (await cliente.get("/tracking/impresiones/a/destino")).status_code == 404


@pytest.mark.parametrize("consumidores", [0, 1])
async def test_de_un_id_desconocido_se_dice_quien_consume_y_hasta_donde_se_ha_procesado(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, consumidores: int
) -> None:
    await _enviar(cliente)
    puertos.cuantos_consumidores = consumidores
    respuesta = await cliente.get("/tracking/conversiones/nunca/destino")
    assert respuesta.status_code == 404
    assert respuesta.headers["Content-Type"] == "application/problem+json"
    cuerpo = respuesta.json()
    assert cuerpo["type"] == "urn:alpespartners:error:destino_desconocido"
    assert (cuerpo["consumidores"], cuerpo["procesado_hasta"]) == (consumidores, INSTANTE)
    assert ("ahora no hay ninguno" in cuerpo["detail"]) == (consumidores == 0)
    _cumple(respuesta, "DestinoDesconocido")


async def test_lo_aceptado_y_sin_procesar_todavia_no_tiene_destino(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    puertos.cuantos_consumidores = 0
    await _enviar(cliente)
    respuesta = await cliente.get("/tracking/conversiones/conv-123/destino")
    assert (respuesta.status_code, respuesta.json()["procesado_hasta"]) == (404, None)
    assert "Aún no se ha procesado" in respuesta.json()["detail"]
    puertos.consumir()
    assert (await cliente.get("/tracking/conversiones/conv-123/destino")).status_code == 200


async def test_si_no_se_sabe_cuantos_consumen_se_dice_null(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    puertos.se_sabe_quien_consume = False
    cuerpo = (await cliente.get("/tracking/impresiones/nunca/destino")).json()
    assert cuerpo["consumidores"] is None


@pytest.mark.parametrize("parte", ["", "%20a", "a%00", "%FF", "x" * 129])
async def test_un_id_que_no_puede_existir_es_404(cliente: httpx2.AsyncClient, parte: str) -> None:
    assert (await cliente.get(f"/tracking/impresiones/{parte}/destino")).status_code == 404


@pytest.mark.parametrize("direccion", ["/tracking/impresiones/a/destino", "/tracking/balance"])
async def test_no_admiten_parametros_y_sin_base_de_datos_son_503(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, direccion: str
) -> None:
    assert (await cliente.get(f"{direccion}?x=1")).status_code == 422
    puertos.hay_base_de_datos = False
    assert (await cliente.get(direccion)).status_code == 503


async def test_el_balance_sin_nada_procesado_esta_a_cero(cliente: httpx2.AsyncClient) -> None:
    respuesta = await cliente.get("/tracking/balance")
    a_cero = {
        "registradas": 0,
        "duplicadas": 0,
        "rechazadas": {},
        "ignoradas": {},
        "ilegibles": 0,
        "total": 0,
        "procesado_hasta": None,
    }
    assert respuesta.json() == {
        "comandos": [
            {"topico": "comando-registrar-impresion", **a_cero},
            {"topico": "comando-registrar-conversion", **a_cero},
        ],
        "bandeja_salida": {"pendientes": 0, "desde": None},
        "clics_en_espera": 0,
        "clics_perdidos": 0,
    }
    _cumple(respuesta, "Balance")


async def test_el_balance_cuenta_cada_comando_en_su_destino(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    for cambios in ({}, {}, {"valor": 1}, {"valor": 2}, {"id": "otra"}):
        await _enviar(cliente, **cambios)
    ignorado = recibido(replace(eventos.CONVERSION, campaña_id="", ignorada="sin_campaña"), "y")
    ManejadorDeRegistro(clases.CONVERSIONES).manejar([ilegible("x"), ignorado], puertos.registrado, AHORA)
    respuesta = await cliente.get("/tracking/balance")
    de_impresiones, de_conversiones = respuesta.json()["comandos"]
    assert de_impresiones["total"] == 0
    assert de_conversiones == {
        "topico": "comando-registrar-conversion",
        "registradas": 2,
        "duplicadas": 1,
        "rechazadas": {"conflicto_de_id": 2},
        "ignoradas": {"sin_campaña": 1},
        "ilegibles": 1,
        "total": 7,
        "procesado_hasta": "2026-01-15T10:36:00.120000Z",
    }
    _cumple(respuesta, "Balance")


async def test_el_balance_dice_lo_que_espera_en_la_bandeja_y_desde_cuando(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    puertos.registrado.balance.bandeja = EnviosPendientes(cuantos=7, desde=AHORA)
    respuesta = await cliente.get("/tracking/balance")
    assert respuesta.json()["bandeja_salida"] == {"pendientes": 7, "desde": INSTANTE}
    _cumple(respuesta, "Balance")


async def test_el_balance_dice_los_clics_que_esperan_al_broker_y_los_que_se_perdieron(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    puertos.clics.perdidos = 2
    await puertos.clics.guardar(UN_CLIC, comando_id="c-1", traza=None)
    leido = (await cliente.get("/tracking/balance")).json()
    assert (leido["clics_en_espera"], leido["clics_perdidos"]) == (1, 2)
