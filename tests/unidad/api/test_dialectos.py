"""Segment y PostHog vistos desde HTTP: cada suceso acaba en un destino, y el SDK lee lo que espera."""

import asyncio
import gzip
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from alpespartners.api.captura.dialectos.apertura import (
    OCTETOS_DE_UN_SUCESO,
    SIGNOS_MAXIMOS,
    SIGNOS_SUELTOS,
    SUCESOS_MAXIMOS,
)
from alpespartners.api.captura.dialectos.tabla import POSTHOG, SEGMENT, Tabla
from alpespartners.api.http.claves import Alcance, Clave, Dialecto
from alpespartners.modulos.tracking.aplicacion.permisos import Permiso
from tests.apoyo.llavero import LlaveroEnMemoria, clave_de
from tests.apoyo.memoria import AHORA, PuertosEnMemoria, api_en_memoria, cliente_de
from tests.apoyo.repositorio import RAIZ

LLAVERO = LlaveroEnMemoria(
    {
        "de-segment": clave_de(Dialecto.SEGMENT),
        "de-una": clave_de(Dialecto.SEGMENT, Permiso(campañas=frozenset({"cmp-única"}), prefijo="tienda-")),
        "de-posthog": clave_de(Dialecto.POSTHOG),
        "propia": clave_de(None),
        "que-lee": Clave(alcances=frozenset({Alcance.LECTURA}), dialecto=Dialecto.SEGMENT),
    }
)
PEDIDO: dict[str, Any] = {
    "type": "track",
    "event": "Order Completed",
    "messageId": "m-1",
    "userId": 101,
    "anonymousId": "anon-1",
    "timestamp": "2024-01-15T10:30:00.000Z",
    "properties": {
        "order_id": "pedido-1",
        "campaign_id": "cmp-1",
        "influencer_id": "inf-1",
        "total": 150000.5,
        "currency": "COP",
        "coupon": "ANA10",
        "affiliation": "Tienda norte",
        "products": [{"sku": "a"}],
    },
    "context": {
        "userAgent": "Mozilla/5.0",
        "ip": "192.168.1.1",
        "page": {"referrer": "https://instagram.com", "path": "/gracias"},
        "campaign": {"name": "verano", "source": "instagram"},
        "library": {"name": "analytics-prueba"},
    },
    "integrations": {"All": True},
}


@pytest.fixture
def puertos() -> PuertosEnMemoria:
    return PuertosEnMemoria()


@pytest.fixture
async def cliente(puertos: PuertosEnMemoria) -> AsyncIterator[httpx2.AsyncClient]:
    async with cliente_de(api_en_memoria(puertos, llavero=LLAVERO)) as abierto:
        yield abierto


def con(clave: str) -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(f'{clave}:'.encode()).decode()}"}


async def enviar(
    cliente: httpx2.AsyncClient, *sucesos: object, clave: str = "de-segment", **sobre: object
) -> httpx2.Response:
    return await cliente.post("/v1/batch", json={"batch": [*sucesos], **sobre}, headers=con(clave))


async def enviar_escritos(cliente: httpx2.AsyncClient, *sucesos: str) -> httpx2.Response:
    """Un envío de sucesos escritos a mano; un sustituto suelto es un octeto que no es UTF-8."""
    cuerpo = f'{{"batch":[{",".join(sucesos)}]}}'.encode("utf-8", "surrogateescape")
    return await cliente.post("/v1/batch", content=cuerpo, headers=con("de-segment"))


async def destino(cliente: httpx2.AsyncClient, clase: str, id_evento: str) -> Any:
    """El último destino de ese `id`."""
    respuesta = await cliente.get(f"/tracking/{clase}/{id_evento}/destino")
    assert respuesta.status_code == 200, respuesta.text
    return respuesta.json()["destinos"][-1]


def acogidos(respuesta: httpx2.Response) -> tuple[str, str, str]:
    assert respuesta.status_code == 200, respuesta.text
    assert respuesta.json() == {"success": True}
    return (
        respuesta.headers["alpes-aceptados"],
        respuesta.headers["alpes-rechazados"],
        respuesta.headers["alpes-ignorados"],
    )


def pedido(**propiedades: object) -> dict[str, Any]:
    juntas = {**PEDIDO["properties"], **propiedades}
    return {**PEDIDO, "properties": {n: v for n, v in juntas.items() if v is not None}}


