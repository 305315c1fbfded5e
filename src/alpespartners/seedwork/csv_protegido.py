"""CSV que una hoja de cálculo abre sin ejecutar nada, y que se lee de vuelta tal como era.

Qué es: cómo se escribe cada valor en una celda (RFC 4180), y cómo se recupera su texto.
Qué no es: qué columnas hay, ni un archivo.
Por qué existe: una hoja toma por fórmula la celda que empieza por `=`, `+`, `-` o `@`, y quien envía un
evento escribe lo que quiere en él («CSV injection», OWASP). A ese texto se le pone delante un apóstrofo, y
también al que ya empieza por uno: así se sabe siempre cuál se puso. Lo mismo dentro de un texto tras un `;`,
un tabulador o un salto: donde la coma es decimal, una hoja separa por `;` si no se le dice otra cosa, y ahí
empezaría otra celda.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

Celda = str | int | Decimal | datetime | Mapping[str, object] | Sequence[str] | None
"""Lo que puede haber en una: un objeto o una lista van como su JSON, y lo que falta, vacío."""

_MARCA: Final = "'"
# Las anchas (U+FF0B…) también: hay hojas que las toman por las otras.
_FORMULA: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # noqa: RUF001
_MARCADOS: Final = (*_FORMULA, "\t", "\r", "\n", _MARCA)
# Unas comillas que se abren y se cierran no son nada.
_OTRA_CELDA: Final = rf"""(?="*[{"".join(map(re.escape, _FORMULA))}{_MARCA}])"""
_POR_MARCAR: Final = re.compile(rf"([;\t\r\n]){_OTRA_CELDA}")
_MARCADAS: Final = re.compile(rf"([;\t\r\n]){_MARCA}{_OTRA_CELDA}")
_JSON: Final = msgspec.json.Encoder(decimal_format="number")


def en_csv(filas: Iterable[Sequence[Celda]]) -> str:
    """Las filas, cada una acabada en CRLF."""
    texto = io.StringIO(newline="")
    csv.writer(texto).writerows([_en_texto(celda) for celda in fila] for fila in filas)
    return texto.getvalue()


def sin_proteger(texto: str) -> str:
    """El texto de una celda como era antes de protegerlo; el que nunca lo estuvo, tal cual."""
    if texto.startswith(_MARCA) and texto[1:].startswith(_MARCADOS):
        texto = texto[1:]
    return _MARCADAS.sub(r"\1", texto) if _se_puede_partir(texto) else texto


def _en_texto(celda: Celda) -> str:
    if celda is None:
        return ""
    if isinstance(celda, str):
        return _protegido(celda)
    if isinstance(celda, Decimal):
        return f"{celda:f}"
    escrito = _JSON.encode(celda).decode()
    if isinstance(celda, datetime):
        # En JSON es un texto (RFC 3339), y aquí no lleva comillas.
        return escrito[1:-1]
    return escrito if isinstance(celda, int) else _protegido(escrito)


def _protegido(texto: str) -> str:
    if _se_puede_partir(texto):
        texto = _POR_MARCAR.sub(rf"\1{_MARCA}", texto)
    return f"{_MARCA}{texto}" if texto.startswith(_MARCADOS) else texto


def _se_puede_partir(texto: str) -> bool:
    """Si tiene un separador; casi ninguno, y mirarlo así cuesta la décima parte que buscar dónde."""
    return ";" in texto or "\t" in texto or "\r" in texto or "\n" in texto
