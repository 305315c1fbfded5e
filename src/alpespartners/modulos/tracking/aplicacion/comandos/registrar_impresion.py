"""El comando `RegistrarImpresion`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrarImpresion:
    """Petición aceptada de registrar una impresión.

    Su identidad (`comando_id`) no está aquí: es el `ce_id` del mensaje. Los instantes son UTC con zona.

    En `señales`, lo que quien lo recibió supo de quien lo causó y no cabe en otro campo, como
    `visita_repetida`: códigos, y quien registra juzga con ellos.

    Con `ignorada` o con `faltas` no se registrará: dicen por qué, y lo demás es lo que se envió, sin juzgar
    (`aplicacion/negados.py`).
    """

    id: str | None
    campaña_id: str
    influencer_id: str | None
    usuario_id: str | None
    tipo_evento: str
    clic_id: str | None = None
    user_agent: str | None
    ip_address: str | None
    referrer: str | None
    timestamp: datetime | None
    recibido_en: datetime | None
    propiedades: Mapping[str, str]
    advertencias: tuple[str, ...]
    señales: tuple[str, ...] = ()
    ignorada: str | None = None
    faltas: Mapping[str, str] = field(default_factory=dict)
