"""Una petición: un lote de líneas a `POST /tracking/lotes`, y qué se supo de él.

Qué no es: los reintentos, que son del cliente; aquí ningún fallo es una excepción.
"""

import gzip
import http.client
import json
import random
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from email.utils import parsedate_to_datetime
from typing import Any, Final, NamedTuple
from urllib.parse import SplitResult, urlsplit

ELEMENTOS: Final = 1_000
OCTETOS: Final = 5 * 1024 * 1024
_COMPRIMIDOS, _INFLADO = 1024 * 1024, 100
"""Los octetos que el servicio admite comprimidos, y cuántas veces mayores pueden salir."""
_PRIMERA_ESPERA, _ESPERA_MAXIMA, _PEDIDA_MAXIMA = 0.5, 30.0, 3_600.0


class Contestacion(NamedTuple):
    """Lo que se supo de un lote.

    Attributes:
        resultados: uno por línea, en su orden; vacío si no los hay, y entonces `motivo` dice por qué.
        motivo: por qué no se supo de todos.
        espera: los segundos que el servicio pide esperar.
        no_cabe: el lote, de varios, pasa de lo que se admite en una petición.
        sin_remedio: repetirlo daría lo mismo (clave, dirección): debe saberlo una persona.
    """

    resultados: Sequence[Any] = ()
    motivo: str = "el broker no confirmó algunos eventos"
    espera: float = 0.0
    no_cabe: bool = False
    sin_remedio: bool = False


def destino_de(direccion: str) -> SplitResult:
    """Las partes de una dirección a la que se puede enviar; si no, `ValueError`, que no la repite."""
    with suppress(ValueError):
        destino = urlsplit(direccion)
        limpia = direccion.isprintable() and destino.path.isascii() and not set(" ?#@") & set(direccion)
        maquina = (destino.hostname or "").encode("idna")
        if destino.scheme in {"http", "https"} and maquina and destino.port != 0 and limpia:
            return destino
    raise ValueError("direccion: debe ser http://… o https://…, sin usuario ni parámetros; la ruta, con %.")


def enviar(destino: SplitResult, clave: str, lineas: Sequence[bytes]) -> Contestacion:
    """Envía el lote y lee su respuesta; 30 s sin que llegue nada son un fallo de la red."""
    cuerpo = b"\n".join(lineas)
    cabeceras = {"Content-Type": "application/x-ndjson", "Connection": "close"}
    cabeceras |= {"Authorization": f"Bearer {clave}"} if clave else {}
    comprimido = gzip.compress(cuerpo, 6)
    if len(cuerpo) / _INFLADO < len(comprimido) <= min(_COMPRIMIDOS, len(cuerpo)):
        cuerpo, cabeceras["Content-Encoding"] = comprimido, "gzip"
    tipo = http.client.HTTPSConnection if destino.scheme == "https" else http.client.HTTPConnection
    try:
        with closing(tipo(destino.hostname or "", destino.port, timeout=30.0)) as conexion:
            conexion.request("POST", f"{destino.path.rstrip('/')}/tracking/lotes", cuerpo, cabeceras)
            dada = conexion.getresponse()
            return contestacion(dada.status, dada.headers.get("Retry-After", ""), dada.read(), len(lineas))
    except (OSError, http.client.HTTPException) as error:
        return Contestacion(motivo=f"no se pudo hablar con la API ({type(error).__name__}: {error})")


def contestacion(estado: int, reintento: str, cuerpo: bytes, enviadas: int) -> Contestacion:
    """Lo que dice una respuesta; la que no trae un resultado por línea no dice nada de ninguna."""
    espera = _pedida(reintento)
    suya = False
    # Puede ser de un intermediario, y traer cualquier cosa.
    with suppress(ValueError, LookupError, TypeError, AttributeError, RecursionError):
        leido = json.loads(cuerpo)
        suya = "resultados" in leido or leido["type"].startswith("urn:alpespartners:error:")
        estados = [uno["estado"] != "RECHAZADA" or uno["errores"] for uno in leido["resultados"]]
        if estado in {200, 503} and len(estados) == enviadas:
            return Contestacion(leido["resultados"], espera=espera)
    dicho = " ".join(cuerpo[:600].decode(errors="replace").split())
    no_cabe = estado == 413 and enviadas > 1  # noqa: PLR2004
    if estado == 413 and enviadas == 1 and suya:  # noqa: PLR2004 - un intermediario puede responderlo a todos
        falta = {"campo": "", "codigo": "longitud_excedida", "mensaje": f"la API respondió {estado} {dicho}"}
        return Contestacion([{"estado": "RECHAZADA", "indice": 0, "errores": [falta]}])
    sin_remedio = 300 <= estado < 500 and estado not in {408, 425, 429} and not no_cabe  # noqa: PLR2004
    return Contestacion((), f"la API respondió {estado} {dicho}", espera, no_cabe, sin_remedio)


def _pedida(reintento: str) -> float:
    """Los segundos de un `Retry-After`, que también puede ser una fecha; 0 si no es ninguno de los dos."""
    if reintento.isascii() and reintento.isdecimal():
        return min(float(reintento), _PEDIDA_MAXIMA)
    with suppress(ValueError, TypeError, OverflowError):
        return min(max(parsedate_to_datetime(reintento).timestamp() - time.time(), 0.0), _PEDIDA_MAXIMA)
    return 0.0


def espera_tras(fallos: int, pedida: float, azar: Callable[[], float] = random.random) -> float:
    """Segundos hasta el siguiente intento: el doble cada vez, con azar, y nunca menos de lo que se pidió."""
    propia = min(_ESPERA_MAXIMA, _PRIMERA_ESPERA * 2.0 ** min(fallos - 1, 10)) if fallos else 0.0
    return max(pedida, propia * (1 + azar()) / 2)
