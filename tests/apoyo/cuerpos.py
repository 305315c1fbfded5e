"""Cuerpos de envíos que la API acepta."""

IMPRESION: dict[str, object] = {
    "id": "imp-123",
    "campaña_id": "cmp-456",
    "influencer_id": "inf-789",
    "usuario_id": "usr-101",
    "tipo_evento": "IMPRESION",
    "user_agent": "Mozilla/5.0...",
    "ip_address": "192.168.1.1",
    "referrer": "https://instagram.com",
    "timestamp": "2024-01-15T10:30:00Z",
}
CONVERSION: dict[str, object] = {
    "id": "conv-123",
    "campaña_id": "cmp-456",
    "tipo_conversion": "VENTA",
    "valor": 150000.0,
    "moneda": "COP",
    "timestamp": "2024-01-15T10:35:00Z",
}
