"""Una impresión en HTTP: cómo se envía y cómo se lee."""

import json
from typing import Final

from msgspec import UNSET, UnsetType

from alpespartners.api.http.descripcion import CuerpoPedido
from alpespartners.api.tracking.clases import ClaseHTTP
from alpespartners.api.tracking.cuerpos import AUSENTE, esquema_de_envio
from alpespartners.api.tracking.ejemplos import CURSOR, EJEMPLOS
from alpespartners.api.tracking.presentacion import (
    DEL_SERVIDOR,
    Corriente,
    Difieren,
    EventoRegistrado,
    Pagina,
)
from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.dominio.objetos_valor import TipoEvento

_EJEMPLO: Final = json.loads(EJEMPLOS["impresiones"])


class Impresion(EventoRegistrado):
    """Una impresión registrada."""

    ejemplos = ({**_EJEMPLO, **DEL_SERVIDOR, "ocurrido_en": _EJEMPLO["timestamp"]},)

    tipo_evento: TipoEvento


class ImpresionRepetida(Impresion, kw_only=True):
    """Una impresión que ya estaba registrada cuando se envió otra vez."""

    difieren: Difieren | UnsetType = UNSET


class CorrienteImpresion(Corriente[Impresion]):
    """Una página de la corriente de impresiones."""

    ejemplos = ({"elementos": [*Impresion.ejemplos], "siguiente": CURSOR, "al_dia": True},)


class PaginaImpresion(Pagina[Impresion]):
    """Una página de impresiones."""

    ejemplos = ({"elementos": [*Impresion.ejemplos], "siguiente": None},)


IMPRESIONES: Final = ClaseHTTP(
    clase=clases.IMPRESIONES,
    una="una impresión",
    todas="las impresiones",
    cuerpo=CuerpoPedido(
        nombre="NuevaImpresion",
        ejemplo=_EJEMPLO,
        esquema=esquema_de_envio(
            {
                "tipo_evento": {
                    "enum": [*TipoEvento, *AUSENTE],
                    "default": TipoEvento.IMPRESION,
                    "description": "También en minúsculas.",
                }
            },
            requeridos=["campaña_id"],
        ),
    ),
    forma=Impresion,
    forma_repetida=ImpresionRepetida,
    pagina=PaginaImpresion,
    corriente=CorrienteImpresion,
)
