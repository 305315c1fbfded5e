"""La tabla de cada dialecto de postback: de qué parámetro suyo sale cada campo nuestro.

Qué es: datos. `docs/entrada.md` los enseña, y una prueba compara lo que dice con esto.
Qué no es: la lectura de una petición (`puerta.py`), ni su conversión (`traduccion.py`).
Por qué existe: los mismos nombres dicen cosas distintas. `transaction_id` es el clic en Everflow y en TUNE, y
`txid` y `tid` la conversión en Voluum y en Keitaro: una sola tabla para todos confundiría a quién se paga con
qué se vendió.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from alpespartners.modulos.tracking.dominio.objetos_valor import TipoConversion

Fuentes = Mapping[str, Sequence[str]]
"""De cada campo nuestro, los parámetros donde se busca, del primero al último."""
Estados = Mapping[str, TipoConversion | None]
"""De cada estado que es de una conversión, en minúsculas, su tipo; `None`, el que tenga sin él."""

CLAVE: Final = "clave"
"""El parámetro en que va la clave, si no va en `Authorization`."""
ESTADOS: Final = "estados"
"""El que dice qué es cada estado, en lugar de lo que dice la tabla."""
DEVOLVER: Final = "devolver"
"""El que dice qué responder."""

PROPIAS: Final[Fuentes] = {
    "id": ("id",),
    "clic_id": ("clic_id",),
    "campaña_id": ("campaña_id", "campana_id"),
    "influencer_id": ("influencer_id",),
    "usuario_id": ("usuario_id",),
    "tipo_conversion": ("tipo_conversion",),
    "valor": ("valor",),
    "moneda": ("moneda",),
    "cupon": ("cupon",),
    "timestamp": (),
    "user_agent": ("user_agent",),
    "ip_address": ("ip_address",),
    "referrer": ("referrer",),
}
"""Los nombres nuestros, que valen en todos y antes que los suyos.

El instante no: `timestamp` es en varios de ellos un número de segundos.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tabla:
    """Un dialecto.

    Attributes:
        fuentes: de dónde sale cada campo, después de su nombre nuestro.
        objetivo: de dónde, cuál de las cosas que se pueden lograr con un clic se logró; 0 es la de siempre.
        id_por_objetivo: si lo que dice cuál es la conversión puede repetirse de un objetivo a otro, como el
            número de un pedido.
        estado: de dónde sale el estado; si no lo trae, es una conversión.
        estados: los que lo son; cualquier otro no.
        mapas: los parámetros que dicen con qué palabras nombra la red a uno de ellos, entre comas.
        devolver: los parámetros que dicen qué responder.
        se_callan: los que llevan un secreto, y no se guardan en ningún sitio.
        espacio: de donde salen los `id` derivados: cambiarlo contaría dos veces lo que se repita.
    """

    fuentes: Fuentes
    objetivo: Sequence[str] = ()
    id_por_objetivo: bool = False
    estado: Sequence[str] = ()
    estados: Estados = field(default_factory=dict)
    mapas: Mapping[str, str] = field(default_factory=dict)
    devolver: Sequence[str] = (DEVOLVER,)
    se_callan: frozenset[str] = frozenset()
    espacio: UUID


TABLAS: Final[Mapping[str, Tabla]] = {
    "alpes": Tabla(
        fuentes={"timestamp": ("timestamp",)},
        objetivo=("objetivo",),
        estado=("estado",),
        estados={"aprobada": None, "approved": None, "venta": TipoConversion.VENTA},
        espacio=UUID("5b0d3c52-6c1f-5b86-9a0e-1f6f4f5f8a01"),
    ),
    "everflow": Tabla(
        fuentes={
            "clic_id": ("transaction_id", "_ef_transaction_id"),
            "id": ("order_id",),
            "campaña_id": ("oid", "offer_id"),
            "influencer_id": ("affid", "affiliate_id"),
            "usuario_id": ("user_id",),
            "valor": ("amount",),
            "moneda": ("currency",),
            "cupon": ("coupon_code",),
        },
        objetivo=("event_id", "adv_event_id"),
        id_por_objetivo=True,
        estado=("status",),
        estados={"approved": None},
        se_callan=frozenset({"verification_token"}),
        espacio=UUID("5b0d3c52-6c1f-5b86-9a0e-1f6f4f5f8a02"),
    ),
    "tune": Tabla(
        fuentes={
            "clic_id": ("transaction_id",),
            "id": ("conversion_unique_id",),
            "campaña_id": ("offer_id",),
            "influencer_id": ("aff_id",),
            "usuario_id": ("user_id",),
            "valor": ("amount",),
            "moneda": ("currency",),
            "cupon": ("promo_code",),
        },
        objetivo=("goal_id", "goal_ref"),
        estado=("status",),
        estados={"approved": None},
        se_callan=frozenset({"security_token"}),
        espacio=UUID("5b0d3c52-6c1f-5b86-9a0e-1f6f4f5f8a03"),
    ),
    "voluum": Tabla(
        fuentes={"clic_id": ("cid",), "id": ("txid",), "valor": ("payout",), "moneda": ("currency",)},
        objetivo=("et",),
        id_por_objetivo=True,
        espacio=UUID("5b0d3c52-6c1f-5b86-9a0e-1f6f4f5f8a04"),
    ),
    "keitaro": Tabla(
        fuentes={
            "clic_id": ("subid", "sub_id"),
            "id": ("tid",),
            "valor": ("payout",),
            "moneda": ("currency",),
        },
        estado=("status",),
        estados={
            "sale": TipoConversion.VENTA,
            "rebill": TipoConversion.VENTA,
            "registration": TipoConversion.REGISTRO,
        },
        mapas={
            "lead_status": "lead",
            "sale_status": "sale",
            "rejected_status": "rejected",
            "rebill_status": "rebill",
            "ignore_status": "ping",
        },
        devolver=(DEVOLVER, "return"),
        espacio=UUID("5b0d3c52-6c1f-5b86-9a0e-1f6f4f5f8a05"),
    ),
    "binom": Tabla(
        fuentes={
            "clic_id": ("cnv_id", "clickid"),
            "valor": ("payout",),
            "moneda": ("cnv_currency",),
        },
        estado=("cnv_status",),
        estados={"approved": None, "approve": None, "sale": TipoConversion.VENTA},
        espacio=UUID("5b0d3c52-6c1f-5b86-9a0e-1f6f4f5f8a06"),
    ),
}
"""Por lo que se escribe en la dirección.

Qué es cada parámetro lo dice la documentación de cada red. Un `lead` de Keitaro o un `pending` de TUNE están
en espera y todavía no son nada: contados ahora y otra vez al aprobarse, su dinero contaría dos veces.
"""
