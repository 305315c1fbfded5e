"""La forma NFC (UAX #15) de un texto ajeno, en un tiempo que quien lo escribió no puede alargar.

Qué es: `en_nfc`, que da lo mismo que `unicodedata.normalize` salvo con un texto que apila más de 512 marcas,
como las tildes sueltas: de ese, cada marca pasa a ser U+FFFD.
Por qué existe: ordenar marcas seguidas cuesta el cuadrado de cuántas son. Treinta mil caben en un cuerpo, y
comprimidas en unos cientos de octetos; detenían el proceso casi tres segundos.
"""

import unicodedata
from typing import Final

ILEGIBLE: Final = "\ufffd"
"""El carácter de reemplazo (Unicode §23.8): ocupa el sitio de uno que no se puede guardar."""
MARCAS_SEGUIDAS: Final = 512
"""Ninguna lengua apila más de una decena (UAX #15 §13 da treinta por sobradas). Con estas, un identificador
que cabe en su límite no cambia: un carácter se descompone en cuatro como mucho."""

_SIN_MARCAS_POR_DELANTE: Final = "\u0300"
_LONGITUD_INOFENSIVA: Final = MARCAS_SEGUIDAS // 4


def en_nfc(texto: str) -> str:
    """El texto en forma NFC; hacerlo otra vez no lo cambia."""
    if texto.isascii():
        return texto
    if len(texto) > _LONGITUD_INOFENSIVA and _apila_marcas(texto):
        texto = "".join(ILEGIBLE if _es_marca(caracter) else caracter for caracter in texto)
    return unicodedata.normalize("NFC", texto)


def _apila_marcas(texto: str) -> bool:
    """Se cuentan descompuestas: así da lo mismo antes y después de normalizar."""
    seguidas = 0
    for caracter in texto:
        if caracter < _SIN_MARCAS_POR_DELANTE:
            seguidas = 0
            continue
        for parte in unicodedata.normalize("NFD", caracter):
            seguidas = seguidas + 1 if unicodedata.combining(parte) else 0
            if seguidas > MARCAS_SEGUIDAS:
                return True
    return False


def _es_marca(caracter: str) -> bool:
    return unicodedata.combining(unicodedata.normalize("NFD", caracter)[0]) != 0
