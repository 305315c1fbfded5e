"""La descripción OpenAPI 3.1 del servicio, escrita a mano.

Qué es: los cuerpos, respuestas, errores y límites que el servicio cumple, con los ejemplos de la
documentación del módulo. Los límites y las listas cerradas salen del dominio, así que no pueden divergir.
Qué no es: una fuente de validación. Lo que un esquema no puede decir (que un instante no esté en el
futuro, que un cursor sea de esa lista, cuántos decimales lleva un número) se dice con palabras.
Por qué existe: quien integra debe poder confiar en ella; una prueba la confronta con el servicio.
"""

import json
from collections.abc import Mapping
from typing import Final

from alpespartners import __version__
from alpespartners.api.http.preferencias import ESPERA_MAXIMA
from alpespartners.api.tracking.ejemplos import EJEMPLOS
from alpespartners.modulos.tracking.aplicacion.consultas.consultar_destino import SUCESOS_MAXIMOS
from alpespartners.modulos.tracking.aplicacion.consultas.listar_eventos import (
    LIMITE_MAXIMO,
    LIMITE_POR_OMISION,
)
from alpespartners.modulos.tracking.aplicacion.esperas import ESPERAS_MAXIMAS
from alpespartners.modulos.tracking.dominio.excepciones import Codigo
from alpespartners.modulos.tracking.dominio.monedas import DECIMALES
from alpespartners.modulos.tracking.dominio.objetos_valor import (
    LONGITUD_CLAVE_PROPIEDAD,
    LONGITUD_IDENTIFICADOR,
    LONGITUD_VALOR_PROPIEDAD,
    MAXIMO_DIGITOS_ENTEROS,
    MAXIMO_PROPIEDADES,
    PROPIEDADES_QUE_SE_JUZGAN,
    TipoConversion,
    TipoEvento,
)

Esquema = dict[str, object]

_CONTROL: Final = r"\u0000-\u001f\u007f-\u009f"
_BLANCO: Final = r"\u0020\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_IDENTIFICADOR: Final = f"[^{_CONTROL}{_BLANCO}](?:[^{_CONTROL}]*[^{_CONTROL}{_BLANCO}])?"
_INSTANTE: Final[Esquema] = {"type": "string", "format": "date-time"}
_INSTANTE_O_NULO: Final[Esquema] = {"type": ["string", "null"], "format": "date-time"}
_TEXTO_O_NULO: Final[Esquema] = {"type": ["string", "null"]}
_SIN_VALOR_OBLIGATORIO: Final = [tipo for tipo in TipoConversion if tipo is not TipoConversion.VENTA]
_NOMBRE: Final = f"[^{_CONTROL}]{{1,{LONGITUD_CLAVE_PROPIEDAD}}}"
_NULO: Final[Esquema] = {"type": "null"}
_ESCALAR: Final[Esquema] = {
    "type": ["string", "number", "boolean", "null"],
    "maxLength": LONGITUD_VALOR_PROPIEDAD,
    "pattern": r"^[^\u0000]*$",
}
_RESERVADOS: Final = ["recibido_en", "registrado_en", "ocurrido_en", "estado", "advertencias", "comando_id"]
_CUENTA: Final[Esquema] = {"type": "integer", "minimum": 0}
_FRASE: Final[Esquema] = {"type": "string", "description": "Una frase; nunca un valor recibido."}
_CAMPOS: Final[Esquema] = {
    "type": "array",
    "items": {"type": "string"},
    "description": "Los que faltan a su regla o, si el `id` ya era de otro contenido, los que difieren.",
}
_CONSUMIDORES: Final[Esquema] = {
    "type": ["integer", "null"],
    "minimum": 0,
    "description": "Cuántos viven ahora; `null` si no se pudo averiguar.",
}
_PROCESADO_HASTA: Final[Esquema] = {
    **_INSTANTE_O_NULO,
    "description": "El `recibido_en` del comando procesado más nuevo; `null` si no hay ninguno.",
}
_IMPRESION: Final = json.loads(EJEMPLOS["impresiones"])
_CONVERSION: Final = json.loads(EJEMPLOS["conversiones"])
_DEL_SERVIDOR: Final = {
    "propiedades": {},
    "ocurrido_en": "2024-01-15T10:30:00Z",
    "recibido_en": "2024-01-15T10:36:00.120000Z",
    "registrado_en": "2024-01-15T10:36:00.250000Z",
    "comando_id": "018d0c8e-5c00-7000-8000-000000000000",
    "advertencias": [],
}


