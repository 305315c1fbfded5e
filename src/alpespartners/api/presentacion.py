"""De una entidad a su JSON.

Qué es: los campos de un evento registrado con los nombres del contrato, y la codificación exacta.
Qué no es: una decisión sobre qué se guarda; sale lo que hay, con `null` donde no hay nada.
Por qué existe: el dinero sale como entró, con todos sus dígitos y como número JSON; el tiempo, en UTC
con `Z` y con microsegundos solo si los tiene (RFC 3339).
"""

from typing import Final

import msgspec

from alpespartners.modulos.tracking.dominio.entidades import Conversion, Impresion

_CODIFICADOR: Final = msgspec.json.Encoder(decimal_format="number")


def recurso(entidad: Impresion | Conversion) -> dict[str, object]:
    """Los campos públicos de la entidad: los del cliente en el orden de la semilla, y los del servidor."""
    return {
        **entidad.contenido.campos(),
        "ocurrido_en": entidad.ocurrido_en,
        "recibido_en": entidad.recibido_en,
        "registrado_en": entidad.registrado_en,
        "comando_id": entidad.comando_id,
        "advertencias": entidad.advertencias,
    }


def en_json(cuerpo: object) -> bytes:
    """Codifica en UTF-8. Los `Decimal` salen como número con sus dígitos exactos."""
    return _CODIFICADOR.encode(cuerpo)
