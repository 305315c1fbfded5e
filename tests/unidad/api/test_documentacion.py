"""`/docs` y `/openapi.json`: completos, sin internet y sin nada que ejecutar en línea."""

import json
import re
from typing import Any

import httpx2
import jsonschema_rs
import pytest

from alpespartners.composicion.mensajes import descripcion_de_los_mensajes
from tests.apoyo.cuerpos import CONVERSION, IMPRESION
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria, cliente_de, descripcion


async def test_la_pagina_carga_solo_recursos_propios_que_existen(cliente: httpx2.AsyncClient) -> None:
    pagina = await cliente.get("/docs")
    assert pagina.headers["Content-Type"] == "text/html; charset=utf-8"
    recursos = re.findall(r'(?:src|href)="(?!data:)([^"]+)"', pagina.text)
    assert len(recursos) == 4
    for recurso in recursos:
        respuesta = await cliente.get(recurso)
        assert respuesta.status_code == 200
        assert respuesta.content
    assert "://" not in pagina.text


async def test_la_politica_de_la_pagina_prohibe_lo_ajeno_y_lo_escrito_en_linea(
    cliente: httpx2.AsyncClient,
) -> None:
    pagina = await cliente.get("/docs")
    politica = pagina.headers["Content-Security-Policy"]
    assert "default-src 'none'" in politica
    assert "script-src 'self';" in politica
    assert "unsafe" not in politica
    assert not re.search(r"<script(?![^>]*src=)", pagina.text)
    assert not re.search(r"\son\w+=|\sstyle=|<style", pagina.text)


async def test_los_recursos_llevan_su_tipo(cliente: httpx2.AsyncClient) -> None:
    estilo = await cliente.get("/docs/recursos/swagger-ui.css")
    guion = await cliente.get("/docs/recursos/swagger-ui-bundle.js")
    assert estilo.headers["Content-Type"] == "text/css; charset=utf-8"
    assert guion.headers["Content-Type"] == "text/javascript; charset=utf-8"


async def test_openapi_se_sirve_como_json(cliente: httpx2.AsyncClient) -> None:
    respuesta = await cliente.get("/openapi.json")
    assert respuesta.headers["Content-Type"] == "application/json"
    assert respuesta.json() == json.loads(json.dumps(descripcion()))


async def test_openapi_nombra_todos_los_puntos_de_entrada(
    cliente: httpx2.AsyncClient,
) -> None:
    rutas = (await cliente.get("/openapi.json")).json()["paths"]
    assert {(metodo.upper(), ruta) for ruta, metodos in rutas.items() for metodo in metodos} == {
        ("POST", "/tracking/impresiones"),
        ("GET", "/tracking/impresiones/{id}"),
        ("GET", "/tracking/campañas/{campaña_id}/impresiones"),
        ("GET", "/tracking/campanas/{campana_id}/impresiones"),
        ("GET", "/tracking/campañas/{campaña_id}/en-vivo"),
        ("GET", "/tracking/campanas/{campana_id}/en-vivo"),
        ("POST", "/tracking/conversiones"),
        ("POST", "/tracking/lotes"),
        ("POST", "/tracking/cloudevents"),
        ("GET", "/tracking/postback/{dialecto}"),
        ("POST", "/tracking/postback/{dialecto}"),
        ("POST", "/tracking/enlaces"),
        ("GET", "/tracking/enlaces"),
        ("GET", "/tracking/enlaces/{enlace_id}"),
        ("PATCH", "/tracking/enlaces/{enlace_id}"),
        ("POST", "/tracking/enlaces/{enlace_id}/firma"),
        ("GET", "/tracking/conversiones/{id}/clic"),
        ("GET", "/tracking/conversiones/{id}"),
        ("GET", "/tracking/impresiones/{id}/destino"),
        ("GET", "/tracking/conversiones/{id}/destino"),
        ("GET", "/tracking/destinos"),
        ("GET", "/tracking/impresiones"),
        ("GET", "/tracking/conversiones"),
        ("GET", "/tracking/balance"),
        ("GET", "/tracking/campañas/{campaña_id}/conversiones"),
        ("GET", "/tracking/campanas/{campana_id}/conversiones"),
        ("GET", "/tracking/influencers/{influencer_id}/conversiones"),
        ("GET", "/tracking/campañas"),
        ("GET", "/tracking/campanas"),
        ("GET", "/tracking/influencers"),
        ("GET", "/tracking/campañas/{campaña_id}/informe"),
        ("GET", "/tracking/campanas/{campana_id}/informe"),
        ("GET", "/tracking/influencers/{influencer_id}/informe"),
        ("GET", "/salud/viva"),
        ("GET", "/salud/lista"),
        ("GET", "/metricas"),
    }


