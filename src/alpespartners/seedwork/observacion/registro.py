"""El registro de cada proceso: una línea por hecho, legible en una terminal y JSON fuera de ella.

Qué es: la única configuración de `structlog` y de `logging`; lo que escriben las bibliotecas sale igual.
Qué no es: un lugar para datos personales; ni identificadores, ni direcciones, ni cuerpos se registran.
Por qué existe: de noche se lee un solo formato, y el registro de accesos de uvicorn (que imprime rutas con
identificadores y caracteres de control) no debe salir nunca.
"""

import logging
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
import structlog
from structlog.typing import Processor

from alpespartners.seedwork.observacion.mensajes_de_uvicorn import EnEspañol

PresentarHecho = Callable[[Mapping[str, object]], str]


class Tanda(list[dict[str, object]]):
    """Hechos ya completos, con su hora y su nivel, que se presentan y se escriben de una vez."""


class _Formato(structlog.stdlib.ProcessorFormatter):
    """El de `structlog`, que además sabe presentar una tanda."""

    def __init__(self, presentar_hecho: PresentarHecho, **opciones: Any) -> None:
        super().__init__(**opciones)
        self._presentar_hecho = presentar_hecho

    def format(self, record: logging.LogRecord) -> str:
        """Una línea por hecho."""
        if isinstance(record.msg, Tanda):
            return "\n".join(map(self._presentar_hecho, record.msg))
        return super().format(record)


def configurar_registro(nivel: str) -> None:
    """Configura el registro del proceso; `nivel` es el nombre de un nivel de `logging`."""
    comunes: list[Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    presentar: list[Processor]
    presentar_hecho: PresentarHecho
    if sys.stderr.isatty():
        # Su formato de excepción por omisión imprime las variables locales, y llevan datos personales.
        consola = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        presentar = [consola]
        presentar_hecho = partial(_en_la_consola, consola)
    else:
        en_json = structlog.processors.JSONRenderer(ensure_ascii=False)
        presentar = [structlog.processors.format_exc_info, en_json]
        presentar_hecho = _en_json
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *comunes,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    manejador = logging.StreamHandler(sys.stderr)
    manejador.setFormatter(
        _Formato(
            presentar_hecho,
            foreign_pre_chain=comunes,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *presentar],
        )
    )
    raiz = logging.getLogger()
    raiz.handlers = [manejador]
    raiz.setLevel(nivel)
    # Cuentan su propio arranque; solo interesa si algo va mal.
    for nombre in ("alembic", "asyncio"):
        logging.getLogger(nombre).setLevel(logging.WARNING)
    # La orden uvicorn trae manejadores; sin ellos sus avisos llegan a la raíz, y sus accesos a nadie.
    de_uvicorn = logging.getLogger("uvicorn")
    de_uvicorn.handlers = []
    de_uvicorn.propagate = True
    logging.getLogger("uvicorn.error").filters = [EnEspañol()]
    accesos = logging.getLogger("uvicorn.access")
    accesos.handlers = []
    accesos.propagate = False


def _en_json(hecho: Mapping[str, object]) -> str:
    return msgspec.json.encode(hecho).decode()


def _en_la_consola(consola: structlog.dev.ConsoleRenderer, hecho: Mapping[str, object]) -> str:
    return str(consola(None, "info", {nombre: _en_texto(valor) for nombre, valor in hecho.items()}))


def _en_texto(valor: object) -> str:
    """Una hora en UTC, como las de las demás líneas (RFC 3339)."""
    return valor.isoformat().replace("+00:00", "Z") if isinstance(valor, datetime) else str(valor)
