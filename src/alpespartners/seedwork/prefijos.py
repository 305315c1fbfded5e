"""Los textos que empiezan por otro, como un tramo entre dos: lo que un índice sabe buscar.

Qué no es: un `LIKE`. En él, `%` y `_` son cualquier cosa, y un motor no distingue mayúsculas y otro sí.
"""

from typing import Final

_ULTIMO: Final = 0x10FFFF
_SUSTITUTOS: Final = range(0xD800, 0xE000)
"""No son caracteres: en UTF-8 no existen."""


def fin_del_prefijo(prefijo: str) -> str | None:
    """El menor texto, por puntos de código, detrás de todos los que empiezan así; `None` si no lo hay."""
    con_siguiente = prefijo.rstrip(chr(_ULTIMO))
    if not con_siguiente:
        return None
    siguiente = ord(con_siguiente[-1]) + 1
    return con_siguiente[:-1] + chr(_SUSTITUTOS.stop if siguiente in _SUSTITUTOS else siguiente)