async def test_un_pedido_es_una_venta_con_su_importe_exacto(cliente: httpx2.AsyncClient) -> None:
    assert acogidos(await enviar(cliente, PEDIDO)) == ("1", "0", "0")
    respuesta = await cliente.get("/tracking/conversiones/pedido-1")
    venta = json.loads(respuesta.text, parse_float=Decimal)
    assert venta["valor"] == Decimal("150000.50")
    esperado = {
        "campaña_id": "cmp-1",
        "influencer_id": "inf-1",
        "usuario_id": "101",
        "tipo_conversion": "VENTA",
        "moneda": "COP",
        "cupon": "ANA10",
        "user_agent": "Mozilla/5.0",
        "ip_address": "192.168.1.1",
        "referrer": "https://instagram.com",
        "timestamp": "2024-01-15T10:30:00Z",
        "advertencias": [],
    }
    assert venta | esperado == venta
    assert venta["propiedades"] == {
        "affiliation": "Tienda norte",
        "products": '[{"sku":"a"}]',
        "type": "track",
        "event": "Order Completed",
        "messageId": "m-1",
        "anonymousId": "anon-1",
        "context.page": '{"path":"/gracias"}',
        "context.campaign": '{"name":"verano","source":"instagram"}',
        "context.library": '{"name":"analytics-prueba"}',
    }


@pytest.mark.parametrize(
    ("evento", "tipo"),
    [("Product Viewed", "VISUALIZACION"), ("Ad Viewed", "IMPRESION"), ("ad clicked ", "CLIC")],
)
async def test_lo_que_se_ve_es_una_impresion(cliente: httpx2.AsyncClient, evento: str, tipo: str) -> None:
    visto = {
        "type": "track",
        "event": evento,
        "messageId": "m-2",
        "context": {"campaign": {"name": "verano"}},
    }
    assert acogidos(await enviar(cliente, visto)) == ("1", "0", "0")
    impresion = (await cliente.get("/tracking/impresiones/m-2")).json()
    assert (impresion["tipo_evento"], impresion["campaña_id"]) == (tipo, "verano")


async def test_un_importe_es_el_numero_tal_como_se_escribio(cliente: httpx2.AsyncClient) -> None:
    cuerpo = json.dumps({"batch": [pedido(total="AQUÍ")]}).replace(json.dumps("AQUÍ"), "1.505e3")
    assert acogidos(await cliente.post("/v1/batch", content=cuerpo, headers=con("de-segment")))[0] == "1"
    assert '"valor":1505.00' in (await cliente.get("/tracking/conversiones/pedido-1")).text


async def test_el_mismo_pedido_dos_veces_es_uno(cliente: httpx2.AsyncClient) -> None:
    await enviar(cliente, PEDIDO)
    await enviar(cliente, {**PEDIDO, "messageId": "m-otro"})
    assert (await destino(cliente, "conversiones", "pedido-1"))["estado"] == "DUPLICADA"


@pytest.mark.parametrize(
    ("suceso", "clase", "id_evento", "motivo"),
    [
        ({"type": "identify", "messageId": "m-3"}, "impresiones", "m-3", "sin_correspondencia"),
        (
            {"type": "page", "event": "Order Completed", "messageId": "m-3"},
            "impresiones",
            "m-3",
            "sin_correspondencia",
        ),
        (
            {"type": "track", "event": "Email Opened", "messageId": "m-3"},
            "impresiones",
            "m-3",
            "sin_correspondencia",
        ),
        ({"type": "track", "event": 7, "messageId": "m-3"}, "impresiones", "m-3", "sin_correspondencia"),
        (
            {"type": "track", "event": "Order Completed", "properties": {"order_id": "p-3"}},
            "conversiones",
            "p-3",
            "sin_campaña",
        ),
        ({**PEDIDO, "relleno": "x" * OCTETOS_DE_UN_SUCESO}, "conversiones", "pedido-1", "demasiado_grande"),
    ],
)
async def test_lo_que_no_tiene_correspondencia_se_ignora_a_la_vista(
    cliente: httpx2.AsyncClient, suceso: object, clase: str, id_evento: str, motivo: str
) -> None:
    assert acogidos(await enviar(cliente, suceso)) == ("0", "0", "1")
    hallado = await destino(cliente, clase, id_evento)
    assert (hallado["estado"], hallado["motivo"]) == ("IGNORADA", motivo)
    for filtro in ("estado=IGNORADA", f"motivo={motivo}"):
        lista = (await cliente.get(f"/tracking/destinos?{filtro}")).json()["elementos"]
        assert [(uno["id"], uno["motivo"]) for uno in lista] == [(id_evento, motivo)]
        assert lista[0]["enviado"]["id"] == id_evento
    metricas = (await cliente.get("/metricas")).text
    assert f'estado="IGNORADA",motivo="{motivo}"' in metricas
    balance = (await cliente.get("/tracking/balance")).json()["comandos"]
    assert {uno["topico"]: uno["ignoradas"] for uno in balance if uno["ignoradas"]} == {
        f"comando-registrar-{'impresion' if clase == 'impresiones' else 'conversion'}": {motivo: 1}
    }


@pytest.mark.parametrize("suceso", [7, None, "x", [], {}])
async def test_lo_que_no_es_un_suceso_tambien_consta(cliente: httpx2.AsyncClient, suceso: object) -> None:
    assert acogidos(await enviar(cliente, suceso)) == ("0", "0", "1")
    (uno,) = (await cliente.get("/tracking/destinos")).json()["elementos"]
    assert (uno["estado"], uno["motivo"]) == ("IGNORADA", "sin_correspondencia")


