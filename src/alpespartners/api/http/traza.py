"""La cabecera `traceparent` (W3C Trace Context): seguir un envío desde quien lo hizo.

Qué es: reconocer la que llega y, si no vale, empezar una nueva; va con la petición, en su `scope`.
Qué no es: instrumentación; aquí no se mide nada.
"""

import random
import re
from typing import Final

from starlette.requests import Request

from alpespartners.api.http.cabeceras import cabeceras_de

_TRACEPARENT: Final = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def poner_traza(peticion: Request) -> str:
    """Deja en la petición el `traceparent` recibido, si es uno y válido; si no, uno nuevo, para muestreo."""
    recibidos = cabeceras_de(peticion).get(b"traceparent", ())
    if len(recibidos) == 1 and es_traza(recibidos[0]):
        traza = recibidos[0]
    else:
        # No es un secreto: basta con que no se repita.
        azar = f"{random.getrandbits(192):048x}"
        traza = f"00-{azar[:32]}-{azar[32:]}-01"
    peticion.scope["traza"] = traza
    return traza


def es_traza(texto: str) -> bool:
    """Dice si es un `traceparent` válido."""
    return _TRACEPARENT.fullmatch(texto) is not None


def traza_de(peticion: Request) -> str:
    """El `traceparent` de la petición."""
    traza: str = peticion.scope["traza"]
    return traza


def identificador_de(traza: str) -> str:
    """El *trace-id*: la parte que comparten todos los pasos de un mismo envío."""
    return traza.split("-")[1]
