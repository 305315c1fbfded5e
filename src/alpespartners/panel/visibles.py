"""Lo que escribió otro, con todo a la vista: también lo que no se ve.

Qué es: de un texto ajeno, su HTML escapado y aislado, donde cada carácter que no se ve (o que cambia el
sentido en que se lee lo demás) está escrito con su número.
Qué no es: una reparación; el texto es el que es, y se busca por él.
Por qué existe: `cmp-456` y `cmp-456` con un espacio de ancho cero al final son dos campañas, y quien busca la
suya tiene que ver por qué no es la misma.
"""

import re
import unicodedata
from datetime import datetime
from typing import Any, Final

from markupsafe import Markup, escape

from alpespartners.modulos.tracking.aplicacion.invisibles import UNO_INVISIBLE
from alpespartners.panel.formato import NADA

_NO_SE_VE: Final = re.compile(rf"{UNO_INVISIBLE}|[\x00-\x1f\x7f-\x9f\ud800-\udfff]|[^\S ]|^ +| +$")
_MARCA: Final = Markup('<abbr class="invisible" title="{}">{}</abbr>')
_AISLADO: Final = Markup("<bdi>{}</bdi>")
_ESPACIO: Final = "\N{OPEN BOX}"


def visible(texto: str) -> Markup:
    """El texto como se enseña; lo de derecha a izquierda no mueve lo que lo rodea."""
    partes, fin = [], 0
    for hallado in _NO_SE_VE.finditer(texto):
        partes += [escape(texto[fin : hallado.start()]), *map(_marca, hallado[0])]
        fin = hallado.end()
    return _AISLADO.format(Markup("").join([*partes, escape(texto[fin:])]))


def valor_visible(valor: Any) -> Markup:
    """Un valor de los que se envían: un texto, un importe, un instante o nada."""
    if valor is None:
        return escape(NADA)
    if isinstance(valor, datetime):
        return escape(valor.isoformat().replace("+00:00", "Z"))
    return visible(str(valor))


def _marca(caracter: str) -> Markup:
    if caracter == " ":
        return _MARCA.format("U+0020 SPACE", _ESPACIO)
    numero = f"U+{ord(caracter):04X}"
    return _MARCA.format(f"{numero} {unicodedata.name(caracter, '')}".rstrip(), numero)
