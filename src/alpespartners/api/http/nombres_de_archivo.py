"""Con qué nombre se guarda lo que se descarga: la cabecera `Content-Disposition` (RFC 6266).

Por qué existe: el nombre lleva el de una campaña, que es de la gente: puede ser una ruta, traer comillas o no
ser ASCII. Aquí queda en letras, cifras, puntos y guiones, y en dos grafías: la segunda, para quien entiende
UTF-8.
"""

import unicodedata
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

LONGITUD_MAXIMA: Final = 120
"""Caracteres del nombre sin su extensión: un archivo no admite más de 255 octetos en casi ningún sistema."""

_OCTETOS_MAXIMOS: Final = 240
_SE_QUEDAN: Final = "-_."


def como_adjunto(partes: Iterable[str | None], extension: str) -> str:
    """El valor de la cabecera; las partes que faltan no dejan hueco.

    Args:
        partes: la primera dice qué es, y no empieza por un punto.
        extension: sin el punto.
    """
    entero = "_".join(_sin_signos(parte) for parte in partes if parte)[:LONGITUD_MAXIMA]
    nombre = entero.encode()[:_OCTETOS_MAXIMOS].decode(errors="ignore")
    llano = unicodedata.normalize("NFKD", nombre).encode("ascii", "ignore").decode()
    return (
        f'attachment; filename="{_sin_signos(llano)}.{extension}"; '
        f"filename*=UTF-8''{quote(nombre, safe='')}.{extension}"
    )


def _sin_signos(texto: str) -> str:
    return "".join(letra if letra.isalnum() or letra in _SE_QUEDAN else "-" for letra in texto)
