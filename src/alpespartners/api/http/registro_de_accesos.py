"""El registro de accesos: una línea por respuesta, escritas por tandas.

Qué es: lo que se anota de cada respuesta (plantilla de la ruta, método, estado, demora y traza) hasta que se
escribe, un instante después, con las que la siguieron.
Qué no es: una cuenta. Un `kill -9` se lleva las líneas de la última décima de segundo; el libro no depende
de ellas.
Por qué existe: presentar y escribir una línea por petición costaba tanto como atenderla.
"""

import asyncio
import logging
import time
from datetime import UTC, datetime
from typing import Final

from alpespartners.seedwork.observacion.registro import Tanda

_CADA: Final = 0.1
_MAXIMO: Final = 1_000

_registro = logging.getLogger("acceso")


class RegistroDeAccesos:
    """Las respuestas dadas y aún no escritas. Solo se usa desde un bucle de asyncio."""

    def __init__(self) -> None:
        self._pendientes: list[tuple[float, str | None, str | None, int, float, str]] = []

    def anotar(self, metodo: str | None, ruta: str | None, estado: int, segundos: float, traza: str) -> None:
        """Anota una respuesta; `ruta` es su plantilla y `traza`, el *trace-id*."""
        if not _registro.isEnabledFor(logging.INFO):
            return
        if not self._pendientes:
            asyncio.get_running_loop().call_later(_CADA, self.escribir)
        self._pendientes.append((time.time(), metodo, ruta, estado, segundos, traza))
        if len(self._pendientes) >= _MAXIMO:
            self.escribir()

    def escribir(self) -> None:
        """Escribe las que esperan."""
        pendientes, self._pendientes = self._pendientes, []
        if pendientes:
            _registro.info(
                Tanda(
                    {
                        "event": "petición",
                        "metodo": metodo,
                        "ruta": ruta,
                        "estado": estado,
                        "milisegundos": round(segundos * 1000, 1),
                        "traza": traza,
                        "logger": _registro.name,
                        "level": "info",
                        "timestamp": datetime.fromtimestamp(hora, UTC),
                    }
                    for hora, metodo, ruta, estado, segundos, traza in pendientes
                )
            )
