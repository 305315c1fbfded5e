"""La tabla de un dialecto: qué evento suyo es cuál de los nuestros, y de dónde sale cada campo.

Qué es: datos. `docs/entrada.md` los enseña, y una prueba compara lo que dice con esto.
Qué no es: la lectura de una petición (`puerta.py`), ni la conversión de un suceso (`traduccion.py`).
Por qué existe: quien envía con un SDK ajeno tiene que poder saber, antes de enviar, qué será de cada evento.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from alpespartners.modulos.tracking.aplicacion.clases import CONVERSIONES, IMPRESIONES, Clase

Origenes = Mapping[str, Sequence[str]]
"""De cada campo nuestro, las rutas dentro del suceso ajeno donde se busca, de la primera a la última."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Correspondencia:
    """Cuál de los nuestros es un suceso ajeno.

    Attributes:
        clase: de qué clase.
        tipo: de qué tipo dentro de ella.
        origenes: de dónde salen los campos que solo tienen los suyos; se miran antes que los comunes.
    """

    clase: Clase
    tipo: str
    origenes: Origenes = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tabla:
    """Un dialecto.

    Attributes:
        suceso: el campo que dice qué pasó.
        solo_si: el campo, y lo que vale, de los sucesos que pueden corresponder a algo; `None`, todos.
        libres: el objeto con las propiedades del suceso.
        origenes: de dónde salen los campos de cualquier suceso.
        supuestos: de dónde, si no se nombran: de cómo llegó quien hizo algo (un UTM). La única campaña de una
            clave vale más.
        correspondencias: por lo que pasó, en minúsculas.
        enviado: los campos que dicen cuándo se envió, del sobre o de un suceso suelto.
        espacio: de donde salen los `id` derivados: cambiarlo contaría dos veces lo que se repita.
        se_callan: los campos que no se guardan en ningún sitio: llevan la clave, o dicen qué hacer con ella.
    """

    suceso: str
    solo_si: tuple[str, str] | None = None
    libres: str
    origenes: Origenes
    supuestos: Origenes
    correspondencias: Mapping[str, Correspondencia]
    enviado: Sequence[str]
    espacio: UUID
    se_callan: frozenset[str]


def de_comercio(libres: str) -> Mapping[str, Correspondencia]:
    """Los sucesos de una tienda que se siguen, con los nombres que Segment les dio y otros adoptaron.

    Args:
        libres: el objeto con las propiedades del suceso.
    """
    return {
        "order completed": Correspondencia(
            clase=CONVERSIONES,
            tipo="VENTA",
            origenes={
                "id": (f"{libres}.order_id",),
                "valor": (f"{libres}.total", f"{libres}.revenue", f"{libres}.value"),
                "moneda": (f"{libres}.currency",),
                "cupon": (f"{libres}.coupon",),
            },
        ),
        "product viewed": Correspondencia(clase=IMPRESIONES, tipo="VISUALIZACION"),
        "ad viewed": Correspondencia(clase=IMPRESIONES, tipo="IMPRESION"),
        "ad clicked": Correspondencia(clase=IMPRESIONES, tipo="CLIC"),
    }


SEGMENT: Final = Tabla(
    suceso="event",
    solo_si=("type", "track"),
    libres="properties",
    origenes={
        "id": ("messageId",),
        "campaña_id": ("properties.campaña_id", "properties.campana_id", "properties.campaign_id"),
        "influencer_id": ("properties.influencer_id",),
        "usuario_id": ("userId", "anonymousId"),
        "user_agent": ("context.userAgent",),
        "ip_address": ("context.ip",),
        "referrer": ("context.page.referrer",),
        "timestamp": ("timestamp", "originalTimestamp"),
    },
    supuestos={"campaña_id": ("context.campaign.id", "context.campaign.name")},
    correspondencias=de_comercio("properties"),
    enviado=("sentAt",),
    espacio=UUID("6f1d3f0a-2c51-5b0c-8a55-93b1f0a7d2e4"),
    se_callan=frozenset({"writeKey", "integrations", "_metadata", "sentAt"}),
)
"""Segment y RudderStack, que habla lo mismo.

El influencer solo sale de donde se le nombra: de quién es el dinero no se adivina de un `utm_source` ni de la
tienda (`affiliation`), que quedan entre las propiedades.
"""

POSTHOG: Final = Tabla(
    suceso="event",
    libres="properties",
    origenes={
        "id": ("uuid",),
        "campaña_id": ("properties.campaña_id", "properties.campana_id", "properties.campaign_id"),
        "influencer_id": ("properties.influencer_id",),
        "usuario_id": ("distinct_id", "properties.distinct_id"),
        "user_agent": ("properties.$raw_user_agent", "properties.$user_agent"),
        "ip_address": ("properties.$ip",),
        "referrer": ("properties.$referrer",),
        "timestamp": ("timestamp",),
    },
    supuestos={"campaña_id": ("properties.utm_campaign",)},
    correspondencias=de_comercio("properties"),
    enviado=("sent_at", "sentAt"),
    espacio=UUID("c2b8a6e1-7d0f-5e3a-9b14-4e6d20f8c395"),
    se_callan=frozenset({"api_key", "token", "properties.token", "sent_at", "sentAt"}),
)
"""PostHog."""
