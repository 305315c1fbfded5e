"""La cabecera `Idempotency-Key`: el `id` de quien no puede ponerlo en el cuerpo.

Qué es: de las cabeceras crudas al texto que llevan, entre comillas (un texto de Structured Fields, RFC 8941
§3.3.3, como pide el borrador del IETF) o sin ellas, que es como lo escribe casi todo el mundo.
Qué no es: la regla de un `id`, que es del dominio, ni una memoria de respuestas: la clave es el `id`.
Por qué existe: muchas bibliotecas saben repetir con esta cabecera y no saben tocar el cuerpo.
"""

import re
from collections.abc import Sequence
from typing import Final

from alpespartners.api.http.descripcion import Esquema
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.dominio.excepciones import CampoInvalido
from alpespartners.modulos.tracking.dominio.objetos_valor import LONGITUD_IDENTIFICADOR

CABECERA: Final = "Idempotency-Key"

_CARACTER: Final = r'(?:[!#-\[\]-~]|\\["\\])'
_FICHA: Final = r"[!#-+\--~]"
_CLAVE: Final = re.compile(rf'"((?:{_CARACTER}| )+)"|({_FICHA}+)')

ESQUEMA: Final[Esquema] = {
    "type": "string",
    "pattern": (
        rf'^(?:"{_CARACTER}(?:(?:{_CARACTER}| ){{0,{LONGITUD_IDENTIFICADOR - 2}}}{_CARACTER})?"'
        rf"|{_FICHA}{{1,{LONGITUD_IDENTIFICADOR}}})$"
    ),
    "not": {"enum": [".", "..", '"."', '".."']},
}
"""Las claves que son un `id` que vale."""


def clave_de_idempotencia(cabeceras: Sequence[str]) -> str | None:
    """Devuelve la clave, o `None` si no hay cabecera.

    Raises:
        CampoInvalido: hay más de una, está vacía o no tiene ninguna de las dos formas.
    """
    if not cabeceras:
        return None
    hallada = _CLAVE.fullmatch(cabeceras[0].strip(" \t"))
    if hallada is None or len(cabeceras) > 1:
        raise CampoInvalido(
            CABECERA,
            CodigoDePeticion.CABECERA_ILEGIBLE,
            'debe venir una vez y ser un texto ASCII, como "pedido-7", con comillas o sin ellas; un id de '
            "otra forma va en el cuerpo",
        )
    return hallada[2] or re.sub(r"\\(.)", r"\1", hallada[1])
