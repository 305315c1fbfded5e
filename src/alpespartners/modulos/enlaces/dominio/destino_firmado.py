"""Otro destino para un enlace, pedido por quien lo sigue y firmado por quien puede.

Qué es: la firma (HMAC-SHA256 sobre el enlace, el destino y hasta cuándo vale) y su comprobación.
Qué no es: el destino guardado, que no se firma: está en el libro.
Por qué existe: un `?destino=` que valiera sin firma haría de este servicio una redirección abierta (CWE-601).
"""

import base64
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final
from urllib.parse import urlencode

from alpespartners.modulos.enlaces.dominio.destino import destino_legible, exigir_sin_parametro
from alpespartners.modulos.enlaces.dominio.enlace import Enlace
from alpespartners.modulos.enlaces.dominio.faltas import NoVale
from alpespartners.modulos.enlaces.dominio.secreto import Secreto

_USO: Final = "alpespartners/destino/1"
_CIFRAS_DE_VENCE: Final = 12


class DestinoNegado(StrEnum):
    """Por qué no se va al destino que se pide, y se va al guardado."""

    FIRMA_INVALIDA = "firma_invalida"
    """Falta, no es de este enlace, de este destino y de este plazo, o el plazo pasó."""
    IGNORADO = "destino_ignorado"
    """El enlace no permite ir ahí."""


def firma_de(secreto: Secreto, enlace_id: str, destino: str, vence: str) -> str:
    """La firma: 43 caracteres de base64url.

    Args:
        secreto: con el que se firma.
        enlace_id: para qué enlace.
        destino: tal como irá en la petición, ya descodificado.
        vence: desde cuándo no vale, en segundos de la época y en texto; vacío, vale siempre.
    """
    firma = secreto.firmar(_USO, enlace_id.encode(), destino.encode("utf-8", "surrogatepass"), vence.encode())
    return base64.urlsafe_b64encode(firma).decode().rstrip("=")


def ruta_firmada(secreto: Secreto, enlace: Enlace, destino: str, vence_en: datetime | None) -> str:
    """La ruta del enlace corto que lleva a ese destino, con `destino`, `vence` si vence, y `firma`."""
    vence = segundos_de(vence_en)
    consulta = {
        "destino": destino,
        "vence": vence,
        "firma": firma_de(secreto, enlace.enlace_id, destino, vence),
    }
    return f"{enlace.ruta}?{urlencode({nombre: valor for nombre, valor in consulta.items() if valor})}"


def segundos_de(vence_en: datetime | None) -> str:
    """Cómo se escribe en `vence`; un instante que no cae en un segundo vale hasta el comienzo del suyo."""
    return "" if vence_en is None else str(int(vence_en.timestamp()))


def destino_firmado(
    enlace: Enlace, destino: str, firma: str, vence: str, secretos: Sequence[Secreto], ahora: datetime
) -> str | DestinoNegado:
    """El destino al que se puede ir, o por qué no se va al que se pide.

    Args:
        enlace: el que se sigue.
        destino: el que se pide, ya descodificado.
        firma: la que trae la petición; vacía, si no trae.
        vence: lo que trae; vacío, si no trae.
        secretos: los que pueden haberlo firmado.
        ahora: el instante, en UTC.
    """
    try:
        legible = exigir_sin_parametro(destino_legible(destino), enlace.parametro_clic)
    except NoVale:
        return DestinoNegado.IGNORADO
    if not enlace.permite(legible):
        return DestinoNegado.IGNORADO
    if not _es_suya(enlace, destino, firma, vence, secretos) or _paso(vence, ahora):
        return DestinoNegado.FIRMA_INVALIDA
    return legible


def _es_suya(enlace: Enlace, destino: str, firma: str, vence: str, secretos: Sequence[Secreto]) -> bool:
    presentada = firma.encode("utf-8", "surrogatepass")
    if not vence.isascii() or not (vence.isdigit() or not vence) or len(vence) > _CIFRAS_DE_VENCE:
        return False
    return any(
        hmac.compare_digest(firma_de(secreto, enlace.enlace_id, destino, vence).encode(), presentada)
        for secreto in secretos
    )


def _paso(vence: str, ahora: datetime) -> bool:
    return bool(vence) and int(vence) <= ahora.astimezone(UTC).timestamp()
