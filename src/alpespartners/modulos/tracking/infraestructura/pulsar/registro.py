"""Los avisos de `pulsar-client`, llevados a nuestro registro por una tubería.

Qué es: un registrador de la biblioteca que escribe líneas en un descriptor, y un hilo que las lee.
Qué no es: el puente con `logging` que trae la biblioteca. Con él, sus hilos de C++ entran en el intérprete
cuando quieren; si este ya termina, el proceso aborta (medido: una de cada diez veces al acabar).
Por qué existe: lo que dice el cliente sale con el mismo formato que lo demás (sus palabras, en inglés, son un
campo), y ningún proceso aborta por haberlo dicho tarde.
"""

import os
import re
import threading
import time
from functools import cache
from typing import IO

import pulsar
import structlog

_LINEA = re.compile(r"\S+ \S+ (?P<nivel>[A-Z]+)\s+\[\d+\] (?P<donde>\S+) \| (?P<mensaje>.*)")
# No son averías: así responde el broker embebido a dónde acaba un tópico vacío, y así se cierra una conexión.
_SIN_IMPORTANCIA = re.compile(
    "Topic has no messages|Failed to getLastMessageId: UnknownError|Failed to close producer: AlreadyClosed|"
    r"Connection close timed out|Connection still has \d+ references"
)
_AVISO = "aviso del cliente de Pulsar"
_FALLO = "fallo en el cliente de Pulsar"
_CALLA_LO_REPETIDO = 30.0
_DICHAS_QUE_SE_RECUERDAN = 100

_registro: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger("pulsar")


@cache
def registrador_de_pulsar() -> pulsar.FileLogger:
    """Devuelve el registrador de avisos y errores del proceso; sus líneas salen por el nuestro.

    Es uno solo: la biblioteca se queda con el que recibe su primer cliente y desoye los demás.
    """
    lectura, escritura = os.pipe()
    registrador = pulsar.FileLogger(pulsar.LoggerLevel.Warn, f"/dev/fd/{escritura}")
    threading.Thread(
        target=_trasladar, args=(os.fdopen(lectura, encoding="utf-8", errors="replace"),), daemon=True
    ).start()
    return registrador


def _trasladar(lineas: IO[str]) -> None:
    dichas: dict[tuple[str, str], float] = {}
    for linea in lineas:
        partes = _LINEA.fullmatch(linea.rstrip())
        if partes is None:
            _registro.warning(_AVISO, dice=linea.rstrip())
            continue
        # Con el broker caído repite lo mismo varias veces por segundo, y quien se conecta ya lo cuenta.
        cual, ahora = (partes["donde"], partes["mensaje"]), time.monotonic()
        if ahora - dichas.get(cual, -_CALLA_LO_REPETIDO) < _CALLA_LO_REPETIDO:
            continue
        if len(dichas) >= _DICHAS_QUE_SE_RECUERDAN:
            dichas.clear()
        dichas[cual] = ahora
        campos = {"dice": partes["mensaje"], "donde": partes["donde"]}
        if _SIN_IMPORTANCIA.search(partes["mensaje"]):
            _registro.debug(_AVISO, **campos)
        elif partes["nivel"] == "WARN":
            _registro.warning(_AVISO, **campos)
        else:
            _registro.error(_FALLO, **campos)
