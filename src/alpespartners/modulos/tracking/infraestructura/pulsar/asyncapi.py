"""La descripción AsyncAPI 3.0 de los tópicos: por dónde va cada mensaje, qué lleva y qué se promete de él.

Qué es: un documento que se compone con los esquemas Avro, las clases de evento y las propiedades con que se
publica, con mensajes de verdad por ejemplo.
Qué no es: otro lugar donde están escritos.
Por qué existe: los módulos que se entienden con este por Pulsar (pagos, campañas) necesitan lo que OpenAPI da
a quien lo hace por HTTP, y que diga siempre lo que se publica.
"""

import json
from collections.abc import Mapping
from io import BytesIO, StringIO
from typing import Any, Final

from fastavro import json_writer, schemaless_reader

from alpespartners import __version__
from alpespartners.modulos.tracking.aplicacion.clases import CLASES, Clase
from alpespartners.modulos.tracking.aplicacion.mensajes import Sobre
from alpespartners.modulos.tracking.infraestructura.mensajes.esquemas import (
    ESQUEMAS,
    Definicion,
    leer_historial,
)
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import (
    PROPIEDAD_CLAVE,
    PROPIEDAD_COMANDO,
    PROPIEDAD_DETALLE,
    PROPIEDAD_PUBLICADO,
    PROPIEDAD_RECORTADA,
    PROPIEDAD_TOPICO,
    PROPIEDADES_FIJAS,
    SUFIJO_CARTAS,
)
from alpespartners.modulos.tracking.infraestructura.pulsar.revision import DIAS_DE_RETENCION
from alpespartners.seedwork.orden import ORDEN

Pieza = dict[str, Any]

_FORMATO_AVRO: Final = "application/vnd.apache.avro;version=1.9.0"
_MINUTOS_DE_UN_DIA: Final = 24 * 60
_CLAVE_DE_COMANDO: Final = "id"
_CLAVE_DE_EVENTO: Final = "campana_id"

_DE_CADA_MENSAJE: Final[Mapping[str, Pieza]] = {
    "ce_id": {
        "type": "string",
        "description": "Qué mensaje es. El mismo en cada entrega: por él se reconoce el repetido.",
    },
    "ce_time": {"type": "string", "format": "date-time", "description": "RFC 3339, en UTC."},
    "ce_subject": {"type": "string", "description": "El `id` del evento."},
    "traceparent": {
        "type": "string",
        "description": "W3C Trace Context: la traza de la petición que lo causó, si se conoce.",
    },
}
_NO_SIEMPRE: Final = frozenset({"traceparent"})
_DE_UNA_CARTA: Final[Mapping[str, str]] = {
    PROPIEDAD_TOPICO: "El tópico del que llegó.",
    PROPIEDAD_DETALLE: "Por qué no se pudo descifrar.",
    PROPIEDAD_COMANDO: "Qué comando es: por él se pregunta y se reinyecta.",
    PROPIEDAD_PUBLICADO: "Cuándo se publicó el original, según el broker: RFC 3339, en UTC.",
    PROPIEDAD_CLAVE: "La clave con que llegó, si traía.",
    PROPIEDAD_RECORTADA: "Qué le falta, si no cabía entero con el porqué.",
}
_NO_EN_TODA_CARTA: Final = frozenset({PROPIEDAD_CLAVE, PROPIEDAD_RECORTADA})

