"""El registro de accesos: las respuestas que fallan o tardan y, con `DEBUG`, todas; escritas por tandas.

Qué es: lo que se anota de una respuesta (plantilla de la ruta, método, estado, demora y traza) hasta que se
escribe, un instante después, con las que la siguieron. Lo que preguntan las sondas no se anota nunca.
Qué no es: una cuenta, que está en `/metricas`. Un `kill -9` se lleva las líneas de la última décima de
segundo; el libro no depende de ellas.
Por qué existe: presentar y escribir una línea por petición costaba tanto como atenderla, y entre miles de
líneas sanas no se ve la que importa.
"""

import asyncio
import logging
import time
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final, NamedTuple

from starlette.responses import Response

from alpespartners.api.http.traza import identificador_de
from alpespartners.seedwork.observacion.registro import Tanda

SEGUNDOS_DE_UNA_LENTA: Final = 1.0

_CADA: Final = 0.1
_MAXIMO: Final = 1_000
_DE_SONDAS: Final = ("/salud/", "/metricas")

_registro = logging.getLogger("acceso")


class _Acceso(NamedTuple):
    hora: float
    nivel: int
    metodo: str | None
    ruta: str | None
    estado: int
    segundos: float
    traza: str


class RegistroDeAccesos:
    """Las respuestas dadas y aún no escritas. Solo se usa desde un bucle de asyncio."""

    def __init__(self) -> None:
        self._pendientes: list[_Acceso] = []

    def anotar(
        self, metodo: str | None, ruta: str | None, respuesta: Response, segundos: float, traza: str
    ) -> None:
        """Anota una respuesta, si es de las que se escriben.

        Args:
            metodo: si es de los conocidos.
            ruta: su plantilla, si la tiene.
            respuesta: la que se dio.
            segundos: lo que tardó.
            traza: el `traceparent` de la petición.
        """
        estado = respuesta.status_code
        lenta = segundos > SEGUNDOS_DE_UNA_LENTA and not _se_pidio_esperar(respuesta)
        fallida = estado >= HTTPStatus.INTERNAL_SERVER_ERROR
        nivel = logging.WARNING if lenta or fallida else logging.DEBUG
        if not _registro.isEnabledFor(nivel) or (ruta or "").startswith(_DE_SONDAS):
            return
        if not self._pendientes:
            asyncio.get_running_loop().call_later(_CADA, self.escribir)
        self._pendientes.append(_Acceso(time.time(), nivel, metodo, ruta, estado, segundos, traza))
        if len(self._pendientes) >= _MAXIMO:
            self.escribir()

    def escribir(self) -> None:
        """Escribe las que esperan."""
        pendientes, self._pendientes = self._pendientes, []
        if pendientes:
            _registro.log(max(acceso.nivel for acceso in pendientes), Tanda(map(_hecho, pendientes)))


def _se_pidio_esperar(respuesta: Response) -> bool:
    """Dice si tardó porque quien llamaba lo pidió (`Prefer: wait`)."""
    return "wait=" in respuesta.headers.get("Preference-Applied", "")


def _hecho(acceso: _Acceso) -> dict[str, object]:
    return {
        "event": "petición",
        "metodo": acceso.metodo,
        "ruta": acceso.ruta,
        "estado": acceso.estado,
        "milisegundos": round(acceso.segundos * 1000, 1),
        "traza": identificador_de(acceso.traza),
        "logger": _registro.name,
        "level": logging.getLevelName(acceso.nivel).lower(),
        "timestamp": datetime.fromtimestamp(acceso.hora, UTC),
    }
