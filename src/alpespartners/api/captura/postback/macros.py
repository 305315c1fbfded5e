"""Las macros que la red no reemplazó: `{transaction_id}` donde debía ir un valor.

Qué es: reconocer que un parámetro trae el nombre de lo que debía traer.
Por qué existe: una macro mal escrita llega igual en todas las conversiones. Tomada por un `id`, la segunda
parecería la primera, y tomada por un clic, todas vendrían del mismo.
"""

import re
from typing import Final
from urllib.parse import unquote

LETRAS_QUE_SE_MIRAN: Final = 2_048
"""De cada valor: lo que pasa de ahí no cabe en ningún campo."""

_NOMBRE: Final = r"[A-Za-z_][\w.:|-]{0,63}+"
_ENTERA: Final = re.compile(rf"%{_NOMBRE}%|\[{_NOMBRE}\]", re.ASCII)
_DENTRO: Final = re.compile(rf"\{{\s?{_NOMBRE}\s?\}}", re.ASCII)
"""También entre dobles llaves (`{{id}}`), o con algo alrededor (`pedido-{id}`)."""


def es_macro(valor: str) -> bool:
    """Dice si ese valor es una macro (`{…}`, `{{…}}`, `%…%`, `[…]`) o lleva una entre llaves."""
    mirado = valor[:LETRAS_QUE_SE_MIRAN].strip()
    # Hay redes que codifican la URL entera, y la macro que no reconocen llega codificada dos veces.
    return _es_macro(mirado) or ("%" in mirado and _es_macro(unquote(mirado)))


def _es_macro(mirado: str) -> bool:
    return _ENTERA.fullmatch(mirado) is not None or _DENTRO.search(mirado) is not None
