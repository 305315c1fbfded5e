"""De lo que la aplicación responde a su JSON.

Qué es: los campos de un evento registrado, de una historia y del balance con los nombres del contrato, y la
codificación exacta.
Qué no es: una decisión sobre qué se guarda; sale lo que hay, con `null` donde no hay nada.
Por qué existe: el dinero sale como entró, con todos sus dígitos y como número JSON; el tiempo, en UTC
con `Z` y con microsegundos solo si los tiene (RFC 3339).
"""

from typing import Final

import msgspec

from alpespartners.modulos.tracking.aplicacion.consultas.consultar_balance import BalanceDelModulo
from alpespartners.modulos.tracking.aplicacion.consultas.consultar_destino import Historia
from alpespartners.modulos.tracking.dominio.destinos import Destino, Duplicada, Ilegible, Rechazada
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


def historia(evento_id: str, contada: Historia) -> dict[str, object]:
    """Todo lo que pasó con un `id`, del suceso más antiguo al más nuevo."""
    return {
        "id": evento_id,
        "destinos": [
            {
                **_campos_del_destino(suceso.destino),
                "comando_id": suceso.comando_id,
                "recibido_en": suceso.recibido_en,
                "decidido_en": suceso.decidido_en,
            }
            for suceso in contada.sucesos
        ],
        "omitidos": contada.omitidos,
    }


def _campos_del_destino(destino: Destino) -> dict[str, object]:
    """El estado, y los campos propios de cada uno."""
    campos: dict[str, object] = {"estado": destino.estado}
    match destino:
        case Duplicada(original):
            campos["original"] = original
        case Rechazada(motivo, detalle, nombres):
            campos |= {"motivo": motivo, "detalle": detalle, "campos": nombres}
        case Ilegible(detalle):
            campos["detalle"] = detalle
    return campos


def balance(balance_actual: BalanceDelModulo) -> dict[str, object]:
    """Las cuentas de cada tópico de comandos y la bandeja de salida."""
    return {
        "comandos": [
            {
                "topico": cuenta.topico,
                "registradas": cuenta.registradas,
                "duplicadas": cuenta.duplicadas,
                "rechazadas": cuenta.rechazadas,
                "ilegibles": cuenta.ilegibles,
                "total": cuenta.total,
                "procesado_hasta": cuenta.procesado_hasta,
            }
            for cuenta in balance_actual.comandos
        ],
        "bandeja_salida": {
            "pendientes": balance_actual.bandeja_salida.cuantos,
            "desde": balance_actual.bandeja_salida.desde,
        },
    }


def en_json(cuerpo: object) -> bytes:
    """Codifica en UTF-8. Los `Decimal` salen como número con sus dígitos exactos."""
    return _CODIFICADOR.encode(cuerpo)
