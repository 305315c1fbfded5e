"""Los esquemas de lo que piden las rutas de varios módulos: un identificador, un instante.

Por qué existe: una campaña se escribe igual al enviar un evento, al listarlos y al pedir un informe.
"""

import re
from typing import Final

from alpespartners.api.http.descripcion import Esquema
from alpespartners.modulos.tracking.aplicacion.invisibles import INVISIBLES
from alpespartners.modulos.tracking.dominio.objetos_valor import LONGITUD_IDENTIFICADOR

_CONTROL: Final = r"\u0000-\u001f\u007f-\u009f"
# ECMA-262 no conoce `\U`: los de fuera del plano básico van tal cual.
_INVISIBLE: Final = re.sub(r"\\U([0-9a-f]{8})", lambda hallado: chr(int(hallado[1], 16)), INVISIBLES)
_BLANCO: Final = r"\u0020\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_VISIBLE: Final = f"[^{_CONTROL}{_BLANCO}{_INVISIBLE}]"
PATRON: Final = rf"{_VISIBLE}(?:(?:[\u200c\u200d]|[{_BLANCO}]*){_VISIBLE})*"
"""Lo que es un identificador, en ECMA-262 y sin anclar."""

INSTANTE: Final[Esquema] = {"type": "string", "format": "date-time"}

IDENTIFICADOR: Final[Esquema] = {
    "type": "string",
    "minLength": 1,
    "maxLength": LONGITUD_IDENTIFICADOR,
    "pattern": f"^{PATRON}$",
}