def test_ningun_esquema_es_cualquier_cosa_ni_ninguna() -> None:
    componentes: Any = descripcion()["components"]

    def recorrer(donde: str, esquema: Any) -> None:
        assert not {"not", "const"} & esquema.keys(), donde
        assert esquema.keys() & {"type", "$ref", "anyOf", "oneOf"}, donde
        for nombre, parte in esquema.get("properties", {}).items():
            recorrer(f"{donde}.{nombre}", parte)

    for nombre, esquema in componentes["schemas"].items():
        recorrer(nombre, esquema)


def test_lo_que_se_envia_es_un_solo_objeto_con_sus_campos_obligatorios() -> None:
    componentes: Any = descripcion()["components"]
    for nombre in ("NuevaImpresion", "NuevaConversion"):
        esquema = componentes["schemas"][nombre]
        assert esquema["type"] == "object"
        assert "campaña_id" in esquema["required"]
        assert not esquema.keys() & {"anyOf", "oneOf", "allOf"}
    conversion = jsonschema_rs.validator_for(componentes["schemas"]["NuevaConversion"])
    for mala in (
        {"valor": 1, "moneda": "COP"},
        {"campaña_id": "c", "tipo_conversion": "VENTA"},
        {"campaña_id": "c", "tipo_conversion": "VENTA", "valor": 1},
        {"campaña_id": "c", "tipo_conversion": "REGISTRO", "valor": 1.5, "moneda": "JPY"},
    ):
        assert not conversion.is_valid(mala), mala
    assert conversion.is_valid({"campaña_id": "c", "tipo_conversion": "REGISTRO", "valor": None})
    for id_evento, vale in (
        (".", False),
        ("..", False),
        ("...", True),
        (".a", True),
        ("", False),
        (None, True),
    ):
        assert conversion.is_valid(CONVERSION | {"id": id_evento}) is vale, id_evento


def test_toda_respuesta_ensena_ejemplos_de_verdad() -> None:
    documento: Any = descripcion()
    componentes = documento["components"]
    respuestas = [
        *componentes["responses"].values(),
        *(
            respuesta
            for metodos in documento["paths"].values()
            for operacion in metodos.values()
            for respuesta in operacion["responses"].values()
            if "content" in respuesta
        ),
    ]
    for respuesta in respuestas:
        for contenido in respuesta["content"].values():
            esquema = {**contenido["schema"], "components": componentes}
            nombre = contenido["schema"].get("$ref", "").rpartition("/")[2]
            ejemplos = [ejemplo["value"] for ejemplo in contenido.get("examples", {}).values()]
            ejemplos += componentes["schemas"].get(nombre, {}).get("examples", [])
            assert ejemplos, respuesta["description"]
            for ejemplo in ejemplos:
                jsonschema_rs.validate(esquema, ejemplo)


async def test_openapi_avisa_a_quien_no_envia_id(cliente: httpx2.AsyncClient) -> None:
    documento = (await cliente.get("/openapi.json")).json()
    envio = documento["paths"]["/tracking/impresiones"]["post"]
    for texto in (documento["info"]["description"], envio["description"]):
        assert "no puede repetir" in texto


async def test_openapi_dice_que_los_ids_son_un_solo_espacio_y_como_no_chocar(
    cliente: httpx2.AsyncClient,
) -> None:
    documento = (await cliente.get("/openapi.json")).json()
    for ruta, esquema in (("impresiones", "NuevaImpresion"), ("conversiones", "NuevaConversion")):
        envio = documento["paths"][f"/tracking/{ruta}"]["post"]
        campo = documento["components"]["schemas"][esquema]["properties"]["id"]
        for texto in (envio["description"], campo["description"]):
            assert "un solo espacio" in texto
            assert "`tienda-1001`" in texto
        assert "Idempotency-Key" in [parametro["name"] for parametro in envio["parameters"]]


def test_un_identificador_cumple_su_esquema_si_y_solo_si_se_ve_entero() -> None:
    esquemas: Any = descripcion()["components"]
    validador = jsonschema_rs.validator_for(esquemas["schemas"]["NuevaImpresion"])
    for texto in ("a", "a b", "ñandú", "👨\u200d👩\u200d👧", "a  b\u200dc"):
        assert validador.is_valid(IMPRESION | {"id": texto, "campaña_id": texto}), texto
    for texto in (
        "",
        "a\u200b",
        "\u200da",
        "a\u200d",
        "a\u200d b",
        "a\u200d\u200db",
        "\U000e0041",
        "a\ufe0f",
        " a",
    ):
        assert not validador.is_valid(IMPRESION | {"campaña_id": texto}), texto
        assert not validador.is_valid(IMPRESION | {"id": texto}), texto


