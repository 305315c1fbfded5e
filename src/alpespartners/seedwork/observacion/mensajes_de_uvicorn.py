"""Lo que cuenta uvicorn, en español y sin lo que ya dicen los demás.

Qué es: un filtro de su registro: traduce lo que interesa a quien opera y calla el resto de sus pasos. Lo que
no conoce, si es un aviso o algo peor, pasa como viene.
Por qué existe: quien lee un registro de noche no debe cambiar de idioma a la mitad.
"""

import errno
import logging
from collections.abc import Mapping
from typing import Final

TRADUCCIONES: Final[Mapping[str, str]] = {
    "Uvicorn running on %s://%s:%d (Press CTRL+C to quit)": "atiende en %s://%s:%d",
    "Uvicorn running on %s://[%s]:%d (Press CTRL+C to quit)": "atiende en %s://[%s]:%d",
    "Uvicorn running on unix socket %s (Press CTRL+C to quit)": "atiende en el socket %s",
    "Shutting down": "deja de atender",
    "Finished server process [%d]": "termina; su proceso era el %d",
    "Cancel %s running task(s), timeout graceful shutdown exceeded": (
        "termina sin esperar más a las peticiones que quedaban: %s"
    ),
    "Application startup failed. Exiting.": "no pudo arrancar",
    "Application shutdown failed. Exiting.": "no pudo cerrarlo todo al terminar",
    "Exception in ASGI application\n": "una petición falló sin respuesta",
    "ASGI callable returned without completing response.": "cortó una respuesta sin acabarla",
    "Exceeded concurrency limit.": "hay más peticiones a la vez que el límite de la orden uvicorn",
    "Invalid HTTP request received.": "llegó lo que no es una petición HTTP",
    "Unsupported upgrade request.": "una petición quería otro protocolo, y no lo hay",
}
"""Por cada plantilla de uvicorn, la nuestra, con sus mismos huecos."""


class EnEspañol(logging.Filter):
    """El filtro."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Traduce el mensaje en su sitio; `False` si no hay que escribirlo."""
        if isinstance(record.msg, OSError):
            record.msg = _por_que_no_escucha(record.msg)
            return True
        traducido = TRADUCCIONES.get(str(record.msg))
        if traducido is None:
            return record.levelno >= logging.WARNING
        record.msg = traducido
        return True


def _por_que_no_escucha(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "no puede escuchar: el puerto está ocupado; libérelo o elija otro con --port"
    return f"no puede escuchar: {errno.errorcode.get(error.errno or 0, 'falla el sistema')}"
