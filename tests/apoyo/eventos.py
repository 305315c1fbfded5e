"""Comandos, mensajes y entidades de ejemplo, cada uno con lo que la prueba quiera cambiar."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from alpespartners.modulos.tracking.aplicacion.comandos import (
    Comando,
    RegistrarConversion,
    RegistrarImpresion,
)
from alpespartners.modulos.tracking.aplicacion.mensajes import (
    ComandoRecibido,
    IdentidadComando,
    MensajeIlegible,
)
from alpespartners.modulos.tracking.dominio.contenido import ContenidoConversion, ContenidoImpresion
from alpespartners.modulos.tracking.dominio.entidades import Conversion, Impresion
from alpespartners.modulos.tracking.dominio.excepciones import Recolector

AHORA = datetime(2026, 1, 15, 10, 36, 0, 120_000, tzinfo=UTC)
HUELLA = bytes(16)

IMPRESION = RegistrarImpresion(
    id="imp-123",
    campaña_id="cmp-456",
    influencer_id="inf-789",
    usuario_id="usr-101",
    tipo_evento="IMPRESION",
    user_agent="Mozilla/5.0...",
    ip_address="192.168.1.1",
    referrer="https://instagram.com",
    timestamp=datetime(2026, 1, 15, 10, 30, tzinfo=UTC),
    recibido_en=AHORA,
    propiedades={},
    advertencias=(),
)
CONVERSION = RegistrarConversion(
    id="conv-123",
    campaña_id="cmp-456",
    influencer_id="inf-789",
    usuario_id="usr-101",
    tipo_conversion="VENTA",
    valor=Decimal("150000.0"),
    moneda="COP",
    user_agent="Mozilla/5.0...",
    ip_address="192.168.1.1",
    referrer="https://instagram.com",
    timestamp=datetime(2026, 1, 15, 10, 35, tzinfo=UTC),
    recibido_en=AHORA,
    propiedades={},
    advertencias=(),
)


def impresion(
    comando: RegistrarImpresion = IMPRESION, *, comando_id: str = "c-1", **cambios: Any
) -> Impresion:
    """La entidad que resulta de ese comando con esos cambios."""
    recolector = Recolector()
    return Impresion(
        contenido=ContenidoImpresion.crear(replace(comando, **cambios), AHORA, recolector),
        comando_id=comando_id,
        huella=HUELLA,
        recibido_en=AHORA,
        registrado_en=AHORA,
        advertencias=tuple(recolector.avisos),
    )


def conversion(
    comando: RegistrarConversion = CONVERSION, *, comando_id: str = "c-1", **cambios: Any
) -> Conversion:
    """La entidad que resulta de ese comando con esos cambios."""
    recolector = Recolector()
    return Conversion(
        contenido=ContenidoConversion.crear(replace(comando, **cambios), AHORA, recolector),
        comando_id=comando_id,
        huella=HUELLA,
        recibido_en=AHORA,
        registrado_en=AHORA,
        advertencias=tuple(recolector.avisos),
    )


def recibido(comando: Comando, comando_id: str, *, huella: bytes = HUELLA) -> ComandoRecibido:
    """El comando como lo entrega el consumidor."""
    return ComandoRecibido(
        identidad=IdentidadComando(comando_id, huella), comando=comando, publicado_en=AHORA, traza=None
    )


def ilegible(comando_id: str, clave: str | None = None) -> MensajeIlegible:
    """Un mensaje que no se pudo descifrar."""
    return MensajeIlegible(
        identidad=IdentidadComando(comando_id, HUELLA),
        clave=clave,
        publicado_en=AHORA,
        detalle="no es un registro Avro",
        carga=b"\x00\xff",
        propiedades={"ce_id": comando_id},
    )
