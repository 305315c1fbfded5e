"""El registro de cada proceso: una línea por hecho, legible en una terminal y JSON fuera de ella.

Qué es: la única configuración de `structlog` y de `logging`; lo que escriben las bibliotecas sale igual.
Qué no es: un lugar para datos personales; ni identificadores, ni direcciones, ni cuerpos se registran.
Por qué existe: de noche se lee un solo formato, y el registro de accesos de uvicorn (que imprime rutas con
identificadores y caracteres de control) no debe salir nunca.
"""

import logging
import sys

import structlog
from structlog.typing import Processor


def configurar_registro(nivel: str) -> None:
    """Configura el registro del proceso; `nivel` es el nombre de un nivel de `logging`."""
    comunes: list[Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    en_terminal = sys.stderr.isatty()
    presentar: list[Processor] = (
        # Su formato de excepción por omisión imprime las variables locales, y llevan datos personales.
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if en_terminal
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    )
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
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=comunes,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *presentar],
        )
    )
    raiz = logging.getLogger()
    raiz.handlers = [manejador]
    raiz.setLevel(nivel)
    # Alembic cuenta su propio arranque; solo interesa si algo va mal.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # uvicorn trae sus propios manejadores; sin ellos sus avisos llegan a la raíz, y sus accesos a nadie.
    logging.getLogger("uvicorn").handlers = []
    accesos = logging.getLogger("uvicorn.access")
    accesos.handlers = []
    accesos.propagate = False