_DESCRIPCION: Final = (
    "Los comandos que recibe el módulo de tracking y los eventos de dominio que emite, por Apache Pulsar.\n\n"
    "**Se entrega al menos una vez**: un mensaje puede llegar repetido, siempre con el mismo `ce_id`. Quien "
    "lo recibe guarda ese `ce_id` con una clave única, en la misma transacción que lo que el mensaje "
    "provoque.\n\n"
    "**No hay orden** entre mensajes: `ocurrido_en` dice cuándo pasó cada cosa.\n\n"
    "**Una suscripción propia por módulo.** Quien llega nuevo y empieza por el principio ve lo que conserva "
    f"la retención, que debe ser de {DIAS_DE_RETENCION} días o más, sin máximo de tamaño.\n\n"
    "**Los esquemas** evolucionan con compatibilidad completa (`FULL`): lo de antes y lo de después se leen "
    "mutuamente. Avro se lee con el esquema de quien escribió: `ce_dataschema` dice cuál es. Aquí está el de "
    "hoy; los anteriores están en el registro de esquemas del broker y en `schema/v1/historial.jsonl`.\n\n"
    "Las propiedades de cada mensaje son las de CloudEvents 1.0, con el prefijo `ce_`. Los ejemplos están en "
    "la codificación JSON de Avro: un importe son los octetos de su entero sin escala, y un instante, "
    "microsegundos desde 1970."
)
_PROMESA_DE_COMANDO: Final = (
    "Puede publicarlo cualquier servicio: se valida entero otra vez, ninguna propiedad es obligatoria, y "
    "repetirlo con el mismo `ce_id` no añade nada. La clave del mensaje es su `id`: por ella se puede "
    "preguntar por su destino aunque no se pudiera descifrar."
)
_PROMESA_DE_EVENTO: Final = (
    "Lleva la fila entera y se emite una vez por cada `id` que se registra. Su `comando_id` es el `ce_id` "
    "del comando que lo causó. La clave del mensaje es su `campana_id`."
)
_PROMESA_DE_CARTA: Final = (
    "Lleva los octetos y las propiedades del comando tal como llegaron. Se lee y se reinyecta con "
    f"`{ORDEN} cartas`."
)


def describir(ejemplos: Mapping[str, Sobre]) -> Pieza:
    """Devuelve el documento, listo para codificarse en JSON.

    Args:
        ejemplos: un mensaje de cada tópico, por su nombre corto, también de los de cartas muertas.
    """
    canales: dict[str, Pieza] = {}
    operaciones: dict[str, Pieza] = {}
    mensajes: dict[str, Pieza] = {}
    publicados = leer_historial()
    for clase in CLASES:
        for topico, accion, mensaje in (
            (clase.topico, "receive", _comando(clase, publicados, ejemplos[clase.topico])),
            (clase.topico_de_eventos, "send", _evento(clase, publicados, ejemplos[clase.topico_de_eventos])),
            (clase.topico + SUFIJO_CARTAS, "send", _carta(clase, ejemplos[clase.topico + SUFIJO_CARTAS])),
        ):
            nombre = mensaje["name"]
            mensajes[nombre] = mensaje
            canales[topico] = _canal(topico, nombre, mensaje["title"])
            operaciones[f"{accion}_{nombre}"] = {
                "action": accion,
                "channel": {"$ref": f"#/channels/{topico}"},
                "title": mensaje["title"],
                "summary": mensaje["summary"],
                "messages": [{"$ref": f"#/channels/{topico}/messages/{nombre}"}],
            }
    return {
        "asyncapi": "3.0.0",
        "id": "urn:com:alpespartners:tracking",
        "info": {
            "title": "Alpes Partners · Tracking",
            "version": __version__,
            "description": _DESCRIPCION,
            "contact": {"name": "Alpes Partners"},
            "license": {"name": "Apache-2.0"},
            "tags": [{"name": "tracking"}],
        },
        "defaultContentType": "application/avro",
        "servers": {"pulsar": _servidor("pulsar"), "pulsar-cifrado": _servidor("pulsar+ssl")},
        "channels": canales,
        "operations": operaciones,
        "components": {"messages": mensajes},
    }


def _servidor(protocolo: str) -> Pieza:
    return {
        "host": "{broker}",
        "protocol": protocolo,
        "description": "El Apache Pulsar de la instalación, el de `ALPES_PULSAR_URL`.",
        "variables": {
            "broker": {"default": "localhost", "description": "El anfitrión y, si hace falta, el puerto."}
        },
        "bindings": {"pulsar": {"tenant": "public", "bindingVersion": "0.1.0"}},
    }