def descripcion() -> dict[str, object]:
    """Devuelve el documento OpenAPI, listo para codificarse en JSON."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Alpes Partners · Tracking",
            "version": __version__,
            "description": (
                "Registro de impresiones y conversiones de campañas.\n\n"
                "Un 202 es una promesa: el comando ya está a salvo en el broker y se registrará una sola "
                "vez. El `id` del cliente es la clave de idempotencia: repetir un envío **con el mismo "
                "`id`** es seguro. **Un cliente que no envía `id` y no recibe respuesta no puede repetir "
                "con seguridad**: no sabe qué `id` se asignó, y el segundo envío sería otro evento."
            ),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [
            {"name": "impresiones"},
            {"name": "conversiones"},
            {"name": "balance", "description": "Si las cuentas cuadran, y qué falta por publicar."},
            {"name": "salud", "description": "Para sondas y para quien ve que algo no avanza."},
        ],
        "paths": {
            "/tracking/impresiones": {"post": _envio("impresion", "Impresion", "/tracking/impresiones")},
            "/tracking/conversiones": {"post": _envio("conversion", "Conversion", "/tracking/conversiones")},
            "/tracking/impresiones/{id}": {"get": _unidad("impresion", "Impresion")},
            "/tracking/conversiones/{id}": {"get": _unidad("conversion", "Conversion")},
            "/tracking/impresiones/{id}/destino": {"get": _destino("impresion")},
            "/tracking/conversiones/{id}/destino": {"get": _destino("conversion")},
            "/tracking/balance": {"get": _balance()},
            "/tracking/campañas/{campaña_id}/impresiones": {"get": _lista("impresion", "Impresion")},
            "/tracking/campañas/{campaña_id}/conversiones": {"get": _lista("conversion", "Conversion")},
            "/salud/viva": {"get": _viva()},
            "/salud/lista": {"get": _salud()},
            "/metricas": {"get": _metricas()},
        },
        "components": {
            "securitySchemes": {
                "clave": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": (
                        "Una de las claves de `ALPES_CLAVES_API`. Sin claves definidas no se pide ninguna, y "
                        "solo se atiende a la propia máquina."
                    ),
                }
            },
            "schemas": _esquemas(),
            "responses": _errores(),
            "parameters": _parametros(),
        },
    }


def _envio(clase: str, esquema: str, ruta: str) -> Esquema:
    return {
        "tags": [f"{clase}es"],
        "operationId": f"registrar_{clase}",
        "summary": "Registrar una impresión" if clase == "impresion" else "Registrar una conversión",
        "description": (
            "Responde cuando el broker confirmó el comando. Con 503, o sin respuesta, repetir con el mismo "
            "`id` es seguro; el `id` asignado viene en el cuerpo del 503. Un cliente que no envía `id` y no "
            "recibe respuesta no puede repetir con seguridad.\n\n"
            "Con `Prefer: wait=N` (RFC 7240) la respuesta espera hasta N segundos a saber qué fue del envío: "
            "201 si quedó registrado, 200 si ya lo estaba con el mismo contenido, 409 si ese `id` ya tiene "
            "otro contenido, y 202 si N segundos no bastaron: el envío sigue a salvo y se puede preguntar "
            "por su destino.\n\n"
            "Además de los campos descritos se admite `campana_id` en lugar de `campaña_id`, y los tipos y "
            "la moneda también en minúsculas."
        ),
        "security": [{"clave": []}, {}],
        "parameters": [{"$ref": "#/components/parameters/Prefer"}],
        "requestBody": {
            "required": True,
            "description": "Hasta 64 KiB, en UTF-8.",
            "content": {
                "application/json": {
                    "schema": _ref(f"Nueva{esquema}"),
                    "examples": {
                        "semilla": {
                            "summary": "El ejemplo del módulo",
                            "value": _IMPRESION if clase == "impresion" else _CONVERSION,
                        }
                    },
                }
            },
        },
        "responses": {
            "200": {
                "description": "Con `Prefer: wait`: ya estaba registrado con el mismo contenido; es este.",
                "headers": {"Preference-Applied": _espera_aplicada()},
                "content": {"application/json": {"schema": _ref(esquema)}},
            },
            "201": {
                "description": "Con `Prefer: wait`: quedó registrado.",
                "headers": {"Location": _direccion(ruta), "Preference-Applied": _espera_aplicada()},
                "content": {"application/json": {"schema": _ref(esquema)}},
            },
            "202": {
                "description": "Aceptado y a salvo en el broker.",
                "headers": {
                    "Location": _direccion(ruta),
                    "Preference-Applied": _espera_aplicada(obligatoria=False),
                },
                "content": {"application/json": {"schema": _ref("Aceptado")}},
            },
            "409": {"$ref": "#/components/responses/409"},
            **_respuestas("400", "401", "403", "408", "413", "415", "421"),
            "422": {"$ref": "#/components/responses/422_envio"},
            "503": {"$ref": "#/components/responses/503_broker"},
        },
    }


def _direccion(ruta: str) -> Esquema:
    return {
        "description": "Dónde se leerá el evento, con el `id` codificado.",
        "required": True,
        "schema": {"type": "string", "pattern": f"^{ruta}/[A-Za-z0-9._~%-]+$"},
    }


def _espera_aplicada(*, obligatoria: bool = True) -> Esquema:
    return {
        "description": "La espera que se concedió, en segundos.",
        "required": obligatoria,
        "schema": {"type": "string", "pattern": "^wait=(?:[0-9]|10)$"},
    }


def _unidad(clase: str, esquema: str) -> Esquema:
    return {
        "tags": [f"{clase}es"],
        "operationId": f"obtener_{clase}",
        "summary": "Obtener una impresión" if clase == "impresion" else "Obtener una conversión",
        "description": (
            "El `id` va codificado: `FV/2024/001` se pide como `FV%2F2024%2F001`. Un evento recién aceptado "
            "tarda un instante en registrarse; hasta entonces es 404."
        ),
        "security": [{"clave": []}, {}],
        "parameters": [{"$ref": f"#/components/parameters/id_{clase}"}],
        "responses": {
            "200": {
                "description": "Lo que se registró.",
                "content": {"application/json": {"schema": _ref(esquema)}},
            },
            **_respuestas("401", "403", "404", "421", "422"),
            "503": {"$ref": "#/components/responses/503_base_de_datos"},
        },
    }


def _destino(clase: str) -> Esquema:
    return {
        "tags": [f"{clase}es"],
        "operationId": f"destino_de_{clase}",
        "summary": f"Saber qué fue de una {'impresión' if clase == 'impresion' else 'conversión'}",
        "description": (
            "Todo lo que pasó con ese `id`, de lo más antiguo a lo más nuevo: cada comando que lo nombró "
            "y en qué acabó. El 404 dice cuántos consumidores viven y hasta cuándo se ha procesado, para "
            "distinguir «todavía no» de «nunca llegó»."
        ),
        "security": [{"clave": []}, {}],
        "parameters": [{"$ref": f"#/components/parameters/id_{clase}"}],
        "responses": {
            "200": {
                "description": "Lo que pasó.",
                "content": {"application/json": {"schema": _ref("Historia")}},
            },
            **_respuestas("401", "403", "421", "422"),
            "404": {"$ref": "#/components/responses/404_destino"},
            "503": {"$ref": "#/components/responses/503_base_de_datos"},
        },
    }


def _balance() -> Esquema:
    return {
        "tags": ["balance"],
        "operationId": "consultar_balance",
        "summary": "Ver el balance",
        "description": (
            "En qué acabaron los comandos procesados de cada tópico: cada uno está en una y solo una de "
            "estas cuentas. Se lee en un tiempo que no depende de cuántos haya."
        ),
        "security": [{"clave": []}, {}],
        "responses": {
            "200": {
                "description": "El balance de este instante.",
                "content": {"application/json": {"schema": _ref("Balance")}},
            },
            **_respuestas("401", "403", "421", "422"),
            "503": {"$ref": "#/components/responses/503_base_de_datos"},
        },
    }


def _lista(clase: str, esquema: str) -> Esquema:
    nombres = ["campana_id", "limite", "cursor", "desde", "hasta", "influencer_id"]
    if clase == "conversion":
        nombres.append("tipo_conversion")
    return {
        "tags": [f"{clase}es"],
        "operationId": f"listar_{clase}es",
        "summary": f"Listar las {'impresiones' if clase == 'impresion' else 'conversiones'} de una campaña",
        "description": (
            "De la más reciente a la más antigua por `ocurrido_en`. Recorrer la lista mientras llegan "
            "eventos no repite ninguno ni se salta los que ya estaban. Una campaña desconocida da una lista "
            "vacía. También responde en `/tracking/campanas/…`."
        ),
        "security": [{"clave": []}, {}],
        "parameters": [{"$ref": f"#/components/parameters/{nombre}"} for nombre in nombres],
        "responses": {
            "200": {
                "description": "Una página.",
                "headers": {
                    "Link": {
                        "description": 'La página siguiente, si la hay: `<…>; rel="next"` (RFC 8288).',
                        "schema": {"type": "string", "pattern": '^<[^>]+>; rel="next"$'},
                    }
                },
                "content": {"application/json": {"schema": _ref(f"Pagina{esquema}")}},
            },
            **_respuestas("401", "403", "404", "421", "422"),
            "503": {"$ref": "#/components/responses/503_base_de_datos"},
        },
    }


def _viva() -> Esquema:
    esquema = _objeto({"estado": {"const": "viva"}})
    return {
        "tags": ["salud"],
        "operationId": "salud_viva",
        "summary": "¿Vive el proceso?",
        "responses": {
            "200": {"description": "Vive.", "content": {"application/json": {"schema": esquema}}},
            **_respuestas("403", "421", "422"),
        },
    }


def _salud() -> Esquema:
    contenido = {"application/json": {"schema": _ref("Salud")}}
    return {
        "tags": ["salud"],
        "operationId": "salud_lista",
        "summary": "¿Puede recibir eventos?",
        "responses": {
            "200": {"description": "Puede; quizá degradada (sin lecturas).", "content": contenido},
            **_respuestas("403", "421", "422"),
            "503": {"description": "No puede: el broker no responde.", "content": contenido},
        },
    }


def _metricas() -> Esquema:
    contenido = {"text/plain": {"schema": {"type": "string"}}}
    return {
        "tags": ["salud"],
        "operationId": "metricas",
        "summary": "Lo que el proceso cuenta de sí mismo, para Prometheus",
        "description": "Ninguna métrica lleva un identificador de campaña, influencer, usuario o evento.",
        "responses": {
            "200": {"description": "Texto de Prometheus.", "content": contenido},
            **_respuestas("403", "421", "422"),
        },
    }


def _esquemas() -> Esquema:
    return {
        "NuevaImpresion": _nueva(
            {
                "tipo_evento": {
                    "enum": [*TipoEvento, "", None],
                    "default": TipoEvento.IMPRESION,
                    "description": "También en minúsculas.",
                }
            },
            requeridos=["campaña_id"],
        ),
        "NuevaConversion": {
            **_nueva(
                {
                    "tipo_conversion": {
                        "enum": [*TipoConversion],
                        "description": "También en minúsculas. `VENTA` exige `valor` y `moneda`.",
                    },
                    "valor": {
                        "type": ["number", "string", "null"],
                        "minimum": 0,
                        "exclusiveMaximum": 10**MAXIMO_DIGITOS_ENTEROS,
                        "description": (
                            "Importe exacto: como número o como texto de dígitos con punto decimal. Nunca se "
                            "convierte a coma flotante."
                        ),
                    },
                    "moneda": {
                        "enum": [*sorted(DECIMALES), "", None],
                        "description": "ISO 4217, activa y con unidad menor. También en minúsculas.",
                    },
                },
                requeridos=["campaña_id", "tipo_conversion"],
            ),
            "anyOf": [
                *(_importe(decimales) for decimales in sorted(set(DECIMALES.values()))),
                {
                    "title": "Sin valor",
                    "properties": {
                        "tipo_conversion": {"enum": _SIN_VALOR_OBLIGATORIO},
                        "valor": {"enum": ["", None]},
                    },
                },
            ],
        },
        "Impresion": _registrada({"tipo_evento": {"enum": [*TipoEvento]}}, _IMPRESION),
        "Conversion": _registrada(
            {
                "tipo_conversion": {"enum": [*TipoConversion]},
                "valor": {
                    "type": ["number", "null"],
                    "minimum": 0,
                    "description": "Con todos los decimales de su moneda: `150000.00`.",
                },
                "moneda": {"enum": [*sorted(DECIMALES), None]},
            },
            _CONVERSION,
        ),
        "PaginaImpresion": _pagina("Impresion"),
        "PaginaConversion": _pagina("Conversion"),
        "Aceptado": _objeto(
            {
                "id": {"type": "string", "description": "El enviado, o el asignado (UUIDv7) si no lo había."},
                "estado": {"const": "ACEPTADA"},
                "comando_id": {"type": "string", "format": "uuid"},
                "advertencias": _advertencias(),
            }
        ),
        "Historia": _objeto(
            {
                "id": {"type": "string"},
                "destinos": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": SUCESOS_MAXIMOS,
                    "items": {
                        "oneOf": [
                            _suceso(
                                "REGISTRADA", "Se guardó, y su evento de dominio se publica una vez.", {}
                            ),
                            _suceso(
                                "DUPLICADA",
                                "Ya estaba registrado con el mismo contenido: no añadió nada.",
                                {
                                    "original": {
                                        "type": "string",
                                        "description": "El comando que lo registró.",
                                    }
                                },
                            ),
                            _suceso(
                                "RECHAZADA",
                                "No se registró.",
                                {"motivo": {"enum": [*Codigo]}, "detalle": _FRASE, "campos": _CAMPOS},
                            ),
                            _suceso(
                                "ILEGIBLE",
                                "No se pudo descifrar; el mensaje está en las cartas muertas.",
                                {"detalle": _FRASE},
                            ),
                        ]
                    },
                },
                "omitidos": {
                    "type": "integer",
                    "minimum": 0,
                    "description": f"Cuántos hay además de los {SUCESOS_MAXIMOS} primeros.",
                },
            }
        ),
        "Balance": _objeto(
            {
                "comandos": {
                    "type": "array",
                    "description": "Una cuenta por tópico de comandos.",
                    "items": _objeto(
                        {
                            "topico": {"type": "string"},
                            "registradas": _CUENTA,
                            "duplicadas": _CUENTA,
                            "rechazadas": {
                                "type": "object",
                                "description": "Por motivo.",
                                "propertyNames": {"enum": [*Codigo]},
                                "additionalProperties": _CUENTA,
                            },
                            "ilegibles": _CUENTA,
                            "total": {**_CUENTA, "description": "Comandos distintos procesados."},
                            "procesado_hasta": _PROCESADO_HASTA,
                        }
                    ),
                },
                "bandeja_salida": _objeto(
                    {
                        "pendientes": {**_CUENTA, "description": "Mensajes que el broker aún no confirmó."},
                        "desde": {
                            **_INSTANTE_O_NULO,
                            "description": "Desde cuándo espera el más antiguo; `null` si no hay ninguno.",
                        },
                    }
                ),
            }
        ),
        "Salud": _objeto(
            {
                "estado": {"enum": ["lista", "degradada", "no_lista"]},
                "broker": {"enum": ["disponible", "no_disponible"]},
                "base_datos": {"enum": ["disponible", "no_disponible"]},
                "consumidores": _CONSUMIDORES,
            },
            opcionales={
                "retencion": {
                    "enum": ["suficiente", "insuficiente", "desconocida"],
                    "description": "Solo con `ALPES_PULSAR_ADMIN`: si llega a siete días.",
                },
                "suscripciones": {
                    "enum": ["presentes", "faltan", "desconocidas"],
                    "description": "Solo con `ALPES_PULSAR_ADMIN`: si existen las que guardan lo no leído.",
                },
            },
        ),
        "Problema": {
            "type": "object",
            "description": "RFC 9457.",
            "required": ["type", "title", "status", "detail"],
            "properties": {
                "type": {"type": "string", "pattern": "^urn:alpespartners:error:[a-z_]+$"},
                "title": {"type": "string"},
                "status": {"type": "integer"},
                "detail": {"type": "string"},
            },
        },
        "DatosInvalidos": {
            "allOf": [_ref("Problema")],
            "required": ["errores"],
            "properties": {
                "errores": {
                    "type": "array",
                    "minItems": 1,
                    "description": (
                        "Todas las faltas a la vez, las de `propiedades` hasta la "
                        f"{PROPIEDADES_QUE_SE_JUZGAN}.ª; nunca el valor recibido."
                    ),
                    "items": _objeto(
                        {
                            "campo": {"type": "string"},
                            "codigo": {"enum": [*Codigo]},
                            "mensaje": {"type": "string"},
                        }
                    ),
                }
            },
        },
        "EnvioNegado": {
            "allOf": [_ref("Problema")],
            "required": ["id", "comando_id", "motivo", "campos"],
            "properties": {
                "id": {"type": "string"},
                "comando_id": {"type": "string", "format": "uuid"},
                "motivo": {
                    "enum": [*Codigo, None],
                    "description": "`null` si el mensaje no se pudo descifrar.",
                },
                "campos": _CAMPOS,
            },
        },
        "DestinoDesconocido": {
            "allOf": [_ref("Problema")],
            "properties": {"consumidores": _CONSUMIDORES, "procesado_hasta": _PROCESADO_HASTA},
        },
        "BrokerNoDisponible": {
            "allOf": [_ref("Problema")],
            "required": ["id"],
            "properties": {"id": {"type": "string", "description": "Repetir con este `id` es seguro."}},
        },
    }


def _suceso(estado: str, explicacion: str, propios: Esquema) -> Esquema:
    esquema = _objeto(
        {
            "estado": {"const": estado},
            **propios,
            "comando_id": {"type": "string"},
            "recibido_en": _INSTANTE,
            "decidido_en": _INSTANTE,
        }
    )
    return {**esquema, "title": estado, "description": explicacion}


def _nueva(propios: Esquema, requeridos: list[str]) -> Esquema:
    """Un cuerpo de envío: los campos comunes, los propios y lo que se acepta de más."""
    descriptivo = "Texto. Nunca es motivo de rechazo: lo ilegible se repara o descarta con una advertencia."
    campos: Esquema = {
        "id": {
            **_identificador_opcional(),
            "not": {"enum": [".", ".."]},
            "description": "Clave de idempotencia. Si falta se asigna un UUIDv7.",
        },
        "campaña_id": _identificador(),
        "influencer_id": _identificador_opcional(),
        "usuario_id": _identificador_opcional(),
        **propios,
        "user_agent": {"description": descriptivo},
        "ip_address": {"description": descriptivo},
        "referrer": {"description": descriptivo},
        "timestamp": {
            "anyOf": [_INSTANTE, {"enum": ["", None]}],
            "description": (
                "RFC 3339 con zona, desde el año 2000 y como mucho 24 horas por delante del reloj del "
                "servidor."
            ),
        },
        "propiedades": {
            "anyOf": [
                {
                    "type": "object",
                    "maxProperties": MAXIMO_PROPIEDADES,
                    "patternProperties": {f"^{_NOMBRE}$": _ESCALAR},
                    "additionalProperties": _NULO,
                },
                {"enum": ["", None]},
            ],
            "description": "Texto → texto; los números y booleanos quedan como su literal.",
        },
        **{nombre: {**_NULO, "description": "Lo pone el servidor."} for nombre in _RESERVADOS},
    }
    return {
        "type": "object",
        "required": requeridos,
        "properties": campos,
        "patternProperties": {
            f"^(?!(?:{'|'.join(campos)})$){_NOMBRE}$": {
                **_ESCALAR,
                "description": "Un campo desconocido pasa a `propiedades`, con advertencia.",
            }
        },
        "additionalProperties": _NULO,
    }


def _importe(decimales: int) -> Esquema:
    """Lo que distingue a las monedas con esos decimales.

    Cuántos admite un número se dice con palabras: los validadores juzgan `multipleOf: 0.01` en coma flotante,
    y así 19.99 no es múltiplo de un céntimo.
    """
    fraccion = rf"(?:\.[0-9]{{1,{decimales}}}0*)?" if decimales else r"(?:\.0+)?"
    regla: Esquema = {"multipleOf": 1}
    if decimales:
        regla = {
            "description": f"Admite {decimales} decimales, sin contar los ceros del final; con más es un 422."
        }
    return {
        "title": f"Con valor, en una moneda de {decimales} decimales",
        "required": ["valor", "moneda"],
        "properties": {
            "valor": {
                "type": ["number", "string"],
                **regla,
                "pattern": f"^0*[0-9]{{1,{MAXIMO_DIGITOS_ENTEROS}}}{fraccion}$",
            },
            "moneda": {"enum": sorted(m for m, suyos in DECIMALES.items() if suyos == decimales)},
        },
    }


def _registrada(propios: Esquema, ejemplo: Mapping[str, object]) -> Esquema:
    esquema = _objeto(
        {
            "id": {"type": "string"},
            "campaña_id": {"type": "string"},
            "influencer_id": _TEXTO_O_NULO,
            "usuario_id": _TEXTO_O_NULO,
            **propios,
            "user_agent": _TEXTO_O_NULO,
            "ip_address": _TEXTO_O_NULO,
            "referrer": _TEXTO_O_NULO,
            "timestamp": _INSTANTE_O_NULO,
            "propiedades": {"type": "object", "additionalProperties": {"type": "string"}},
            "ocurrido_en": {
                **_INSTANTE,
                "description": "El `timestamp`, o `recibido_en` si falta o se adelanta a él.",
            },
            "recibido_en": _INSTANTE,
            "registrado_en": _INSTANTE,
            "comando_id": {"type": "string"},
            "advertencias": _advertencias(),
        }
    )
    return {**esquema, "examples": [{**ejemplo, **_DEL_SERVIDOR, "ocurrido_en": ejemplo["timestamp"]}]}


def _pagina(esquema: str) -> Esquema:
    return _objeto(
        {
            "elementos": {"type": "array", "maxItems": LIMITE_MAXIMO, "items": _ref(esquema)},
            "siguiente": {**_TEXTO_O_NULO, "description": "El `cursor` de la página siguiente, si la hay."},
        }
    )


def _advertencias() -> Esquema:
    return {
        "type": "array",
        "items": {"type": "string"},
        "description": "Lo que se reparó o descartó: un código, y `:campo` si habla de uno.",
    }


def _parametros() -> Esquema:
    ruta: Esquema = {"in": "path", "required": True, "schema": _identificador()}
    return {
        "id_impresion": {"name": "id", **ruta, "example": _IMPRESION["id"]},
        "id_conversion": {"name": "id", **ruta, "example": _CONVERSION["id"]},
        # OpenAPI solo admite ASCII en la clave de un componente; el nombre del parámetro conserva su eñe.
        "campana_id": {"name": "campaña_id", **ruta, "example": _IMPRESION["campaña_id"]},
        "Prefer": {
            "name": "Prefer",
            "in": "header",
            "required": False,
            "schema": {
                "anyOf": [
                    {"type": "string", "title": "Esperar", "pattern": "^wait=[0-9]{1,2}$"},
                    {"type": "string", "title": "Cualquier otra preferencia"},
                ]
            },
            "description": (
                f"`wait=N`: esperar el destino hasta N segundos, con un máximo de {ESPERA_MAXIMA}. Lo que no "
                f"se entiende se ignora. Si ya esperan {ESPERAS_MAXIMAS} envíos, el 202 sale sin esperar."
            ),
        },
        "limite": _parametro(
            "limite",
            {"type": "integer", "minimum": 1, "maximum": LIMITE_MAXIMO, "default": LIMITE_POR_OMISION},
            "Cuántos eventos como mucho.",
        ),
        "cursor": _parametro(
            "cursor",
            {"type": "string", "minLength": 1},
            "El `siguiente` de la página anterior; solo vale para la misma campaña y los mismos filtros.",
        ),
        "desde": _parametro("desde", _INSTANTE, "`ocurrido_en` desde este instante, incluido."),
        "hasta": _parametro("hasta", _INSTANTE, "`ocurrido_en` hasta este instante, sin incluirlo."),
        "influencer_id": _parametro("influencer_id", _identificador(), "Solo los de este influencer."),
        "tipo_conversion": _parametro(
            "tipo_conversion", {"enum": [*TipoConversion]}, "Solo los de este tipo; también en minúsculas."
        ),
    }


def _parametro(nombre: str, esquema: Esquema, descripcion: str) -> Esquema:
    return {"name": nombre, "in": "query", "schema": esquema, "description": descripcion}


def _errores() -> Esquema:
    """Las respuestas de error, por su código."""
    reintento: Esquema = {
        "Retry-After": {"description": "Segundos.", "required": True, "schema": {"type": "integer"}}
    }
    autenticacion: Esquema = {"WWW-Authenticate": {"required": True, "schema": {"type": "string"}}}
    return {
        "400": _error("El cuerpo no es JSON: mal formado, vacío, con claves repetidas o demasiado anidado."),
        "401": _error("Falta la clave o no es ninguna de las definidas.", cabeceras=autenticacion),
        "403": _error("Sin claves definidas, solo se atiende a esta máquina y sin intermediarios."),
        "404": _error("No hay nada en esa dirección."),
        "404_destino": _error(
            "No consta nada de ese `id`: todavía no, o nunca llegó.", esquema="DestinoDesconocido"
        ),
        "408": _error("El cuerpo no llegó entero a tiempo."),
        "409": _error(
            "Con `Prefer: wait`: ese `id` ya está registrado con otro contenido.",
            esquema="EnvioNegado",
            cabeceras={"Preference-Applied": _espera_aplicada()},
        ),
        "413": _error("El cuerpo pasa de 64 KiB."),
        "415": _error("El cuerpo no viene como `application/json` sin comprimir."),
        "421": _error("Sin claves definidas, solo se atiende a nombres locales o de `ALPES_NOMBRES`."),
        "422": _error("Hay datos no válidos; se dicen todos.", esquema="DatosInvalidos"),
        "422_envio": {
            "description": (
                "Hay datos no válidos; se dicen todos. O, con `Prefer: wait`, el envío se aceptó y no se "
                "pudo registrar."
            ),
            "headers": {"Preference-Applied": _espera_aplicada(obligatoria=False)},
            "content": {
                "application/problem+json": {
                    "schema": {"anyOf": [_ref("DatosInvalidos"), _ref("EnvioNegado")]}
                }
            },
        },
        "503_broker": _error(
            "El broker no confirmó a tiempo. Repetir con el `id` que viene aquí es seguro.",
            esquema="BrokerNoDisponible",
            cabeceras=reintento,
        ),
        "503_base_de_datos": _error("La base de datos no responde.", cabeceras=reintento),
    }


def _error(explicacion: str, *, esquema: str = "Problema", cabeceras: Esquema | None = None) -> Esquema:
    respuesta: Esquema = {
        "description": explicacion,
        "content": {"application/problem+json": {"schema": _ref(esquema)}},
    }
    return respuesta if cabeceras is None else {**respuesta, "headers": cabeceras}


def _respuestas(*codigos: str) -> Esquema:
    return {codigo: {"$ref": f"#/components/responses/{codigo}"} for codigo in codigos}


def _identificador() -> Esquema:
    return {
        "type": "string",
        "minLength": 1,
        "maxLength": LONGITUD_IDENTIFICADOR,
        "pattern": f"^{_IDENTIFICADOR}$",
    }


def _identificador_opcional() -> Esquema:
    return {
        "type": ["string", "null"],
        "maxLength": LONGITUD_IDENTIFICADOR,
        "pattern": f"^(?:{_IDENTIFICADOR})?$",
    }


def _objeto(propiedades: Esquema, opcionales: Esquema | None = None) -> Esquema:
    """Un objeto con exactamente esas propiedades, presentes todas menos las opcionales."""
    return {
        "type": "object",
        "required": list(propiedades),
        "properties": propiedades | (opcionales or {}),
        "additionalProperties": False,
    }


def _ref(esquema: str) -> Esquema:
    return {"$ref": f"#/components/schemas/{esquema}"}
