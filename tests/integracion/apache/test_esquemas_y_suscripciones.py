"""Lo que queda puesto en un Apache Pulsar: esquemas registrados y suscripciones que guardan lo no leído."""

import json
from dataclasses import replace
from typing import Any

import pulsar
import pytest

from alpespartners.modulos.tracking.aplicacion.comandos import Comando
from alpespartners.modulos.tracking.aplicacion.topicos import (
    COMANDO_REGISTRAR_CONVERSION,
    COMANDO_REGISTRAR_IMPRESION,
    EVENTO_CONVERSION_REGISTRADA,
    EVENTO_IMPRESION_REGISTRADA,
)
from alpespartners.modulos.tracking.infraestructura.libro.tablas import (
    conversiones,
    impresiones,
)
from alpespartners.modulos.tracking.infraestructura.mensajes.esquemas import ESQUEMAS
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import SUFIJO_CARTAS
from tests.apoyo.espera import hasta_en_el_bucle
from tests.apoyo.eventos import CONVERSION, IMPRESION
from tests.apoyo.puesta import Puesta
from tests.apoyo.pulsar_apache import ServidorApache

TOPICOS = (
    COMANDO_REGISTRAR_IMPRESION,
    COMANDO_REGISTRAR_CONVERSION,
    EVENTO_IMPRESION_REGISTRADA,
    EVENTO_CONVERSION_REGISTRADA,
)


async def registrar(puesta: Puesta, comandos: list[Comando], ya: int = 0) -> None:
    """Publica los comandos y espera a que cada uno sea una fila más, con su evento ya publicado."""
    async with puesta.despachando(30) as despachador, puesta.consumiendo():
        for comando in comandos:
            await despachador.publicar(comando, comando_id=f"c-{comando.id}", traza=None)
        await hasta_en_el_bucle(
            lambda: (
                puesta.contar(impresiones) + puesta.contar(conversiones) == ya + len(comandos)
                and puesta.por_publicar() == 0
            ),
            60,
        )


async def test_los_productores_registran_los_esquemas_del_paquete(
    pulsar_apache: ServidorApache, puesta: Puesta
) -> None:
    await registrar(puesta, [IMPRESION, CONVERSION])
    for topico in TOPICOS:
        registrado = pulsar_apache.administrar("GET", f"schemas/{puesta.broker.espacio}/{topico}/schema")
        assert registrado["type"] == "AVRO"
        assert json.loads(registrado["data"]) == ESQUEMAS[topico].definicion


CAMPOS = ESQUEMAS[EVENTO_IMPRESION_REGISTRADA].definicion["fields"]
OBLIGATORIO = {"name": "nuevo", "type": "string"}
OPTATIVO = {"name": "nuevo", "type": ["null", "string"], "default": None}


async def test_solo_entra_un_esquema_que_leen_los_de_antes_y_que_lee_lo_de_antes(
    pulsar_apache: ServidorApache, puesta: Puesta
) -> None:
    await registrar(puesta, [IMPRESION])
    ajeno = pulsar.Client(puesta.broker.url, logger=pulsar.FileLogger(pulsar.LoggerLevel.Error, "/dev/null"))

    def publicar_con(campos: list[Any]) -> None:
        definicion = ESQUEMAS[EVENTO_IMPRESION_REGISTRADA].definicion | {"fields": campos}
        ajeno.create_producer(
            f"persistent://{puesta.broker.espacio}/{EVENTO_IMPRESION_REGISTRADA}",
            schema=pulsar.schema.AvroSchema(None, schema_definition=definicion),
        ).close()

    def registrado() -> list[Any]:
        ruta = f"schemas/{puesta.broker.espacio}/{EVENTO_IMPRESION_REGISTRADA}/schema"
        campos: list[Any] = json.loads(pulsar_apache.administrar("GET", ruta)["data"])["fields"]
        return campos

    sin_id = [campo for campo in CAMPOS if campo["name"] != "id"]
    for incompatibles in ([OBLIGATORIO], [*CAMPOS, OBLIGATORIO], sin_id):
        with pytest.raises(pulsar.IncompatibleSchema):
            publicar_con(incompatibles)
        assert registrado() == CAMPOS
    publicar_con([*CAMPOS, OPTATIVO])
    assert registrado() == [*CAMPOS, OPTATIVO]
    # Los nuestros, que declaran el de siempre, siguen publicando.
    ajeno.close()
    await registrar(puesta, [replace(IMPRESION, id="despues")], ya=1)


async def test_lo_publicado_sin_consumidores_ni_retencion_sobrevive_a_que_el_topico_se_descargue(
    pulsar_apache: ServidorApache, puesta: Puesta
) -> None:
    ninguna = {"retentionTimeInMinutes": 0, "retentionSizeInMB": 0}
    pulsar_apache.administrar("POST", f"namespaces/{puesta.broker.espacio}/retention", ninguna)
    async with puesta.despachando(30) as despachador:
        await despachador.publicar(replace(IMPRESION, id="antes"), comando_id="c-1", traza=None)
    pulsar_apache.administrar(
        "PUT", f"persistent/{puesta.broker.espacio}/{COMANDO_REGISTRAR_IMPRESION}/unload"
    )
    async with puesta.consumiendo():
        await hasta_en_el_bucle(lambda: puesta.contar(impresiones) == 1, 60)


async def test_las_suscripciones_existen_antes_del_primer_mensaje(
    pulsar_apache: ServidorApache, puesta: Puesta
) -> None:
    async with puesta.despachando(30) as despachador:
        for comando in (IMPRESION, CONVERSION):
            await despachador.publicar(comando, comando_id="c-1", traza=None)
        for topico in (COMANDO_REGISTRAR_IMPRESION, COMANDO_REGISTRAR_CONVERSION):
            for nombre, suscripcion in ((topico, "tracking"), (topico + SUFIJO_CARTAS, "cartas")):
                ruta = f"persistent/{puesta.broker.espacio}/{nombre}/subscriptions"
                assert pulsar_apache.administrar("GET", ruta) == [suscripcion]