@pytest.mark.parametrize(
    ("propiedades", "motivo", "campos"),
    [
        ({"currency": None}, "requerido", ["moneda"]),
        ({"total": "gratis"}, "valor_ilegible", ["valor"]),
        ({"total": 0.30000000000000004, "currency": "USD"}, "demasiados_decimales", ["valor"]),
        ({"total": -1}, "valor_negativo", ["valor"]),
        ({"total": True}, "tipo_incorrecto", ["valor"]),
    ],
)
async def test_lo_que_corresponde_y_no_vale_se_rechaza_a_la_vista(
    cliente: httpx2.AsyncClient, propiedades: dict[str, object], motivo: str, campos: list[str]
) -> None:
    assert acogidos(await enviar(cliente, pedido(**propiedades))) == ("0", "1", "0")
    hallado = await destino(cliente, "conversiones", "pedido-1")
    assert (hallado["estado"], hallado["motivo"]) == ("RECHAZADA", motivo)
    assert hallado["campos"][: len(campos)] == campos
    assert hallado["campaña_id"] == "cmp-1"


async def test_una_clave_no_registra_en_la_campaña_de_otra(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    assert acogidos(await enviar(cliente, PEDIDO, clave="de-una")) == ("0", "1", "0")
    assert (await destino(cliente, "conversiones", "tienda-pedido-1"))["motivo"] == "sin_permiso"
    assert not [libro for libro in puertos.registrado.libros.values() if libro.eventos]


async def test_lo_que_no_dice_campaña_es_de_la_unica_de_su_clave(cliente: httpx2.AsyncClient) -> None:
    sin_campaña = {**pedido(campaign_id=None), "context": {}}
    assert acogidos(await enviar(cliente, sin_campaña, clave="de-una")) == ("1", "0", "0")
    venta = (await cliente.get("/tracking/conversiones/tienda-pedido-1")).json()
    assert venta["campaña_id"] == "cmp-única"


async def test_un_reloj_equivocado_se_corrige_y_se_guarda_lo_que_dijo(cliente: httpx2.AsyncClient) -> None:
    ocurrido, enviado = "2024-01-14T23:00:00Z", "2024-01-14T23:05:00Z"
    await enviar(cliente, {**PEDIDO, "timestamp": ocurrido}, sentAt=enviado)
    venta = (await cliente.get("/tracking/conversiones/pedido-1")).json()
    hace_cinco_minutos = (AHORA - timedelta(minutes=5)).isoformat().replace("+00:00", "Z")
    assert datetime.fromisoformat(venta["timestamp"]) == datetime.fromisoformat(hace_cinco_minutos)
    assert venta["propiedades"]["timestamp_original"] == ocurrido
    assert venta["propiedades"]["sentAt"] == enviado


async def test_un_reloj_que_se_desvia_mas_de_un_dia_se_deja_como_vino_y_se_advierte(
    cliente: httpx2.AsyncClient,
) -> None:
    ocurrido, enviado = "2024-01-14T10:30:00Z", "2024-01-14T10:36:00Z"
    await enviar(cliente, {**PEDIDO, "timestamp": ocurrido}, sentAt=enviado)
    venta = (await cliente.get("/tracking/conversiones/pedido-1")).json()
    assert (venta["timestamp"], venta["advertencias"]) == (ocurrido, ["reloj_sin_corregir"])
    assert venta["propiedades"]["sentAt"] == enviado
    assert "timestamp_original" not in venta["propiedades"]


async def test_lo_repetido_una_hora_despues_con_su_mismo_sentat_es_un_duplicado(
    puertos: PuertosEnMemoria,
) -> None:
    horas = iter([AHORA, AHORA + timedelta(hours=1)])
    actual = next(horas)
    api = api_en_memoria(puertos, llavero=LLAVERO, reloj=lambda: actual)
    async with cliente_de(api) as cliente:
        sobre = {"sentAt": "2024-01-15T10:31:00Z"}
        await enviar(cliente, PEDIDO, **sobre)
        actual = next(horas)
        await enviar(cliente, PEDIDO, **sobre)
        assert (await destino(cliente, "conversiones", "pedido-1"))["estado"] == "DUPLICADA"
        venta = (await cliente.get("/tracking/conversiones/pedido-1")).json()
        assert datetime.fromisoformat(venta["timestamp"]) == AHORA - timedelta(minutes=1)


async def test_si_el_sobre_no_dice_cuando_se_envio_vale_lo_que_diga_el_suceso(
    cliente: httpx2.AsyncClient,
) -> None:
    enviado = "2024-01-15T10:31:00Z"
    await enviar(cliente, {**PEDIDO, "sentAt": enviado})
    venta = (await cliente.get("/tracking/conversiones/pedido-1")).json()
    assert datetime.fromisoformat(venta["timestamp"]) == AHORA - timedelta(minutes=1)
    assert venta["propiedades"]["sentAt"] == enviado


@pytest.mark.parametrize("enviado", [{"a": 1}, [1], "x" * 65])
async def test_un_sentat_que_no_es_un_texto_corto_no_se_copia_en_cada_suceso(
    cliente: httpx2.AsyncClient, enviado: object
) -> None:
    await enviar(cliente, PEDIDO, sentAt=enviado)
    venta = (await cliente.get("/tracking/conversiones/pedido-1")).json()
    assert not [nombre for nombre in venta["propiedades"] if nombre.startswith("sentAt")]


def visto(**cambios: object) -> dict[str, object]:
    """Uno sin identificador."""
    propio = {"event": "Ad Clicked", "userId": "u", "timestamp": "2024-01-15T10:30:00Z"}
    return {**propio, "properties": {"campaign_id": "cmp-1"}, **cambios}


@pytest.mark.parametrize("clave", ["de-segment", "de-una"])
async def test_uno_sin_identificador_repetido_tal_cual_tiene_el_mismo(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, clave: str
) -> None:
    suceso = visto(properties={"campaign_id": "cmp-única"})
    puertos.disponible = False
    sin_broker = await enviar(cliente, suceso, clave=clave, sentAt="2024-01-15T10:30:01Z")
    assert "es seguro" in sin_broker.json()["message"]
    puertos.disponible = True
    for enviado in ("2024-01-15T10:30:01Z", "2024-01-15T10:32:00Z"):
        await enviar(cliente, {**suceso, "sentAt": enviado}, clave=clave, sentAt=enviado)
    uno, otro = (comando for comando, _, _ in puertos.publicados)
    assert uno.id == otro.id
    assert uno.advertencias == ("id_derivado",)
    assert (await destino(cliente, "impresiones", uno.id or ""))["estado"] == "DUPLICADA"


@pytest.mark.parametrize(
    "otro",
    [
        {"timestamp": "2024-01-15T10:30:00.001Z"},
        {"userId": "v"},
        {"properties": {"campaign_id": "cmp-2"}},
        {"event": "Ad Viewed"},
    ],
)
async def test_dos_sin_identificador_que_no_son_iguales_son_dos(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, otro: dict[str, object]
) -> None:
    await enviar(cliente, visto(), visto(**otro))
    assert len({comando.id for comando, _, _ in puertos.publicados}) == 2


async def test_de_dos_iguales_sin_identificador_ni_instante_no_se_hace_uno_y_se_dice_al_repetir(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    sin_nada = visto(timestamp=None)
    await enviar(cliente, sin_nada, sin_nada)
    assert len({comando.id for comando, _, _ in puertos.publicados}) == 2
    puertos.disponible = False
    mensaje = (await enviar(cliente, sin_nada, visto())).json()["message"]
    assert "1 de ellos, sin identificador ni instante, pueden contar dos veces" in mensaje


async def test_un_suceso_ignorado_sin_identificador_tambien_tiene_siempre_el_mismo(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    for _ in range(2):
        await enviar(cliente, visto(event="Email Opened"))
    assert len({comando.id for comando, _, _ in puertos.publicados}) == 1


@pytest.mark.parametrize("numero", [False, ["a"], "  p 1 ", "x" * 129, " "])
async def test_con_un_numero_de_pedido_que_no_vale_se_pregunta_por_el_del_mensaje(
    cliente: httpx2.AsyncClient, numero: object
) -> None:
    assert acogidos(await enviar(cliente, pedido(order_id=numero))) == ("0", "1", "0")
    assert (await destino(cliente, "conversiones", "m-1"))["estado"] == "RECHAZADA"


@pytest.mark.parametrize("nombre", ["campan\u0303a_id", "campaña_id", "campana_id"])
async def test_la_campaña_se_halla_con_cualquier_grafia(cliente: httpx2.AsyncClient, nombre: str) -> None:
    suceso = {**pedido(campaign_id=None, **{nombre: "cmp-ñ"}), "context": {}}
    assert acogidos(await enviar(cliente, suceso)) == ("1", "0", "0")
    venta = (await cliente.get("/tracking/conversiones/pedido-1")).json()
    assert venta["campaña_id"] == "cmp-ñ"
    assert not [propiedad for propiedad in venta["propiedades"] if "_id" in propiedad]


async def test_la_unica_campaña_de_la_clave_vale_mas_que_un_utm(cliente: httpx2.AsyncClient) -> None:
    assert acogidos(await enviar(cliente, pedido(campaign_id=None), clave="de-una")) == ("1", "0", "0")
    venta = (await cliente.get("/tracking/conversiones/tienda-pedido-1")).json()
    assert venta["campaña_id"] == "cmp-única"
    assert json.loads(venta["propiedades"]["context.campaign"])["name"] == "verano"


@pytest.mark.parametrize("cambios", [{}, {"currency": None}, {"relleno": "x" * OCTETOS_DE_UN_SUCESO}])
async def test_lo_negado_a_quien_no_puede_no_lo_ve_quien_lee_esa_campaña(
    cliente: httpx2.AsyncClient, cambios: dict[str, object]
) -> None:
    await enviar(cliente, pedido(**cambios), clave="de-una")
    assert (await cliente.get("/tracking/destinos?campaña_id=cmp-1")).json()["elementos"] == []
    (uno,) = (await cliente.get("/tracking/destinos")).json()["elementos"]
    assert uno["enviado"]["propiedades"]["campaña_pedida"] == "cmp-1"
    assert uno["enviado"]["propiedades"]["influencer_pedido"] == "inf-1"


async def test_de_un_suceso_que_no_cabe_solo_queda_con_que_nombrarlo(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    await enviar(cliente, pedido(coupon="x" * 600, relleno=[[]] * (OCTETOS_DE_UN_SUCESO // 3)))
    ((comando, _, _),) = puertos.publicados
    assert (comando.id, comando.campaña_id, comando.usuario_id) == ("pedido-1", "cmp-1", "101")
    assert comando.propiedades == {}


@pytest.mark.parametrize("direccion", ["/v1/batch", "/batch/", "/capture/", "/v1/track"])
@pytest.mark.parametrize("con_clave", [False, True])
async def test_un_sobre_de_demasiadas_partes_no_se_lee(
    cliente: httpx2.AsyncClient, direccion: str, *, con_clave: bool
) -> None:
    cuerpo = b'{"api_key":"de-posthog","otro":[[' + b"[]," * (SIGNOS_MAXIMOS // 2) + b"1]]}"
    clave = "de-segment" if direccion.startswith("/v1") else "de-posthog"
    respuesta = await cliente.post(direccion, content=cuerpo, headers=con(clave) if con_clave else None)
    assert respuesta.status_code == 413
    assert respuesta.json()["success"] is False


@pytest.mark.parametrize("campos", [SIGNOS_MAXIMOS // 2, SIGNOS_MAXIMOS + 1])
async def test_un_sobre_de_demasiados_campos_no_se_lee(cliente: httpx2.AsyncClient, campos: int) -> None:
    cuerpo = b'{"batch":[]' + b',"a":0' * campos + b"}"
    respuesta = await cliente.post("/v1/batch", content=cuerpo, headers=con("de-segment"))
    assert (respuesta.status_code, respuesta.json()["code"]) == (413, "demasiados_elementos")


async def test_un_suceso_de_demasiadas_partes_se_ignora_y_no_estorba(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    caro = '{"messageId":"m-7","properties":[' + "[]," * (SIGNOS_MAXIMOS // 2) + "1]}"
    for _ in range(2):
        assert acogidos(await enviar_escritos(cliente, caro, json.dumps(PEDIDO))) == ("1", "0", "1")
    (ignorado, aceptado, otra_vez, _) = (comando for comando, _, _ in puertos.publicados)
    assert (ignorado.ignorada, aceptado.id) == ("demasiado_grande", "pedido-1")
    assert ignorado.id == otra_vez.id != "m-7"  # no se leyó: sale de sus octetos


HONDO = b"[" * SIGNOS_SUELTOS + b"]" * SIGNOS_SUELTOS


@pytest.mark.parametrize(
    "cuerpo",
    [
        b'{"batch":[' + HONDO + b"]}",
        b'{"x":' + HONDO + b"}",
        HONDO,
        b'{"batch":[{"a":[' + b"[[[[[]]]]]," * SIGNOS_SUELTOS + b"1]}]}",
    ],
    ids=["suceso", "sobre", "raíz", "repetido"],
)
async def test_un_cuerpo_que_anida_tanto_que_cuesta_cortarlo_no_se_lee(
    cliente: httpx2.AsyncClient, cuerpo: bytes
) -> None:
    respuesta = await cliente.post("/v1/batch", content=cuerpo, headers=con("de-segment"))
    assert (respuesta.status_code, respuesta.json()["code"]) == (413, "demasiados_elementos")


async def test_un_suceso_que_anida_demasiado_para_leerse_se_ignora_y_no_estorba(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    hondo = "[" * (SIGNOS_MAXIMOS + 1) + "]" * (SIGNOS_MAXIMOS + 1)
    assert acogidos(await enviar_escritos(cliente, hondo, json.dumps(PEDIDO))) == ("1", "0", "1")
    assert [comando.id for comando, _, _ in puertos.publicados][1] == "pedido-1"


ILEGIBLES = {
    "NaN": ('"total":NaN', "el suceso contiene NaN o Infinity, que no son JSON"),
    "repetida": ('"total":1,"total":2', "el suceso repite la clave «total» dentro de un mismo objeto"),
    "UTF-8": ('"total":1,"x":"\udcff"', "el suceso no es UTF-8: octeto no válido en la posición 123"),
}


@pytest.mark.parametrize(("roto", "frase"), ILEGIBLES.values(), ids=ILEGIBLES)
async def test_un_suceso_que_no_es_json_se_rechaza_por_su_id_y_los_de_su_envio_se_aceptan(
    cliente: httpx2.AsyncClient, roto: str, frase: str
) -> None:
    malo = (
        '{"type":"track","event":"Order Completed","messageId":"m-7","properties":'
        f'{{"order_id":"p-7","currency":"COP",{roto},"campaign_id":"cmp-1"}}}}'
    )
    respuesta = await enviar_escritos(cliente, malo, json.dumps(PEDIDO), json.dumps(pedido(order_id="p-2")))
    assert acogidos(respuesta) == ("2", "1", "0")
    suyo = await destino(cliente, "conversiones", "p-7")
    assert (suyo["estado"], suyo["motivo"]) == ("RECHAZADA", "elemento_ilegible")
    assert frase in suyo["detalle"]
    for bueno in ("pedido-1", "p-2"):
        assert (await destino(cliente, "conversiones", bueno))["estado"] == "REGISTRADA"


@pytest.mark.parametrize("roto", ['{"messageId":"m-7",}', "nada", "", "\ufeff{}", "[" * 33 + "]" * 33])
async def test_de_uno_del_que_no_se_entiende_nada_consta_que_llego_y_siempre_con_el_mismo_id(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, roto: str
) -> None:
    for _ in range(2):
        assert acogidos(await enviar_escritos(cliente, roto, json.dumps(PEDIDO))) == ("1", "1", "0")
    una, _, otra, _ = (comando for comando, _, _ in puertos.publicados)
    assert una.id is not None
    assert una.id == otra.id
    suyo = await destino(cliente, "impresiones", una.id)
    assert (suyo["estado"], suyo["motivo"]) == ("RECHAZADA", "elemento_ilegible")


async def test_uno_que_no_es_json_ni_corresponde_a_nada_se_ignora_como_los_suyos(
    cliente: httpx2.AsyncClient,
) -> None:
    pagina = '{"type":"page","messageId":"m-7","properties":{"alto":Infinity}}'
    assert acogidos(await enviar_escritos(cliente, pagina)) == ("0", "0", "1")
    assert (await destino(cliente, "impresiones", "m-7"))["motivo"] == "sin_correspondencia"


async def test_de_uno_que_no_es_json_tampoco_se_guarda_la_clave(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    suceso = '{"event":"Order Completed","api_key":"de-posthog","properties":{"token":"de-posthog","x":NaN}}'
    respuesta = await cliente.post("/e/", content=f"[{suceso}, {suceso}]".encode())
    assert (respuesta.status_code, respuesta.headers["alpes-rechazados"]) == (200, "0")
    assert len(puertos.publicados) == 2
    assert "de-posthog" not in repr(puertos.publicados)


@pytest.mark.parametrize(
    "cuerpo",
    [
        b'{"batch":[{},{"a":"b"c"}]}',
        b'{"batch":[{}}]}',
        b'{"batch":[{}],"sentAt":NaN}',
        b'{"batch":[{}],"batch":[{}]}',
        b'{"batch":[{}],}',
        b'{"batch":[{}] 7}',
        b'{"batch":[{}]}{}',
        b'{"batch":[{}]]}',
        b'{"batch":[{}]',
        b'\xef\xbb\xbf{"batch":[{}]}',
    ],
)
async def test_si_lo_roto_es_el_sobre_no_se_recibe_nada(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, cuerpo: bytes
) -> None:
    respuesta = await cliente.post("/v1/batch", content=cuerpo, headers=con("de-segment"))
    assert (respuesta.status_code, respuesta.json()["code"]) == (400, "json_ilegible")
    assert not puertos.publicados


async def test_la_clave_y_el_reloj_valen_aunque_vayan_detras_de_la_lista(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    sobre = (
        f'{{ "batch" : [{json.dumps(PEDIDO)}] , "sentAt":"2024-01-15T10:30:05Z","writeKey":"de-segment" }}'
    )
    assert acogidos(await cliente.post("/v1/batch", content=f"\n{sobre} ".encode())) == ("1", "0", "0")
    ((comando, _, _),) = puertos.publicados
    assert comando.propiedades["sentAt"] == "2024-01-15T10:30:05Z"


@pytest.mark.parametrize(("final", "estado"), [("]}", 200), ('],"x":NaN}', 400)])
async def test_un_cuerpo_caro_de_cortar_o_de_leer_deja_paso_a_los_demas(
    cliente: httpx2.AsyncClient, final: str, estado: int
) -> None:
    caro = "[" + "[[]]," * 6_000 + "1]"
    cuerpo = '{"batch":[' + ",".join([caro] * 40) + final
    envio = asyncio.create_task(cliente.post("/v1/batch", content=cuerpo, headers=con("de-segment")))
    atendidas = 0
    while not envio.done():
        await asyncio.sleep(0)
        assert (await cliente.get("/salud/viva")).status_code == 200
        atendidas += 1
    assert (await envio).status_code == estado
    assert atendidas > 2


async def test_sin_la_clave_en_la_cabecera_solo_se_lee_un_cuerpo_pequeño(cliente: httpx2.AsyncClient) -> None:
    pequeño = {"batch": [PEDIDO], "writeKey": "de-segment"}
    assert acogidos(await cliente.post("/v1/batch", json=pequeño)) == ("1", "0", "0")
    grande = {**pequeño, "relleno": "x" * 64 * 1024}
    respuesta = await cliente.post("/v1/batch", json=grande)
    assert (respuesta.status_code, respuesta.json()["code"]) == (413, "cuerpo_demasiado_grande")
    assert "Authorization" in respuesta.json()["message"]
    assert acogidos(await cliente.post("/v1/batch", json=grande, headers=con("de-segment"))) == (
        "1",
        "0",
        "0",
    )


@pytest.mark.parametrize("enviado", ["ayer", 7, None, "2024-01-15T10:29:59Z", "0001-01-01T00:00:00+23:59"])
async def test_con_un_sentat_que_no_puede_ser_el_reloj_no_se_toca(
    cliente: httpx2.AsyncClient, enviado: object
) -> None:
    await enviar(cliente, PEDIDO, sentAt=enviado)
    venta = (await cliente.get("/tracking/conversiones/pedido-1")).json()
    assert venta["timestamp"] == "2024-01-15T10:30:00Z"
    assert "timestamp_original" not in venta["propiedades"]


@pytest.mark.parametrize(
    ("nombre", "letra", "tipo"),
    [
        ("track", "t", "sin_campaña"),
        ("identify", "i", "sin_correspondencia"),
        ("page", "p", "sin_correspondencia"),
        ("screen", "s", "sin_correspondencia"),
        ("group", "g", "sin_correspondencia"),
        ("alias", "a", "sin_correspondencia"),
    ],
)
async def test_uno_solo_va_por_su_nombre_o_por_su_letra(
    cliente: httpx2.AsyncClient, nombre: str, letra: str, tipo: str
) -> None:
    for numero, direccion in enumerate((nombre, letra)):
        cuerpo = {"event": "Ad Viewed", "messageId": f"m-{numero}", "writeKey": "de-segment"}
        respuesta = await cliente.post(f"/v1/{direccion}", json=cuerpo)
        assert acogidos(respuesta) == ("0", "0", "1")
        assert (await destino(cliente, "impresiones", f"m-{numero}"))["motivo"] == tipo


@pytest.mark.parametrize("direccion", ["/v1/b", "/v1/import", "/v1/batch"])
@pytest.mark.parametrize("tipo", ["application/x-www-form-urlencoded", "text/plain", None])
async def test_un_cuerpo_se_lee_como_json_diga_lo_que_diga_su_tipo(
    cliente: httpx2.AsyncClient, direccion: str, tipo: str | None
) -> None:
    cuerpo = gzip.compress(json.dumps({"batch": [PEDIDO]}).encode())
    cabeceras = con("de-segment") | {"Content-Encoding": "gzip"} | ({"Content-Type": tipo} if tipo else {})
    assert acogidos(await cliente.post(direccion, content=cuerpo, headers=cabeceras)) == ("1", "0", "0")


async def test_la_clave_no_se_guarda_en_ningun_sitio(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    await cliente.post("/v1/track", json={**PEDIDO, "writeKey": "de-segment"})
    de_posthog = {"event": "x", "properties": {"token": "de-posthog"}, "api_key": "de-posthog"}
    await cliente.post("/capture/", json=de_posthog)
    assert len(puertos.publicados) == 2
    assert "de-segment" not in repr(puertos.publicados)
    assert "de-posthog" not in repr(puertos.publicados)


@pytest.mark.parametrize(
    ("clave", "estado"),
    [(None, 401), ("mala", 401), ("propia", 403), ("de-posthog", 403), ("que-lee", 403)],
)
async def test_con_otra_clave_no_se_recibe_nada(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, clave: str | None, estado: int
) -> None:
    por_cabecera = await cliente.post(
        "/v1/batch", json={"batch": [PEDIDO]}, headers=con(clave) if clave else None
    )
    por_el_cuerpo = await cliente.post("/v1/batch", json={"batch": [PEDIDO], "writeKey": clave})
    for respuesta in (por_cabecera, por_el_cuerpo):
        assert respuesta.status_code == estado
        assert respuesta.json()["success"] is False
        assert respuesta.json()["message"] == respuesta.json()["detail"]
    assert not puertos.publicados


@pytest.mark.parametrize("direccion", ["/v1/batch", "/v1/t", "/batch/", "/i/v0/e/"])
async def test_sin_una_clave_suya_un_dialecto_no_esta(direccion: str) -> None:
    solo_propias = LlaveroEnMemoria({"propia": clave_de(None)})
    for llavero in (None, solo_propias):
        async with cliente_de(api_en_memoria(PuertosEnMemoria(), llavero=llavero)) as sin_dialectos:
            respuesta = await sin_dialectos.post(direccion, json={"batch": []}, headers=con("propia"))
            assert respuesta.status_code == 404


@pytest.mark.parametrize(
    ("cuerpo", "estado"),
    [
        (b"{", 400),
        (b"", 400),
        (b"7", 400),
        (b"[]", 400),
        (b'{"batch": 7}', 400),
        (b"{}", 400),
        (json.dumps({"batch": [{}] * (SUCESOS_MAXIMOS + 1)}).encode(), 413),
        (b" " * (4_000 * 1024 + 1), 413),
    ],
)
async def test_un_cuerpo_que_no_vale_se_dice(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, cuerpo: bytes, estado: int
) -> None:
    respuesta = await cliente.post("/v1/batch", content=cuerpo, headers=con("de-segment"))
    assert respuesta.status_code == estado
    assert respuesta.json()["success"] is False
    assert respuesta.json()["code"]
    assert not puertos.publicados


async def test_un_gzip_que_da_demasiado_no_se_descomprime(cliente: httpx2.AsyncClient) -> None:
    cuerpo = gzip.compress(b" " * 3_000_000)
    respuesta = await cliente.post(
        "/v1/batch", content=cuerpo, headers=con("de-segment") | {"Content-Encoding": "gzip"}
    )
    assert (respuesta.status_code, respuesta.json()["code"]) == (413, "cuerpo_demasiado_comprimido")


async def test_sin_broker_se_pide_que_se_repita(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    puertos.disponible = False
    respuesta = await enviar(cliente, PEDIDO)
    assert respuesta.status_code == 503
    assert respuesta.headers["retry-after"]
    assert respuesta.headers["alpes-aceptados"] == "0"
    puertos.disponible = True
    assert acogidos(await enviar(cliente, PEDIDO)) == ("1", "0", "0")


async def test_de_un_lote_cada_suceso_tiene_lo_suyo(cliente: httpx2.AsyncClient) -> None:
    sucesos = [PEDIDO, pedido(order_id="p-2", currency=None), {"type": "identify", "messageId": "m-9"}, 7]
    assert acogidos(await enviar(cliente, *sucesos)) == ("1", "1", "2")


@pytest.mark.parametrize("direccion", ["/batch/", "/batch"])
async def test_un_pedido_de_posthog_es_una_venta(cliente: httpx2.AsyncClient, direccion: str) -> None:
    suceso = {
        "event": "Order Completed",
        "uuid": "0190-uuid",
        "distinct_id": "usr-1",
        "timestamp": "2024-01-15T10:30:00Z",
        "properties": {
            "order_id": "pedido-ph",
            "utm_campaign": "verano",
            "total": 12.5,
            "currency": "USD",
            "$ip": "192.168.1.1",
        },
    }
    cuerpo = {"api_key": "de-posthog", "batch": [suceso], "sent_at": "2024-01-15T10:31:00Z"}
    respuesta = await cliente.post(direccion, json=cuerpo)
    assert (respuesta.status_code, respuesta.json()) == (200, {"status": 1})
    venta = (await cliente.get("/tracking/conversiones/pedido-ph")).json()
    assert (venta["usuario_id"], venta["campaña_id"], venta["valor"]) == ("usr-1", "verano", 12.5)
    assert venta["ip_address"] == "192.168.1.1"


@pytest.mark.parametrize("direccion", ["/capture/", "/e/", "/i/v0/e/"])
@pytest.mark.parametrize("en_lista", [False, True])
async def test_uno_de_posthog_que_no_corresponde_se_ignora(
    cliente: httpx2.AsyncClient, direccion: str, *, en_lista: bool
) -> None:
    suceso = {"event": "$pageview", "uuid": "u-1", "properties": {"token": "de-posthog"}}
    respuesta = await cliente.post(direccion, json=[suceso] if en_lista else suceso)
    assert respuesta.status_code == 200
    assert (await destino(cliente, "impresiones", "u-1"))["motivo"] == "sin_correspondencia"


@pytest.mark.parametrize(("titulo", "tabla"), [("Segment", SEGMENT), ("PostHog", POSTHOG)])
def test_la_documentacion_enseña_la_tabla_tal_como_es(titulo: str, tabla: Tabla) -> None:
    texto = (RAIZ / "docs" / "entrada.md").read_text(encoding="utf-8")
    for linea in en_markdown(tabla):
        assert linea in texto, f"{titulo}: falta en docs/entrada.md\n{linea}"


def en_markdown(tabla: Tabla) -> list[str]:
    """Las líneas que la enseñan."""
    sucesos = [
        f"| `{nombre.title()}` | {suya.clase.nombre} | `{suya.tipo}` |"
        for nombre, suya in tabla.correspondencias.items()
    ]
    propios = {c: r for suya in tabla.correspondencias.values() for c, r in suya.origenes.items()}
    campos = {**tabla.origenes, **{c: (*r, *tabla.origenes.get(c, ())) for c, r in propios.items()}}
    return [
        *sucesos,
        *(f"| `{c}` | {_escritas(r)} |" for c, r in campos.items()),
        *(f"| `{c}`, si no se nombra | {_escritas(r)} |" for c, r in tabla.supuestos.items()),
    ]


def _escritas(rutas: Sequence[str]) -> str:
    return ", ".join(f"`{ruta}`" for ruta in rutas)
