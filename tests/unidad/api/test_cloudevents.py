"""`POST /tracking/cloudevents`: los mismos comandos en los tres modos de CloudEvents por HTTP."""

import base64
import gzip
import json
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpespartners.modulos.tracking.aplicacion.comandos import Comando
from tests.apoyo.cuerpos import CONVERSION, IMPRESION
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria, cliente_de

RUTA = "/tracking/cloudevents"
ESPACIO = "com.alpespartners.tracking.v1"
DE_CONVERSION = f"{ESPACIO}.ComandoRegistrarConversion"
DE_IMPRESION = f"{ESPACIO}.ComandoRegistrarImpresion"
TRAZA = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
SIN_ID = {nombre: valor for nombre, valor in CONVERSION.items() if nombre != "id"}
EVENTO: dict[str, Any] = {
    "specversion": "1.0",
    "id": "a-1",
    "source": "/tienda",
    "type": DE_CONVERSION,
    "data": CONVERSION,
}


async def estructurado(cliente: httpx2.AsyncClient, evento: object, **cabeceras: str) -> httpx2.Response:
    return await cliente.post(
        RUTA,
        content=json.dumps(evento),
        headers={"Content-Type": "application/cloudevents+json; charset=UTF-8", **cabeceras},
    )


async def binario(cliente: httpx2.AsyncClient, evento: dict[str, Any], **cabeceras: str) -> httpx2.Response:
    """El mismo, con sus atributos escritos como pide el enlace."""
    atributos = {
        f"ce-{nombre}": quote(valor, safe="") for nombre, valor in evento.items() if nombre != "data"
    }
    return await cliente.post(
        RUTA,
        content=json.dumps(evento["data"]),
        headers={"Content-Type": "application/json", **atributos, **cabeceras},
    )


async def por_lotes(cliente: httpx2.AsyncClient, eventos: object, **cabeceras: str) -> httpx2.Response:
    return await cliente.post(
        RUTA,
        content=json.dumps(eventos),
        headers={"Content-Type": "application/cloudevents-batch+json", **cabeceras},
    )


def faltas(respuesta: httpx2.Response) -> dict[str, str]:
    assert respuesta.status_code == 422, respuesta.text
    return {falta["campo"]: falta["codigo"] for falta in respuesta.json()["errores"]}


def ultimo(puertos: PuertosEnMemoria) -> Comando:
    return puertos.publicados[-1][0]


# Hacer una API cuesta más que lo que de ella se prueba aquí.
_PUERTOS = PuertosEnMemoria(cuantos_consumidores=0)
_API = api_en_memoria(_PUERTOS)
_HOJAS = st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.text(max_size=20)
_JSON = st.recursive(
    _HOJAS,
    lambda hijos: st.lists(hijos, max_size=3) | st.dictionaries(st.text(max_size=8), hijos, max_size=3),
)
_NOMBRES = st.sampled_from(
    [*CONVERSION, "influencer_id", "propiedades", "cupon", "influencerid", "recibido_en"]
)
_SIN_CONTROLES = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=20)


@given(
    cambios=st.dictionaries(_NOMBRES, _JSON, max_size=4),
    quitados=st.sets(st.sampled_from([*CONVERSION]).filter(lambda nombre: nombre != "id"), max_size=2),
    atributos=st.fixed_dictionaries({"id": _SIN_CONTROLES, "source": _SIN_CONTROLES}),
    clase=st.sampled_from(
        [("conversiones", DE_CONVERSION, CONVERSION), ("impresiones", DE_IMPRESION, IMPRESION)]
    ),
)
async def test_el_mismo_evento_da_el_mismo_comando_por_su_ruta_y_en_los_tres_modos(
    cambios: dict[str, Any],
    quitados: set[str],
    atributos: dict[str, str],
    clase: tuple[str, str, dict[str, Any]],
) -> None:
    recurso, tipo, de_ejemplo = clase
    datos = {nombre: valor for nombre, valor in (de_ejemplo | cambios).items() if nombre not in quitados}
    if datos["id"] is None:
        datos["id"] = "uno"
    evento = {"specversion": "1.0", "type": tipo, "data": datos, **atributos}
    en_base64 = {nombre: valor for nombre, valor in evento.items() if nombre != "data"} | {
        "data_base64": base64.b64encode(json.dumps(datos).encode()).decode()
    }
    puertos = _PUERTOS
    puertos.publicados.clear()
    async with cliente_de(_API) as cliente:
        corriente = await cliente.post(f"/tracking/{recurso}", json=datos)
        solos = [await enviar(cliente, evento) for enviar in (estructurado, binario)]
        solos.append(await estructurado(cliente, en_base64))
        lote = await por_lotes(cliente, [evento])
    (elemento,) = lote.json()["resultados"]
    if corriente.status_code == 202:
        comandos = [comando for comando, _, _ in puertos.publicados]
        assert comandos == [comandos[0]] * 5
        for suya in [*(solo.json() for solo in solos), elemento]:
            assert (suya["id"], suya["advertencias"]) == (datos["id"], corriente.json()["advertencias"])
    else:
        assert puertos.publicados == []
        for faltas_suyas in [*(solo.json()["errores"] for solo in solos), elemento["errores"]]:
            assert faltas_suyas == corriente.json()["errores"]