def test_toda_clave_de_un_componente_es_de_las_que_openapi_admite() -> None:
    componentes: Any = descripcion()["components"]
    claves = [clave for suyos in componentes.values() for clave in suyos]
    assert [clave for clave in claves if not re.fullmatch(r"[a-zA-Z0-9._-]+", clave)] == []


def test_toda_referencia_apunta_a_un_componente_que_existe() -> None:
    documento = descripcion()
    for referencia in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(documento, ensure_ascii=False))):
        nodo: Any = documento
        for parte in referencia.split("/"):
            assert parte in nodo, referencia
            nodo = nodo[parte]


@pytest.mark.parametrize(
    ("esquema", "ejemplo"), [("NuevaImpresion", IMPRESION), ("NuevaConversion", CONVERSION)]
)
async def test_los_ejemplos_cumplen_su_esquema_y_el_servicio_los_acepta(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, esquema: str, ejemplo: dict[str, object]
) -> None:
    documento = (await cliente.get("/openapi.json")).json()
    clase = "impresiones" if esquema == "NuevaImpresion" else "conversiones"
    contenido = documento["paths"][f"/tracking/{clase}"]["post"]["requestBody"]["content"]
    publicado = contenido["application/json"]["examples"]["semilla"]["value"]
    assert publicado.items() >= ejemplo.items()
    jsonschema_rs.validate({**documento["components"]["schemas"][esquema]}, publicado)
    assert (await cliente.post(f"/tracking/{clase}", json=publicado)).status_code == 202
    assert len(puertos.publicados) == 1


@pytest.mark.parametrize("ruta", ["/tracking/impresiones", "/tracking/conversiones"])
async def test_un_envio_con_todos_los_ejemplos_que_la_pagina_rellena_se_acepta(
    cliente: httpx2.AsyncClient, ruta: str
) -> None:
    documento: Any = descripcion()
    operacion = documento["paths"][ruta]["post"]
    cabeceras = {uno["name"]: uno["example"] for uno in operacion["parameters"] if "example" in uno}
    (ejemplo,) = operacion["requestBody"]["content"]["application/json"]["examples"].values()
    respuesta = await cliente.post(ruta, json=ejemplo["value"], headers=cabeceras)
    assert respuesta.status_code == 202, respuesta.text


def test_ningun_esquema_pide_juzgar_una_fraccion_que_la_coma_flotante_no_sabe_escribir() -> None:
    assert set(re.findall(r'"multipleOf": ([^,}]+)', json.dumps(descripcion()))) == {"1"}


def test_todo_precio_con_los_decimales_de_su_moneda_cumple_el_esquema() -> None:
    esquemas: Any = descripcion()["components"]
    validador = jsonschema_rs.validator_for(esquemas["schemas"]["NuevaConversion"])
    for centimos in range(1, 2001):
        precio = f"{centimos // 100}.{centimos % 100:02}"
        for valor in (float(precio), precio):
            assert validador.is_valid(CONVERSION | {"valor": valor, "moneda": "USD"}), valor
        assert validador.is_valid(CONVERSION | {"valor": centimos, "moneda": "JPY"}), centimos
    assert not validador.is_valid(CONVERSION | {"valor": 19.5, "moneda": "JPY"})
    assert not validador.is_valid(CONVERSION | {"valor": "19.999", "moneda": "USD"})


async def test_los_recursos_leidos_cumplen_su_esquema(cliente: httpx2.AsyncClient) -> None:
    componentes = (await cliente.get("/openapi.json")).json()["components"]

    def cumple(esquema: str, valor: object) -> None:
        jsonschema_rs.validate({"$ref": f"#/components/schemas/{esquema}", "components": componentes}, valor)

    for clase, esquema, cuerpo in (
        ("impresiones", "Impresion", IMPRESION),
        ("conversiones", "Conversion", CONVERSION),
    ):
        aceptada = await cliente.post(f"/tracking/{clase}", json=cuerpo)
        leida = await cliente.get(aceptada.headers["Location"])
        cumple("Aceptado", aceptada.json())
        cumple(esquema, leida.json())
        cumple(esquema, componentes["schemas"][esquema]["examples"][0])


async def test_asyncapi_se_sirve_como_json_y_sin_clave() -> None:
    async with cliente_de(api_en_memoria(PuertosEnMemoria(), claves=["secreta"])) as con_claves:
        respuesta = await con_claves.get("/asyncapi.json")
    assert respuesta.status_code == 200
    assert respuesta.headers["Content-Type"] == "application/json"
    assert respuesta.content == descripcion_de_los_mensajes()
