"""Los caracteres que no se ven en un identificador: quien lo pega no sabe que están, y ya es otro.

Qué es: dónde está el primero, entre los que Unicode da por ignorables al mostrar un texto
(`Default_Ignorable_Code_Point`, DerivedCoreProperties.txt de Unicode 16).
Qué no es: una regla del dominio. Se juzga donde se lee el JSON de un envío nuevo: lo que ya está en un tópico
o en el libro vale como se aceptó.
Por qué existe: `cmp-456` y `cmp-456` con un espacio de ancho cero al final serían dos campañas, y nadie vería
por qué a una le faltan ventas.
"""

import re
from typing import Final

INVISIBLES: Final = (
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    r"\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Los caracteres ignorables, como el interior de una clase de expresión regular."""

_VISIBLE: Final = rf"[^{INVISIBLES}\s\x00-\x1f\x7f-\x9f]"
# Los de unión los necesitan el persa y los emojis compuestos, siempre entre dos que se ven.
_SUELTO: Final = rf"(?<!{_VISIBLE})[\u200c\u200d]|[\u200c\u200d](?!{_VISIBLE})"
UNO_INVISIBLE: Final = rf"{_SUELTO}|(?![\u200c\u200d])[{INVISIBLES}]"
"""La expresión regular que halla uno."""
_INVISIBLE: Final = re.compile(UNO_INVISIBLE)


def falta_de_invisible(texto: str) -> str | None:
    """Devuelve la frase que dice qué carácter invisible hay y dónde, si hay alguno."""
    posicion = posicion_de_invisible(texto)
    if posicion is None:
        return None
    return (
        f"contiene el carácter invisible U+{ord(texto[posicion]):04X} en la posición {posicion}, "
        "contando desde 0"
    )


def posicion_de_invisible(texto: str) -> int | None:
    """Devuelve la posición, desde 0 y tal como llegó el texto, del primer carácter invisible, si hay alguno.

    U+200C y U+200D no lo son entre dos caracteres visibles.
    """
    if texto.isascii():
        return None
    hallado = _INVISIBLE.search(texto)
    return None if hallado is None else hallado.start()
