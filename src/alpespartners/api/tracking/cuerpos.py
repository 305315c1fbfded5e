"""Los cuerpos que se envían, descritos: lo común a las dos clases de evento.

Qué es: el esquema de los campos comunes, con los límites y las listas cerradas del dominio.
Qué no es: una validación, que es del dominio. Lo que un esquema no puede decir (hasta cuándo vale una moneda,
cuántos decimales lleva un número) se dice con palabras.
"""

from collections.abc import Sequence
from typing import Final

from alpespartners.api.http.descripcion import Esquema
from alpespartners.api.http.esquemas import IDENTIFICADOR, INSTANTE, PATRON
from alpespartners.modulos.tracking.aplicacion.mapeadores import RESERVADOS
from alpespartners.modulos.tracking.dominio.objetos_valor import LONGITUD_IDENTIFICADOR
from alpespartners.modulos.tracking.dominio.propiedades import (
    LONGITUD_CLAVE_PROPIEDAD,
    LONGITUD_VALOR_PROPIEDAD,
    MAXIMO_PROPIEDADES,
)

AUSENTE: Final = ("", None)
"""Los valores que, en un campo opcional, valen por no enviarlo."""

IDENTIFICADOR_OPCIONAL: Final[Esquema] = {
    "type": ["string", "null"],
    "maxLength": LONGITUD_IDENTIFICADOR,
    "pattern": f"^(?:{PATRON})?$",
}
_NULO: Final[Esquema] = {"type": "null"}
# Entre las propiedades, como campos que solo admiten `null`, hay clientes generados que no dejan enviar nada.
_NO_RESERVADO: Final[Esquema] = {
    "type": "string",
    "pattern": f"^(?!(?:{'|'.join(RESERVADOS)})$)",
    "description": f"Los que pone el servidor no se envían: {', '.join(RESERVADOS)}.",
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
            "pattern": rf"^(?!\.\.?$)(?:{PATRON})?$",
            "minLength": 1,
            "description": (
                "Clave de idempotencia, en un solo espacio para todas las campañas: `tienda-1001` mejor que "
                "`1001`. Si falta vale la cabecera `Idempotency-Key`, y sin ella se asigna un UUIDv7."
            ),
        },
        "campaña_id": IDENTIFICADOR,
        "influencer_id": IDENTIFICADOR_OPCIONAL,
        "usuario_id": IDENTIFICADOR_OPCIONAL,
        **propios,
        "clic_id": {
            "type": ["string", "null"],
            "description": (
                "El clic del que viene, como lo puso el enlace en la dirección de destino. Nunca es motivo "
                f"de rechazo: si no puede serlo (hasta {LONGITUD_IDENTIFICADOR} caracteres, sin controles ni "
                "espacios en los extremos) queda en `propiedades.clic_id_recibido`, con una advertencia."
            ),
        },
        "user_agent": _DESCRIPTIVO,
        "ip_address": _DESCRIPTIVO,
        "referrer": _DESCRIPTIVO,
        "timestamp": {
            "anyOf": [INSTANTE, {"enum": [*AUSENTE]}],
            "description": (
                "RFC 3339 con zona; también como `-0700`. Anterior al año 2000 o más de 24 horas por delante "
                "del reloj del servidor, queda en `propiedades.timestamp_recibido`, con una advertencia."
            ),
        },
        "propiedades": {
            "type": ["object", "null"],
            "additionalProperties": {"description": "Un texto; lo demás queda como su JSON."},
            "description": (
                "Un objeto de textos. Nunca es motivo de rechazo: un número o un booleano queda como su "
                'literal, `{"utm": {"source": …}}` como `utm.source`, y lo más anidado como su JSON. Se '
                f"guardan {MAXIMO_PROPIEDADES}, con nombres de hasta {LONGITUD_CLAVE_PROPIEDAD} caracteres y "
                f"valores de hasta {LONGITUD_VALOR_PROPIEDAD}; lo que pasa de ahí se recorta o se deja, con "
                "una advertencia."
            ),
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
