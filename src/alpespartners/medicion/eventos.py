"""Los cuerpos que se envían: los ejemplos de la semilla, cada uno con su `id`.

Qué es: fábricas de peticiones enteras. Los `id` son UUIDv7, que crecen con el tiempo, como los de quien
numera bien.
Qué no es: tráfico real; no hay repetidos ni rechazos, que cuestan menos.
Por qué existe: todos los programas miden lo mismo.
"""

import json
from collections.abc import Callable
from itertools import cycle
from typing import Final

import uuid_utils

from alpespartners.api.tracking.ejemplos import EJEMPLOS
from alpespartners.medicion.carga import Fabrica, envio

RUTAS: Final = {"impresiones": "/tracking/impresiones", "conversiones": "/tracking/conversiones"}

_IMPRESIONES_POR_CONVERSION: Final = 20

_MARCA: Final = "@id@"


def envios(puerto: int, recurso: str, anotar: Callable[[str], None] | None = None) -> Fabrica:
    """Peticiones del ejemplo de ese recurso (`impresiones` o `conversiones`), cada una con un `id` nuevo.

    Args:
        puerto: el de la API.
        recurso: el de `RUTAS`.
        anotar: recibe cada `id`.
    """
    cuerpo = json.loads(EJEMPLOS[recurso]) | {"id": _MARCA}
    modelo = json.dumps(cuerpo, ensure_ascii=False).encode()
    un_id = str(uuid_utils.uuid7())
    antes, despues = envio(puerto, RUTAS[recurso], modelo.replace(_MARCA.encode(), un_id.encode())).split(
        un_id.encode()
    )

    def fabricar() -> bytes:
        nuevo = str(uuid_utils.uuid7())
        if anotar is not None:
            anotar(nuevo)
        return antes + nuevo.encode() + despues

    return fabricar


def mezcla(puerto: int) -> Fabrica:
    """Impresiones y, una de cada veinte, conversiones: más de las que da ninguna campaña."""
    impresiones, conversiones = (envios(puerto, recurso) for recurso in RUTAS)
    fabricas = cycle([impresiones] * (_IMPRESIONES_POR_CONVERSION - 1) + [conversiones])

    def fabricar() -> bytes:
        return next(fabricas)()

    return fabricar
