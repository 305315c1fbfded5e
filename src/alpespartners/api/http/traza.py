"""La cabecera `traceparent` (W3C Trace Context): seguir un envío desde quien lo hizo.

Qué es: reconocer la que llega y, si no vale, empezar una nueva.
Qué no es: instrumentación; aquí no se mide nada.
"""

import random
import re
from collections.abc import Sequence
from typing import Final

_TRACEPARENT: Final = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def traza_de(recibidos: Sequence[bytes]) -> str:
    """Devuelve el `traceparent` recibido, si es uno y válido; si no, uno nuevo, marcado para muestreo."""
    if len(recibidos) == 1 and _TRACEPARENT.fullmatch(recibido := recibidos[0].decode("latin-1")):
        return recibido
    # No es un secreto: basta con que no se repita.
    return f"00-{random.getrandbits(128):032x}-{random.getrandbits(64):016x}-01"


def identificador_de(traza: str) -> str:
    """El *trace-id*: la parte que comparten todos los pasos de un mismo envío."""
    return traza.split("-")[1]
