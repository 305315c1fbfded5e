"""CSV que una hoja de cálculo abre sin ejecutar nada, y que se lee de vuelta tal como era.

Qué es: cómo se escribe cada valor en una celda (RFC 4180), y cómo se recupera su texto.
Qué no es: qué columnas hay, ni un archivo.
Por qué existe: una hoja toma por fórmula la celda que empieza por `=`, `+`, `-` o `@`, y quien envía un
evento escribe lo que quiere en él («CSV injection», OWASP). A ese texto se le pone delante un apóstrofo, y
también al que ya empieza por uno: así se sabe siempre cuál se puso.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

Celda = str | int | Decimal | datetime | Mapping[str, object] | Sequence[str] | None
"""Lo que puede haber en una: un objeto o una lista van como su JSON, y lo que falta, vacío."""

_MARCA: Final = "'"
# Las anchas (U+FF0B…) también: hay hojas que las toman por las otras.
_PELIGROSOS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001
_MARCADOS: Final = (*_PELIGROSOS, _MARCA)
_JSON: Final = msgspec.json.Encoder(decimal_format="number")


def en_csv(filas: Iterable[Sequence[Celda]]) -> str:
    """Las filas, cada una acabada en CRLF."""
    texto = io.StringIO(newline="")
    csv.writer(texto).writerows([_en_texto(celda) for celda in fila] for fila in filas)
    return texto.getvalue()


def sin_proteger(texto: str) -> str:
    """El texto de una celda como era antes de protegerlo; el que nunca lo estuvo, tal cual."""
    if texto.startswith(_MARCA) and texto[1:].startswith(_MARCADOS):
        return texto[1:]
    return texto


def _en_texto(celda: Celda) -> str:
    if celda is None:
        return ""
    if isinstance(celda, str):
        return f"{_MARCA}{celda}" if celda.startswith(_MARCADOS) else celda
    if isinstance(celda, Decimal):
        return f"{celda:f}"
    escrito = _JSON.encode(celda).decode()
    # Un instante es en JSON un texto (RFC 3339), y aquí no lleva comillas.
    return escrito[1:-1] if isinstance(celda, datetime) else escrito
