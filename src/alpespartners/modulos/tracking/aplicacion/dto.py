"""Los DTO: una petición con los nombres de campo ya resueltos y cada valor con su tipo.

Qué es: la frontera entre el JSON y la aplicación. Los alias (`campana_id`) ya son un solo nombre, los
campos desconocidos ya están en `propiedades`, y `null` ya es ausencia.
Qué no es: datos válidos; ninguna regla del dominio los ha mirado.
Por qué existe: separa «qué forma tiene el JSON» de «qué significa cada valor». Vive lo que una petición, y
por eso no paga por ser inmutable.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(slots=True, kw_only=True)
class EventoDTO:
    """Lo común a las peticiones de todas las clases de evento."""

    id: str | None = None
    campaña_id: str | None = None
    influencer_id: str | None = None
    usuario_id: str | None = None
    user_agent: str | None = None
    ip_address: str | None = None
    referrer: str | None = None
    timestamp: datetime | None = None
    propiedades: Mapping[str, str]


@dataclass(slots=True, kw_only=True)
class RegistrarImpresionDTO(EventoDTO):
    """El cuerpo de `POST /tracking/impresiones`."""

    tipo_evento: str | None = None


@dataclass(slots=True, kw_only=True)
class RegistrarConversionDTO(EventoDTO):
    """El cuerpo de `POST /tracking/conversiones`."""

    tipo_conversion: str | None = None
    valor: Decimal | None = None
    moneda: str | None = None