def _canal(topico: str, mensaje: str, titulo: str) -> Pieza:
    enlace: Pieza = {"namespace": "default", "persistence": "persistent"}
    if not topico.endswith(SUFIJO_CARTAS):
        # El enlace no sabe decir «sin máximo de tamaño»; lo dice la descripción.
        enlace["retention"] = {"time": DIAS_DE_RETENCION * _MINUTOS_DE_UN_DIA}
    return {
        "address": topico,
        "title": titulo,
        "description": (
            "El inquilino y el espacio de nombres son los de `ALPES_PULSAR_ESPACIO`; por omisión, "
            "`public/default`."
        ),
        "messages": {mensaje: {"$ref": f"#/components/messages/{mensaje}"}},
        "bindings": {"pulsar": {**enlace, "bindingVersion": "0.1.0"}},
    }


def _comando(clase: Clase, publicados: Mapping[str, Mapping[str, Definicion]], ejemplo: Sobre) -> Pieza:
    return {
        **_mensaje(clase.topico, publicados, ejemplo),
        "description": _PROMESA_DE_COMANDO,
        "correlationId": {
            "description": "El del comando; el evento que cause lo lleva en `comando_id`.",
            "location": "$message.header#/ce_id",
        },
        "x-clave": _CLAVE_DE_COMANDO,
    }


def _evento(clase: Clase, publicados: Mapping[str, Mapping[str, Definicion]], ejemplo: Sobre) -> Pieza:
    mensaje = _mensaje(clase.topico_de_eventos, publicados, ejemplo)
    cabeceras = mensaje["headers"]
    obligatorias = [nombre for nombre in cabeceras["properties"] if nombre not in _NO_SIEMPRE]
    return {
        **mensaje,
        "headers": {**cabeceras, "required": obligatorias},
        "description": _PROMESA_DE_EVENTO,
        "correlationId": {
            "description": "El `ce_id` del comando que lo causó.",
            "location": "$message.payload#/comando_id",
        },
        "x-clave": _CLAVE_DE_EVENTO,
    }


def _mensaje(topico: str, publicados: Mapping[str, Mapping[str, Definicion]], ejemplo: Sobre) -> Pieza:
    """Lo común a un comando y a un evento."""
    esquema = ESQUEMAS[topico]
    fijas: dict[str, Pieza] = {
        nombre: {"type": "string", "const": valor} for nombre, valor in PROPIEDADES_FIJAS[topico].items()
    }
    fijas["ce_dataschema"] = {
        "type": "string",
        "enum": [*publicados[esquema.registro]],
        "description": "Con qué esquema se escribió. Otro valor es de una versión posterior.",
    }
    return {
        "name": esquema.registro,
        "title": esquema.registro,
        "summary": esquema.definicion["doc"],
        "contentType": "application/avro",
        "headers": {"type": "object", "properties": {**fijas, **_DE_CADA_MENSAJE}},
        "payload": {"schemaFormat": _FORMATO_AVRO, "schema": esquema.definicion},
        "examples": [
            {
                "name": ejemplo.propiedades["ce_subject"],
                "summary": f"Con la clave «{ejemplo.clave}».",
                "headers": ejemplo.propiedades,
                "payload": _en_json(esquema.definicion, ejemplo.carga),
            }
        ],
    }


def _carta(clase: Clase, ejemplo: Sobre) -> Pieza:
    comando = ESQUEMAS[clase.topico].registro
    return {
        "name": f"Carta{comando}",
        "title": f"Carta muerta de {comando}",
        "summary": "Los octetos de un comando que no se pudo descifrar, y por qué.",
        "description": _PROMESA_DE_CARTA,
        "contentType": "application/octet-stream",
        "headers": {
            "type": "object",
            "description": "Además, las que traía el original.",
            "properties": {
                nombre: {"type": "string", "description": dice} for nombre, dice in _DE_UNA_CARTA.items()
            },
            "required": [nombre for nombre in _DE_UNA_CARTA if nombre not in _NO_EN_TODA_CARTA],
        },
        "examples": [{"name": "ilegible", "headers": ejemplo.propiedades}],
    }


def _en_json(definicion: Definicion, carga: bytes) -> Any:
    """Esos octetos en la codificación JSON de Avro (Avro 1.12, «JSON Encoding»)."""
    salida = StringIO()
    json_writer(salida, definicion, [schemaless_reader(BytesIO(carga), definicion, None)])
    return json.loads(salida.getvalue())
