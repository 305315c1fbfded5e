"""La descripción AsyncAPI dice lo que se publica: los mismos tópicos, esquemas, claves y propiedades."""

import json
from collections.abc import Mapping
from io import BytesIO, StringIO
from typing import Any

import jsonschema_rs
import pytest
from fastavro import json_reader, schemaless_reader
from hypothesis import given

from alpespartners.composicion.mensajes import descripcion_de_los_mensajes
from alpespartners.modulos.tracking.aplicacion.clases import CLASES
from alpespartners.modulos.tracking.aplicacion.comandos import Comando
from alpespartners.modulos.tracking.aplicacion.mensajes import Sobre
from alpespartners.modulos.tracking.infraestructura.mensajes.esquemas import ESQUEMAS
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import (
    SUFIJO_CARTAS,
    evento_de,
    sobre_de_carta,
    sobre_de_comando,
    sobre_de_evento,
)
from tests.apoyo.estrategias import comandos_de_conversion, comandos_de_impresion
from tests.apoyo.eventos import conversion, ilegible, impresion
from tests.apoyo.repositorio import RAIZ

DOCUMENTO: Any = json.loads(descripcion_de_los_mensajes())
COMANDOS = [clase.topico for clase in CLASES]
EVENTOS = [clase.topico_de_eventos for clase in CLASES]
CARTAS = [topico + SUFIJO_CARTAS for topico in COMANDOS]


def mensaje_de(topico: str) -> Mapping[str, Any]:
    """El mensaje de ese canal, tras su referencia."""
    (nombre,) = DOCUMENTO["channels"][topico]["messages"]
    mensaje: Mapping[str, Any] = DOCUMENTO["components"]["messages"][nombre]
    return mensaje


def cabe(sobre: Sobre) -> None:
    """Falla si ese mensaje no es como dice la descripción de su canal."""
    mensaje = mensaje_de(sobre.topico)
    jsonschema_rs.validate(mensaje["headers"], sobre.propiedades)
    if "x-clave" in mensaje:
        leido: Any = schemaless_reader(BytesIO(sobre.carga), mensaje["payload"]["schema"], None)
        assert leido[mensaje["x-clave"]] == sobre.clave


def test_la_del_repositorio_es_octeto_por_octeto_la_que_se_sirve() -> None:
    guardada = (RAIZ / "docs" / "asyncapi.json").read_bytes()
    assert guardada == descripcion_de_los_mensajes(), (
        "renuévela: python -m alpespartners.composicion.mensajes > docs/asyncapi.json"
    )


def test_estan_todos_los_topicos_y_cada_uno_se_recibe_o_se_envia() -> None:
    assert {canal["address"] for canal in DOCUMENTO["channels"].values()} == {*COMANDOS, *EVENTOS, *CARTAS}
    acciones = {
        operacion["channel"]["$ref"].removeprefix("#/channels/"): operacion["action"]
        for operacion in DOCUMENTO["operations"].values()
    }
    assert acciones == {
        **dict.fromkeys(COMANDOS, "receive"),
        **dict.fromkeys(EVENTOS, "send"),
        **dict.fromkeys(CARTAS, "send"),
    }


@pytest.mark.parametrize("topico", [*COMANDOS, *EVENTOS])
def test_cada_mensaje_lleva_entero_el_esquema_con_que_se_escribe(topico: str) -> None:
    carga = mensaje_de(topico)["payload"]
    assert carga["schemaFormat"] == "application/vnd.apache.avro;version=1.9.0"
    assert carga["schema"] == ESQUEMAS[topico].definicion


@given(comandos_de_impresion() | comandos_de_conversion())
def test_un_comando_publicado_es_como_dice_la_descripcion(comando: Comando) -> None:
    cabe(sobre_de_comando(comando, "c-1", None))


@pytest.mark.parametrize("entidad", [impresion(), conversion()])
def test_un_evento_publicado_es_como_dice_la_descripcion(entidad: Any) -> None:
    cabe(sobre_de_evento(evento_de(entidad), None))


@pytest.mark.parametrize("topico", COMANDOS)
@pytest.mark.parametrize("clave", [None, "conv-1"])
def test_una_carta_muerta_es_como_dice_la_descripcion(topico: str, clave: str | None) -> None:
    cabe(sobre_de_carta(topico, ilegible("c-1", clave)))


@pytest.mark.parametrize("topico", EVENTOS)
def test_a_un_evento_no_le_puede_faltar_ninguna_propiedad_salvo_la_traza(topico: str) -> None:
    (ejemplo,) = mensaje_de(topico)["examples"]
    for nombre in ejemplo["headers"]:
        sin_ella = {clave: valor for clave, valor in ejemplo["headers"].items() if clave != nombre}
        vale = jsonschema_rs.is_valid(mensaje_de(topico)["headers"], sin_ella)
        assert vale is (nombre == "traceparent"), nombre


@pytest.mark.parametrize("topico", [*COMANDOS, *EVENTOS])
def test_el_ejemplo_son_los_octetos_de_un_mensaje_en_el_json_de_avro(topico: str) -> None:
    definicion = ESQUEMAS[topico].definicion
    (ejemplo,) = mensaje_de(topico)["examples"]
    jsonschema_rs.validate(mensaje_de(topico)["headers"], ejemplo["headers"])
    (leido,) = json_reader(StringIO(json.dumps(ejemplo["payload"])), definicion)
    assert isinstance(leido, dict)
    assert leido["id"] == ejemplo["headers"]["ce_subject"]
    carga = ESQUEMAS[topico].escribir(leido)
    assert schemaless_reader(BytesIO(carga), definicion, None) == leido


def test_no_nombra_ningun_servidor_de_verdad() -> None:
    assert {servidor["host"] for servidor in DOCUMENTO["servers"].values()} == {"{broker}"}
