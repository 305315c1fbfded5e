"""Los cuerpos que se envían, descritos: lo común a las dos clases de evento.

Qué es: el esquema de los campos comunes, con los límites y las listas cerradas del dominio.
Qué no es: una validación, que es del dominio. Lo que un esquema no puede decir (que un instante no esté en el
futuro, cuántos decimales lleva un número) se dice con palabras.
"""

from collections.abc import Sequence
from typing import Final

from alpespartners.api.http.descripcion import Esquema
from alpespartners.modulos.tracking.dominio.objetos_valor import (
    LONGITUD_CLAVE_PROPIEDAD,
    LONGITUD_IDENTIFICADOR,
    LONGITUD_VALOR_PROPIEDAD,
    MAXIMO_PROPIEDADES,
)

_CONTROL: Final = r"\u0000-\u001f\u007f-\u009f"
_BLANCO: Final = r"\u0020\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_PATRON: Final = f"[^{_CONTROL}{_BLANCO}](?:[^{_CONTROL}]*[^{_CONTROL}{_BLANCO}])?"
_NOMBRE: Final = f"[^{_CONTROL}]{{1,{LONGITUD_CLAVE_PROPIEDAD}}}"
_RESERVADOS: Final = ("recibido_en", "registrado_en", "ocurrido_en", "estado", "advertencias", "comando_id")

AUSENTE: Final = ("", None)
"""Los valores que, en un campo opcional, valen por no enviarlo."""

INSTANTE: Final[Esquema] = {"type": "string", "format": "date-time"}

IDENTIFICADOR: Final[Esquema] = {
    "type": "string",
    "minLength": 1,
    "maxLength": LONGITUD_IDENTIFICADOR,
    "pattern": f"^{_PATRON}$",
}

IDENTIFICADOR_OPCIONAL: Final[Esquema] = {
    "type": ["string", "null"],
    "maxLength": LONGITUD_IDENTIFICADOR,
    "pattern": f"^(?:{_PATRON})?$",
}
_NULO: Final[Esquema] = {"type": "null"}
_ESCALAR: Final[Esquema] = {
    "type": ["string", "number", "boolean", "null"],
    "maxLength": LONGITUD_VALOR_PROPIEDAD,
    "pattern": r"^[^\u0000]*$",
}
# Entre las propiedades, como campos que solo admiten `null`, hay clientes generados que no dejan enviar nada.
_NO_RESERVADO: Final[Esquema] = {
    "type": "string",
    "pattern": f"^(?!(?:{'|'.join(_RESERVADOS)})$)",
    "description": f"Los que pone el servidor no se envían: {', '.join(_RESERVADOS)}.",
}
_DESCRIPTIVO: Final[Esquema] = {
    "type": ["string", "null"],
    "description": "Texto. Nunca es motivo de rechazo: lo ilegible se repara o descarta con una advertencia.",
}


def esquema_de_envio(propios: Esquema, requeridos: Sequence[str]) -> dict[str, object]:
    """El de un envío: los campos comunes, los propios de su clase y lo que se acepta de más."""
    campos: Esquema = {
        "id": {
            **IDENTIFICADOR_OPCIONAL,
            "pattern": rf"^(?!\.\.?$)(?:{_PATRON})?$",
            "description": "Clave de idempotencia. Si falta se asigna un UUIDv7.",
        },
        "campaña_id": IDENTIFICADOR,
        "influencer_id": IDENTIFICADOR_OPCIONAL,
        "usuario_id": IDENTIFICADOR_OPCIONAL,
        **propios,
        "user_agent": _DESCRIPTIVO,
        "ip_address": _DESCRIPTIVO,
        "referrer": _DESCRIPTIVO,
        "timestamp": {
            "anyOf": [INSTANTE, {"enum": [*AUSENTE]}],
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
                {"enum": [*AUSENTE]},
            ],
            "description": "Texto → texto; los números y booleanos quedan como su literal.",
        },
    }
    return {
        "type": "object",
        "required": [*requeridos],
        "properties": campos,
        "propertyNames": _NO_RESERVADO,
        "additionalProperties": {
            "description": "Un campo desconocido pasa a `propiedades`, con advertencia."
        },
    }
