"""`Prefer: wait=N`: la respuesta que espera el destino, y la que no llega a saberlo."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, MutableMapping
from typing import Any

import httpx2
import jsonschema_rs
import pytest
from starlette.types import ASGIApp, Message

from alpespartners.modulos.tracking.aplicacion.esperas import ESPERAS_MAXIMAS
from alpespartners.modulos.tracking.aplicacion.mensajes import DestinoDeComando, IdentidadComando
from alpespartners.modulos.tracking.aplicacion.topicos import COMANDO_REGISTRAR_IMPRESION
from alpespartners.modulos.tracking.dominio.destinos import Destino, Ilegible, Rechazada
from alpespartners.modulos.tracking.dominio.excepciones import Codigo
from tests.apoyo.cuerpos import CONVERSION, IMPRESION
from tests.apoyo.espera import hasta_en_el_bucle
from tests.apoyo.memoria import AHORA, PuertosEnMemoria, api_en_memoria, cliente_de, descripcion

ESPERAR = {"Prefer": "wait=10"}


@pytest.fixture
def api(puertos: PuertosEnMemoria) -> ASGIApp:
    return api_en_memoria(puertos)


@pytest.fixture
async def cliente(api: ASGIApp) -> AsyncGenerator[httpx2.AsyncClient]:
    async with cliente_de(api) as abierto:
        yield abierto


def _cumple(respuesta: httpx2.Response, esquema: str) -> None:
    """La respuesta es la que la descripción dice."""
    documento = {"$ref": f"#/components/schemas/{esquema}", "components": descripcion()["components"]}
    jsonschema_rs.validate(json.loads(json.dumps(documento)), respuesta.json())


@pytest.mark.parametrize(
    ("ruta", "cuerpo", "esquema"),
    [
        ("/tracking/impresiones", IMPRESION, "Impresion"),
        ("/tracking/conversiones", CONVERSION, "Conversion"),
    ],
)
async def test_registrado_es_201_y_repetido_igual_es_200_con_el_recurso(
    cliente: httpx2.AsyncClient, ruta: str, cuerpo: dict[str, object], esquema: str
) -> None:
    nuevo = await cliente.post(ruta, json=cuerpo, headers=ESPERAR)
    leido = await cliente.get(f"{ruta}/{cuerpo['id']}")
    assert nuevo.status_code == 201
    assert nuevo.headers["Location"] == f"{ruta}/{cuerpo['id']}"
    assert nuevo.headers["Preference-Applied"] == "wait=10"
    assert nuevo.headers["Content-Type"] == "application/json"
    assert nuevo.content == leido.content
    _cumple(nuevo, esquema)

    repetido = await cliente.post(ruta, json=cuerpo, headers=ESPERAR)
    assert repetido.status_code == 200
    assert repetido.headers["Preference-Applied"] == "wait=10"
    assert repetido.content == leido.content


async def test_un_reintento_que_solo_difiere_en_lo_que_describe_es_200_y_dice_en_que(
    cliente: httpx2.AsyncClient,
) -> None:
    await cliente.post("/tracking/conversiones", json=CONVERSION)
    leido = await cliente.get("/tracking/conversiones/conv-123")
    otra = {**CONVERSION, "user_agent": "otro", "timestamp": "2024-01-15T10:35:07Z"}
    respuesta = await cliente.post("/tracking/conversiones", json=otra, headers=ESPERAR)
    assert respuesta.status_code == 200
    assert respuesta.json() == {**leido.json(), "difieren": ["user_agent", "timestamp"]}
    _cumple(respuesta, "ConversionRepetida")


async def test_el_mismo_id_con_otro_contenido_es_409_con_los_campos_que_difieren(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    await cliente.post("/tracking/conversiones", json=CONVERSION)
    otra = {**CONVERSION, "valor": 1, "usuario_id": "secreto"}
    respuesta = await cliente.post("/tracking/conversiones", json=otra, headers=ESPERAR)
    assert respuesta.status_code == 409
    assert respuesta.headers["Content-Type"] == "application/problem+json"
    assert respuesta.headers["Preference-Applied"] == "wait=10"
    assert respuesta.json() == {
        "type": "urn:alpespartners:error:conflicto_de_id",
        "title": "Conflicto de id",
        "status": 409,
        "detail": (
            "No se registró: ya existe ese id con otro contenido; difieren: usuario_id, valor. Todas las "
            "campañas y todos los que envían comparten los id: si es otro evento, anteponga al suyo algo "
            "propio, como tienda-1001."
        ),
        "id": "conv-123",
        "comando_id": puertos.publicados[-1][1],
        "motivo": "conflicto_de_id",
        "campos": ["usuario_id", "valor"],
        "campaña_id": "cmp-456",
        "influencer_id": None,
    }
    _cumple(respuesta, "EnvioNegado")


@pytest.mark.parametrize(
    ("destino", "motivo", "campos", "detalle"),
    [
        (
            Rechazada(Codigo.MONEDA_DESCONOCIDA, "moneda: no es una moneda activa", ("moneda",)),
            "moneda_desconocida",
            ["moneda"],
            "No se registró: moneda: no es una moneda activa.",
        ),
        (Ilegible("no es un registro Avro"), None, [], "No se registró: no es un registro Avro."),
    ],
)
async def test_lo_que_el_consumidor_no_pudo_registrar_es_422_con_la_razon(
    cliente: httpx2.AsyncClient,
    puertos: PuertosEnMemoria,
    destino: Destino,
    motivo: str | None,
    campos: list[str],
    detalle: str,
) -> None:
    puertos.cuantos_consumidores = 0
    envio = asyncio.create_task(cliente.post("/tracking/impresiones", json=IMPRESION, headers=ESPERAR))
    await hasta_en_el_bucle(lambda: puertos.consultas)
    comando_id = puertos.publicados[0][1]
    asiento = DestinoDeComando(
        identidad=IdentidadComando(comando_id, bytes(16)),
        evento_id="imp-123",
        recibido_en=AHORA,
        decidido_en=AHORA,
        destino=destino,
    )
    puertos.registrado.destinos.anotar(COMANDO_REGISTRAR_IMPRESION, [asiento])
    respuesta = await envio
    assert respuesta.status_code == 422
    assert respuesta.headers["Preference-Applied"] == "wait=10"
    cuerpo = respuesta.json()
    assert cuerpo["type"] == "urn:alpespartners:error:no_registrado"
    assert (cuerpo["motivo"], cuerpo["campos"], cuerpo["detail"]) == (motivo, campos, detalle)
    assert (cuerpo["id"], cuerpo["comando_id"]) == ("imp-123", comando_id)
    _cumple(respuesta, "EnvioNegado")


async def test_si_el_plazo_vence_antes_es_el_202_de_siempre(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    puertos.cuantos_consumidores = 0
    comienzo = time.monotonic()
    respuesta = await cliente.post("/tracking/impresiones", json=IMPRESION, headers={"Prefer": "wait=1"})
    assert time.monotonic() - comienzo >= 1
    assert respuesta.status_code == 202
    assert respuesta.headers["Preference-Applied"] == "wait=1"
    assert respuesta.headers["Location"] == "/tracking/impresiones/imp-123"
    assert respuesta.json()["estado"] == "ACEPTADA"
    _cumple(respuesta, "Aceptado")


async def test_con_la_base_de_datos_caida_el_plazo_vence_en_un_202(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    puertos.hay_base_de_datos = False
    respuesta = await cliente.post("/tracking/impresiones", json=IMPRESION, headers={"Prefer": "wait=1"})
    assert (respuesta.status_code, respuesta.headers["Preference-Applied"]) == (202, "wait=1")
    assert puertos.consultas > 1


async def test_el_destino_llega_mientras_se_espera(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    puertos.cuantos_consumidores = 0
    envio = asyncio.create_task(cliente.post("/tracking/impresiones", json=IMPRESION, headers=ESPERAR))
    await hasta_en_el_bucle(lambda: puertos.consultas >= 2)
    puertos.consumir()
    assert (await envio).status_code == 201


@pytest.mark.parametrize("preferencia", ["", "respond-async", "wait=pronto", "wait=-1"])
async def test_sin_una_espera_que_se_entienda_la_respuesta_no_espera(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, preferencia: str
) -> None:
    respuesta = await cliente.post("/tracking/impresiones", json=IMPRESION, headers={"Prefer": preferencia})
    assert respuesta.status_code == 202
    assert "Preference-Applied" not in respuesta.headers
    assert puertos.consultas == 0


async def test_esperar_cero_segundos_no_pregunta_nada(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    respuesta = await cliente.post("/tracking/impresiones", json=IMPRESION, headers={"Prefer": "wait=0"})
    assert (respuesta.status_code, respuesta.headers["Preference-Applied"]) == (202, "wait=0")
    assert puertos.consultas == 0


async def test_pedir_mas_de_diez_segundos_vale_por_diez(cliente: httpx2.AsyncClient) -> None:
    respuesta = await cliente.post("/tracking/impresiones", json=IMPRESION, headers={"Prefer": "wait=3600"})
    assert (respuesta.status_code, respuesta.headers["Preference-Applied"]) == (201, "wait=10")


async def test_varias_cabeceras_prefer_son_una_lista(cliente: httpx2.AsyncClient) -> None:
    cabeceras = [("Prefer", "respond-async"), ("prefer", "WAIT = 5")]
    respuesta = await cliente.post("/tracking/impresiones", json=IMPRESION, headers=cabeceras)
    assert (respuesta.status_code, respuesta.headers["Preference-Applied"]) == (201, "wait=5")


async def test_los_que_caben_esperan_a_la_vez_y_el_siguiente_recibe_su_202_al_momento(
    puertos: PuertosEnMemoria,
) -> None:
    puertos.cuantos_consumidores = 0
    ids = {f"i-{n}" for n in range(20)}
    async with cliente_de(api_en_memoria(puertos, esperas_maximas=len(ids))) as cliente:

        async def enviar(id_evento: str) -> httpx2.Response:
            return await cliente.post(
                "/tracking/impresiones", json=IMPRESION | {"id": id_evento}, headers=ESPERAR
            )

        envios = [asyncio.create_task(enviar(id_evento)) for id_evento in ids]
        await hasta_en_el_bucle(lambda: len(puertos.publicados) == len(ids))
        de_mas = await enviar("otro")
        assert de_mas.status_code == 202
        assert "Preference-Applied" not in de_mas.headers
        puertos.consumir()
        respuestas = await asyncio.gather(*envios)
    assert {respuesta.status_code for respuesta in respuestas} == {201}
    assert {respuesta.json()["id"] for respuesta in respuestas} == ids


def test_caben_mil_por_proceso() -> None:
    assert ESPERAS_MAXIMAS == 1_000


async def test_quien_se_desconecta_deja_de_esperar(api: ASGIApp, puertos: PuertosEnMemoria) -> None:
    puertos.cuantos_consumidores = 0
    peticion = _Peticion(api)
    await hasta_en_el_bucle(lambda: puertos.consultas)
    peticion.entrantes.put_nowait({"type": "http.disconnect"})
    await peticion.tarea
    assert peticion.enviados == []
    await hasta_en_el_bucle(lambda: len(asyncio.all_tasks()) == 1)


async def test_si_el_servidor_se_cierra_quien_espera_recibe_su_202(
    api: ASGIApp, puertos: PuertosEnMemoria
) -> None:
    puertos.cuantos_consumidores = 0
    peticion = _Peticion(api)
    await hasta_en_el_bucle(lambda: puertos.consultas)
    peticion.tarea.cancel()
    await peticion.tarea
    assert peticion.enviados[0]["status"] == 202
    assert b"preference-applied" not in dict(peticion.enviados[0]["headers"])
    await hasta_en_el_bucle(lambda: len(asyncio.all_tasks()) == 1)


class _Peticion:
    """Un envío que espera, con su conexión a la vista."""

    def __init__(self, api: ASGIApp) -> None:
        self.entrantes: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self.enviados: list[Message] = []
        # uvicorn puede entregar un trozo vacío detrás del último.
        for trozo in (json.dumps(IMPRESION).encode(), b""):
            self.entrantes.put_nowait({"type": "http.request", "body": trozo, "more_body": False})
        scope = {
            "type": "http",
            "method": "POST",
            "raw_path": b"/tracking/impresiones",
            "query_string": b"",
            "headers": [
                (b"host", b"localhost"),
                (b"content-type", b"application/json"),
                (b"prefer", b"wait=10"),
            ],
            "client": ("127.0.0.1", 50_000),
        }
        self.tarea = asyncio.ensure_future(api(scope, self.entrantes.get, self._enviar))

    async def _enviar(self, mensaje: Message) -> None:
        self.enviados.append(mensaje)
