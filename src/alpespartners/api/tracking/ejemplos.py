"""Los dos envíos de ejemplo del documento de la semilla, tal como se escriben en una terminal.

Qué es: el texto que enseñan OpenAPI y `alpespartners iniciar`, y lo que de ellos dicen las respuestas.
Por qué existe: un ejemplo que se copia debe ser el mismo en todas partes; una prueba lo compara con el
documento.
"""

from typing import Final

EJEMPLOS: Final = {
    "impresiones": """{
    "id": "imp-123",
    "campaña_id": "cmp-456",
    "influencer_id": "inf-789",
    "usuario_id": "usr-101",
    "tipo_evento": "IMPRESION",
    "user_agent": "Mozilla/5.0...",
    "ip_address": "192.168.1.1",
    "referrer": "https://instagram.com",
    "timestamp": "2024-01-15T10:30:00Z"
  }""",
    "conversiones": """{
    "id": "conv-123",
    "campaña_id": "cmp-456",
    "influencer_id": "inf-789",
    "usuario_id": "usr-101",
    "tipo_conversion": "VENTA",
    "valor": 150000.0,
    "moneda": "COP",
    "user_agent": "Mozilla/5.0...",
    "ip_address": "192.168.1.1",
    "referrer": "https://instagram.com",
    "timestamp": "2024-01-15T10:35:00Z"
  }""",
}
"""Por recurso (`/tracking/<recurso>`), el cuerpo de un envío."""

ID: Final = "conv-123"
"""El `id` de uno de ellos."""

DIRECCION: Final = f"/tracking/conversiones/{ID}"
"""Dónde se lee ese."""

COMANDO: Final = "018d0c8e-5c00-7000-8000-000000000000"
"""El comando que lo traía."""

TOPICO: Final = "comando-registrar-conversion"
"""Por dónde va ese comando."""

CAMPAÑA: Final = "cmp-456"
INFLUENCER: Final = "inf-789"
"""A quién nombraba."""

CURSOR: Final = "WzEsICIwMTIzNDU2Nzg5YWJjZGVmIiwgMSwgIiJd"
"""Uno de la forma de los que se dan; ninguno vale en otro libro."""

RECHAZO: Final = {
    "estado": "RECHAZADA",
    "clase": "conversion",
    "id": ID,
    "campaña_id": CAMPAÑA,
    "influencer_id": INFLUENCER,
    "motivo": "requerido",
    "detalle": "moneda: es obligatoria cuando hay valor",
    "campos": ["moneda"],
    "original": None,
    "difieren": [],
    "comando_id": COMANDO,
    "enviado": {
        "id": ID,
        "campaña_id": CAMPAÑA,
        "influencer_id": INFLUENCER,
        "tipo_conversion": "VENTA",
        "valor": 150000,
    },
}
"""Lo que fue de uno que se publicó sin moneda, sin sus instantes."""