async def test_uno_solo_se_responde_como_un_envio(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    respuesta = await estructurado(cliente, EVENTO)
    assert respuesta.status_code == 202
    assert respuesta.headers["Location"] == "/tracking/conversiones/conv-123"
    assert respuesta.json() == {
        "id": "conv-123",
        "estado": "ACEPTADA",
        "comando_id": puertos.publicados[0][1],
        "advertencias": [],
    }


async def test_con_prefer_wait_se_responde_el_destino(cliente: httpx2.AsyncClient) -> None:
    esperar = {"Prefer": "wait=5"}
    primera = await binario(cliente, EVENTO, **esperar)
    segunda = await estructurado(cliente, EVENTO, **esperar)
    assert (primera.status_code, segunda.status_code) == (201, 200)
    assert primera.headers["Preference-Applied"] == "wait=5"
    assert primera.json()["id"] == "conv-123"


async def test_sin_broker_es_el_503_de_un_envio_con_el_id_con_que_repetir(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    puertos.disponible = False
    sin_id = {**EVENTO, "data": SIN_ID}
    respuesta = await estructurado(cliente, sin_id)
    assert respuesta.status_code == 503
    assert respuesta.headers["Retry-After"]
    puertos.disponible = True
    assert (await estructurado(cliente, sin_id)).json()["id"] == respuesta.json()["id"]


async def test_sin_id_en_los_datos_el_mismo_cloudevent_da_siempre_el_mismo_y_lo_dice(
    cliente: httpx2.AsyncClient,
) -> None:
    sin_id = {**EVENTO, "data": SIN_ID}
    uno = (await estructurado(cliente, sin_id)).json()
    otro_modo = (await binario(cliente, sin_id)).json()
    (en_lote,) = (await por_lotes(cliente, [sin_id])).json()["resultados"]
    otro_id = (await estructurado(cliente, {**sin_id, "id": "a-2"})).json()
    otra_fuente = (await estructurado(cliente, {**sin_id, "source": "/otra"})).json()
    # Fijo para siempre: si cambiara, lo que se repita de antes de cambiar contaría dos veces.
    assert uno["id"] == otro_modo["id"] == "95705021-8a5c-5044-bc93-03d8fc3ba66d"
    assert (en_lote["id"], en_lote["advertencias"]) == (uno["id"], ["id_derivado"])
    assert len({uno["id"], otro_id["id"], otra_fuente["id"]}) == 3
    assert uno["advertencias"] == ["id_derivado"]


async def test_la_cabecera_idempotency_key_manda_sobre_el_id_derivado(cliente: httpx2.AsyncClient) -> None:
    respuesta = await estructurado(cliente, {**EVENTO, "data": SIN_ID}, **{"Idempotency-Key": "pedido-7"})
    assert (respuesta.json()["id"], respuesta.json()["advertencias"]) == ("pedido-7", [])


async def test_la_hora_del_cloudevent_vale_si_los_datos_no_traen_la_suya(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    sin_hora = {nombre: valor for nombre, valor in CONVERSION.items() if nombre != "timestamp"}
    await estructurado(cliente, {**EVENTO, "data": sin_hora, "time": "2024-01-15T05:00:00-05:00"})
    completado = ultimo(puertos).timestamp
    await estructurado(cliente, {**EVENTO, "time": "no se lee y no hace falta"})
    propio = ultimo(puertos).timestamp
    assert completado is not None
    assert propio is not None
    assert (completado.isoformat(), propio.isoformat()) == (
        "2024-01-15T10:00:00+00:00",
        "2024-01-15T10:35:00+00:00",
    )


@pytest.mark.parametrize("hora", ["ayer", "2024-01-15", 5, True])
async def test_una_hora_que_hace_falta_y_no_se_lee_es_un_422_que_la_nombra(
    cliente: httpx2.AsyncClient, hora: object
) -> None:
    respuesta = await estructurado(
        cliente, {**EVENTO, "data": {**CONVERSION, "timestamp": None}, "time": hora}
    )
    assert set(faltas(respuesta)) == {"time"}


async def test_las_extensiones_van_a_las_propiedades_y_ninguna_se_pierde(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    datos = {**CONVERSION, "propiedades": {"canal": "historias"}}
    extensiones = {"partitionkey": "ñ €", "sequence": 7, "sampled": True, "vacia": None, "rara": {"a": [1]}}
    respuesta = await estructurado(
        cliente, {**EVENTO, "data": datos, "subject": "carro-1", "dataschema": "/esquema", **extensiones}
    )
    assert respuesta.json()["advertencias"] == []
    assert ultimo(puertos).propiedades == {
        "canal": "historias",
        "ce_subject": "carro-1",
        "ce_dataschema": "/esquema",
        "ce_partitionkey": "ñ €",
        "ce_sequence": "7",
        "ce_sampled": "true",
        "ce_rara.a": "[1]",
    }


async def test_las_extensiones_que_no_caben_se_dicen(cliente: httpx2.AsyncClient) -> None:
    extensiones = {f"x{numero}": "a" for numero in range(70)}
    respuesta = await estructurado(cliente, {**EVENTO, **extensiones})
    assert respuesta.json()["advertencias"] == ["propiedades_de_mas:6"]


async def test_unas_propiedades_que_no_son_un_objeto_no_se_pierden_por_las_extensiones(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    await estructurado(cliente, {**EVENTO, "data": {**CONVERSION, "propiedades": "suelta"}, "x": "1"})
    assert ultimo(puertos).propiedades == {"propiedades": "suelta", "ce_x": "1"}


async def test_un_subject_que_repite_el_id_no_se_guarda(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    await estructurado(cliente, {**EVENTO, "subject": "conv-123"})
    assert ultimo(puertos).propiedades == {}


async def test_su_traceparent_sigue_la_traza_y_uno_que_no_vale_queda_en_las_propiedades(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    await binario(cliente, {**EVENTO, "traceparent": TRAZA})
    await estructurado(cliente, {**EVENTO, "traceparent": "no"})
    (valida, _, traza), (otra, _, otra_traza) = puertos.publicados
    assert (traza, valida.propiedades) == (TRAZA, {})
    assert otra_traza != "no"
    assert otra.propiedades == {"ce_traceparent": "no"}


@pytest.mark.parametrize("atributo", ["specversion", "id", "source", "type"])
@pytest.mark.parametrize("valor", [None, ""])
async def test_un_atributo_obligatorio_que_falta_es_un_422_que_lo_nombra(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, atributo: str, valor: object
) -> None:
    assert faltas(await estructurado(cliente, {**EVENTO, atributo: valor})) == {atributo: "requerido"}
    sin_el = {nombre: suyo for nombre, suyo in EVENTO.items() if nombre != atributo}
    assert faltas(await binario(cliente, sin_el)) == {atributo: "requerido"}
    assert puertos.publicados == []


@pytest.mark.parametrize(
    ("cambio", "codigo"),
    [
        ({"specversion": "0.3"}, "valor_no_permitido"),
        ({"specversion": 1.0}, "tipo_incorrecto"),
        ({"id": 5}, "tipo_incorrecto"),
        ({"id": "a\x00"}, "caracter_de_control"),
        ({"source": "\ud800"}, "caracter_de_control"),
        ({"source": ["/tienda"]}, "tipo_incorrecto"),
        ({"type": "com.ejemplo.venta"}, "valor_no_permitido"),
        ({"type": f"{ESPACIO}.EventoConversionRegistrada"}, "valor_no_permitido"),
        ({"datacontenttype": "application/xml"}, "valor_no_permitido"),
        ({"datacontenttype": "application/json; charset=latin1"}, "valor_no_permitido"),
        ({"datacontenttype": 5}, "valor_no_permitido"),
        ({"data": None}, "requerido"),
        ({"data": "texto"}, "tipo_incorrecto"),
        ({"data": [CONVERSION]}, "tipo_incorrecto"),
        ({"data_base64": "e30="}, "campo_repetido"),
        ({"data": None, "data_base64": "e30"}, "tipo_incorrecto"),
        ({"data": None, "data_base64": "e3!0="}, "tipo_incorrecto"),
        ({"data": None, "data_base64": "bm8="}, "tipo_incorrecto"),
        ({"data": None, "data_base64": "W10="}, "tipo_incorrecto"),
        ({"data": None, "data_base64": 5}, "tipo_incorrecto"),
    ],
)
async def test_lo_que_no_es_un_cloudevent_con_un_comando_es_un_422_que_dice_que_sobra(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, cambio: dict[str, Any], codigo: str
) -> None:
    assert faltas(await estructurado(cliente, EVENTO | cambio)) == {[*cambio][-1]: codigo}
    assert puertos.publicados == []


async def test_un_type_desconocido_se_responde_con_la_lista_de_los_que_hay(
    cliente: httpx2.AsyncClient,
) -> None:
    (falta,) = (await estructurado(cliente, {**EVENTO, "type": "x"})).json()["errores"]
    assert DE_CONVERSION in falta["mensaje"]
    assert DE_IMPRESION in falta["mensaje"]


async def test_todas_las_faltas_de_los_atributos_se_dicen_a_la_vez(cliente: httpx2.AsyncClient) -> None:
    respuesta = await cliente.post(f"{RUTA}?x=1", json=CONVERSION)
    assert set(faltas(respuesta)) == {"x", "specversion", "id", "source", "type"}


@pytest.mark.parametrize("cuerpo", ["[]", "5", '"texto"', "null"])
async def test_un_json_que_no_es_un_objeto_no_es_un_cloudevent(
    cliente: httpx2.AsyncClient, cuerpo: str
) -> None:
    respuesta = await cliente.post(
        RUTA, content=cuerpo, headers={"Content-Type": "application/cloudevents+json"}
    )
    assert faltas(respuesta) == {"": "tipo_incorrecto"}


@pytest.mark.parametrize(
    ("escrito", "leido"),
    [
        ("/tienda", "/tienda"),
        ("Euro%20%E2%82%AC%20%f0%9f%98%80", "Euro € 😀"),
        ('"con \\"comillas\\" y \\\\"', 'con "comillas" y \\'),
        ('"%22"', '"'),
        ("%2541", "%41"),
        ("100%", "100%"),
        ("%61", "a"),
        ('sin cerrar"', 'sin cerrar"'),
    ],
)
async def test_una_cabecera_se_lee_como_dice_el_enlace(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, escrito: str, leido: str
) -> None:
    respuesta = await binario(cliente, EVENTO, **{"ce-extra": escrito})
    assert respuesta.status_code == 202, respuesta.text
    assert ultimo(puertos).propiedades == {"ce_extra": leido}


@pytest.mark.parametrize("escrito", ["%C0%A0", "%ff", "%ED%A0%80"])
async def test_una_cabecera_que_no_es_utf_8_es_un_422_que_la_nombra(
    cliente: httpx2.AsyncClient, escrito: str
) -> None:
    assert faltas(await binario(cliente, EVENTO, **{"ce-extra": escrito})) == {"extra": "cabecera_ilegible"}


@pytest.mark.parametrize("codificacion", ["utf-8", "latin-1"])
async def test_una_cabecera_con_acentos_sin_escapar_se_lee_igual(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, codificacion: str
) -> None:
    cabeceras = [
        (b"Content-Type", b"application/json"),
        *((f"ce-{nombre}".encode(), valor.encode()) for nombre, valor in EVENTO.items() if nombre != "data"),
        (b"ce-extra", "año%20ñ".encode(codificacion)),
    ]
    respuesta = await cliente.post(RUTA, content=json.dumps(CONVERSION), headers=cabeceras)
    assert respuesta.status_code == 202, respuesta.text
    assert ultimo(puertos).propiedades == {"ce_extra": "año ñ"}


async def test_una_cabecera_repetida_es_un_422_que_la_nombra(cliente: httpx2.AsyncClient) -> None:
    cabeceras = [
        ("Content-Type", "application/json"),
        *((f"ce-{nombre}", valor) for nombre, valor in EVENTO.items() if nombre != "data"),
        ("ce-id", "otro"),
    ]
    respuesta = await cliente.post(RUTA, content=json.dumps(CONVERSION), headers=cabeceras)
    assert faltas(respuesta) == {"id": "cabecera_ilegible"}


async def test_en_modo_estructurado_las_cabeceras_ce_no_cuentan(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    respuesta = await estructurado(cliente, EVENTO, **{"ce-id": "%ff", "ce-extra": "x"})
    assert respuesta.status_code == 202
    assert ultimo(puertos).propiedades == {}


@pytest.mark.parametrize(
    "tipo", ["application/cloudevents+avro", "application/cloudevents-batch+xml", "text/plain", None]
)
async def test_otro_tipo_de_contenido_es_un_415_que_dice_los_que_hay(
    cliente: httpx2.AsyncClient, tipo: str | None
) -> None:
    respuesta = await cliente.post(
        RUTA, content=json.dumps(EVENTO), headers={} if tipo is None else {"Content-Type": tipo}
    )
    assert respuesta.status_code == 415
    assert respuesta.headers["Accept-Post"].split(", ") == [
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
        "application/json",
    ]


async def test_uno_de_mas_de_64_kib_es_un_413(cliente: httpx2.AsyncClient) -> None:
    grande = {**EVENTO, "data": {**CONVERSION, "user_agent": "a" * 64 * 1024}}
    assert (await estructurado(cliente, grande)).status_code == 413
    assert (await binario(cliente, grande)).status_code == 413


async def test_un_lote_se_responde_como_un_lote_con_cada_uno_en_su_orden(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    de_impresion = {**EVENTO, "type": DE_IMPRESION, "data": IMPRESION}
    grande = {**EVENTO, "data": {**CONVERSION, "user_agent": "a" * 64 * 1024}}
    sin_moneda = {**EVENTO, "data": {**CONVERSION, "moneda": None}}
    respuesta = await por_lotes(
        cliente, [EVENTO, 5, {**EVENTO, "id": None}, grande, sin_moneda, de_impresion]
    )
    assert respuesta.status_code == 200
    lote = respuesta.json()
    assert [(uno["indice"], uno["estado"]) for uno in lote["resultados"]] == [
        (0, "ACEPTADA"),
        *((indice, "RECHAZADA") for indice in range(1, 5)),
        (5, "ACEPTADA"),
    ]
    assert [uno["errores"][0]["campo"] for uno in lote["resultados"][1:5]] == ["", "id", "", "moneda"]
    assert lote["resultados"][3]["errores"][0]["codigo"] == "elemento_demasiado_grande"
    assert (lote["aceptados"], lote["rechazados"], lote["sin_confirmar"]) == (2, 4, 0)
    assert [comando.id for comando, _, _ in puertos.publicados] == ["conv-123", "imp-123"]


async def test_en_un_lote_cada_uno_sigue_su_traza(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    otra = TRAZA.replace("4bf9", "aaaa")
    trazas = [TRAZA, None, otra, TRAZA]
    eventos = [
        {**EVENTO, "data": {**CONVERSION, "id": f"c-{numero}"}, "traceparent": traza}
        for numero, traza in enumerate(trazas)
    ]
    respuesta = await por_lotes(cliente, eventos)
    assert [uno["id"] for uno in respuesta.json()["resultados"]] == ["c-0", "c-1", "c-2", "c-3"]
    de_cada_uno = {comando.id: traza for comando, _, traza in puertos.publicados}
    assert (de_cada_uno["c-0"], de_cada_uno["c-2"], de_cada_uno["c-3"]) == (TRAZA, otra, TRAZA)
    assert de_cada_uno["c-1"] not in trazas


async def test_un_lote_vacio_es_un_lote(cliente: httpx2.AsyncClient) -> None:
    respuesta = await por_lotes(cliente, [])
    assert (respuesta.status_code, respuesta.json()["resultados"]) == (200, [])


async def test_un_lote_sin_broker_es_un_503_que_dice_con_que_id_repetir_cada_uno(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    puertos.disponible = False
    respuesta = await por_lotes(cliente, [EVENTO, {**EVENTO, "type": "x"}])
    assert respuesta.status_code == 503
    assert [uno["estado"] for uno in respuesta.json()["resultados"]] == ["SIN_CONFIRMAR", "RECHAZADA"]


@pytest.mark.parametrize(
    ("cuerpo", "estado"),
    [({}, 400), ("a" * 5 * 1024 * 1024, 413)],
)
async def test_lo_que_no_es_un_lote_o_no_cabe_no_se_recibe(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, cuerpo: object, estado: int
) -> None:
    assert (await por_lotes(cliente, cuerpo)).status_code == estado
    assert puertos.publicados == []


async def test_un_lote_con_uno_de_mas_dice_que_fue_de_los_que_cabian(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    respuesta = await por_lotes(cliente, [EVENTO, {**EVENTO, "type": "x"}] * 500 + [EVENTO])
    assert respuesta.status_code == 413
    assert (respuesta.json()["aceptados"], respuesta.json()["rechazados"]) == (500, 500)
    assert len(puertos.publicados) == 500


async def test_con_prefer_wait_un_lote_dice_el_destino_de_cada_uno(cliente: httpx2.AsyncClient) -> None:
    respuesta = await por_lotes(cliente, [EVENTO, EVENTO], Prefer="wait=5")
    assert [uno["estado"] for uno in respuesta.json()["resultados"]] == ["REGISTRADA", "DUPLICADA"]


async def test_un_lote_no_lleva_idempotency_key(cliente: httpx2.AsyncClient) -> None:
    respuesta = await por_lotes(cliente, [EVENTO], **{"Idempotency-Key": "pedido-7"})
    assert faltas(respuesta) == {"Idempotency-Key": "cabecera_no_admitida"}


async def test_con_rigor_un_campo_desconocido_rechaza_el_suyo(cliente: httpx2.AsyncClient) -> None:
    raro = {**EVENTO, "data": {**CONVERSION, "raro": 1}}
    rigor = {"Prefer": "handling=strict"}
    solo = await estructurado(cliente, raro, **rigor)
    lote = await por_lotes(cliente, [raro, {**EVENTO, "extension": "vale"}], **rigor)
    assert faltas(solo) == {"raro": "campo_desconocido"}
    assert [uno["estado"] for uno in lote.json()["resultados"]] == ["RECHAZADA", "ACEPTADA"]
    assert lote.headers["Preference-Applied"] == "handling=strict"


async def test_en_un_lote_uno_que_no_se_lee_no_estorba_a_los_demas(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    partes = [json.dumps(EVENTO), '{"id":1,"id":2}', '{"a":tru}', f"[{'[],' * 30_000}1]"]
    respuesta = await cliente.post(
        RUTA,
        content=f"[{','.join(partes)}]",
        headers={"Content-Type": "application/cloudevents-batch+json"},
    )
    assert respuesta.status_code == 200
    elementos = respuesta.json()["resultados"]
    codigos = [elemento.get("errores", [{"codigo": None}])[0]["codigo"] for elemento in elementos]
    assert codigos == [None, "elemento_ilegible", "elemento_ilegible", "elemento_demasiado_grande"]
    assert len(puertos.publicados) == 1


async def test_un_lote_vacio_vale_y_no_trae_nada(cliente: httpx2.AsyncClient) -> None:
    respuesta = await por_lotes(cliente, [])
    assert (respuesta.status_code, respuesta.json()["resultados"]) == (200, [])


async def test_un_lote_que_en_gzip_da_demasiado_lo_dice_como_los_demas(cliente: httpx2.AsyncClient) -> None:
    respuesta = await cliente.post(
        RUTA,
        content=gzip.compress(b"[" + b" " * 3_000_000 + b"]"),
        headers={"Content-Type": "application/cloudevents-batch+json", "Content-Encoding": "gzip"},
    )
    assert respuesta.status_code == 413
    assert respuesta.json()["type"] == "urn:alpespartners:error:cuerpo_demasiado_comprimido"
