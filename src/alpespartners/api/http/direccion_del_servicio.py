"""Por dónde se llama al servicio desde donde se le pregunta.

Por qué existe: una dirección entera que se va a copiar (en una terminal, en una historia de Instagram) ha de
ser la que ve quien la copia, y no la de detrás de un intermediario.
"""

import re
from typing import Final

from starlette.requests import Request

_ES_LUGAR: Final = re.compile(
    r"[A-Za-z0-9._-]{1,255}(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](?::[0-9]{1,5})?"
)
_ESQUEMAS: Final = frozenset({"http", "https"})


def esquema_dicho(peticion: Request) -> str:
    """El esquema con que le llegó al intermediario, según él y en minúsculas; vacío, si no lo dice."""
    return peticion.headers.get("x-forwarded-proto", "").partition(",")[0].strip().lower()


def direccion_del_servicio(peticion: Request) -> str:
    """Por dónde se le llama desde donde se mira, sin barra final: para copiarla en una terminal o en papel.

    Detrás de un intermediario, el esquema es el que él dice.
    """
    lugar = peticion.headers.get("host", "")
    esquema = esquema_dicho(peticion) or peticion.url.scheme
    return (
        f"{esquema if esquema in _ESQUEMAS else 'http'}://"
        f"{lugar if _ES_LUGAR.fullmatch(lugar) else 'localhost:8000'}"
    )
