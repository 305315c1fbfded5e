"""Los comandos de una versión posterior, que esperan sin confirmar a un consumidor que sepa leerlos.

Qué es: qué mensajes de un tópico dejó sin confirmar este proceso, con qué esquema se escribieron y cuándo
toca devolverlos, por si ya hay otro consumidor que los entienda.
Qué no es: un almacén; los guarda el broker, que los entrega otra vez si este proceso acaba.
Por qué existe: un campo que no se conoce puede decidir a quién se paga. Registrar el comando sin él lo
perdería para siempre, y una carta muerta lo daría por malo: espera él, y no sus vecinos.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

import structlog

from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import MensajeRecibido
from alpespartners.seedwork.pausas import Pausas

MAXIMO_RECORDADOS: Final = 10_000
"""Mensajes que se pueden devolver; los demás siguen sin confirmar hasta que la suscripción se cierre."""

_HUELLAS_QUE_SE_NOMBRAN: Final = 10

_registro: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Espera:
    """Lo que espera en un tópico.

    Attributes:
        mensajes: cuántos.
        huellas: las de los esquemas que los escribieron, las más numerosas primero y diez como mucho.
        segundos: lo que lleva esperando el primero en este proceso.
    """

    mensajes: int
    huellas: tuple[str, ...]
    segundos: float


class _Retenido(NamedTuple):
    mensaje: MensajeRecibido
    huella: str


class EnEspera:
    """Los mensajes de un tópico que esperan. Se usa desde cualquier hilo.

    Args:
        topico: el suyo.
        pausas: lo que se retienen la primera vez, y cada una que vuelven.
        maximo: cuántos se recuerdan.
        reloj: segundos que solo crecen.
    """

    def __init__(
        self,
        topico: str,
        pausas: Pausas,
        *,
        maximo: int = MAXIMO_RECORDADOS,
        reloj: Callable[[], float] = time.monotonic,
    ) -> None:
        self.topico = topico
        self._pausas = pausas
        self._pausa = pausas.minima
        self._maximo = maximo
        self._reloj = reloj
        self._cerrojo = threading.Lock()
        self._retenidos: dict[str, _Retenido] = {}
        # Los que se devolvieron y aún no han vuelto: quizá otro los leyó, y quizá estén de camino.
        self._devueltos: dict[str, _Retenido] = {}
        self._sin_recordar: Counter[str] = Counter()
        self._desde: float | None = None
        self._hasta = 0.0

    def retener(self, mensaje: MensajeRecibido, huella: str) -> None:
        """Deja el mensaje sin confirmar ni devolver hasta que acabe la pausa."""
        with self._cerrojo:
            if self._desde is None:
                self._desde = self._reloj()
                self._hasta = self._desde + self._pausa
                _registro.warning(
                    "un comando está escrito con un esquema que esta versión no conoce: espera, sin "
                    "confirmar, a un consumidor actualizado",
                    topico=self.topico,
                    huella=huella,
                )
            self._devueltos.pop(mensaje.posicion, None)
            if mensaje.posicion in self._retenidos or len(self._retenidos) < self._maximo:
                # Lo que ocupa lo guarda el broker.
                ligero = mensaje._replace(carga=None, propiedades={}, clave=None)
                self._retenidos[mensaje.posicion] = _Retenido(ligero, huella)
            else:
                self._sin_recordar[huella if huella in self._sin_recordar else self._otra(huella)] += 1

    def por_devolver(self) -> list[MensajeRecibido]:
        """Los que hay que devolver al broker ahora; ninguno, hasta que acabe la pausa."""
        with self._cerrojo:
            if self._desde is None or self._reloj() < self._hasta:
                return []
            mensajes = [retenido.mensaje for retenido in self._retenidos.values()]
            self._devueltos, self._retenidos = self._retenidos, {}
            if not mensajes and not self._sin_recordar:
                # Los que se devolvieron no han vuelto en toda una pausa: otro supo leerlos.
                self._vaciar()
                return []
            self._pausa = self._pausas.siguiente(self._pausa)
            self._hasta = self._reloj() + self._pausa
            espera = self._estado()
        _registro.warning(
            "siguen esperando comandos de una versión posterior",
            topico=self.topico,
            mensajes=espera.mensajes,
            huellas=espera.huellas,
            segundos=round(espera.segundos),
        )
        return mensajes

    def olvidar(self) -> None:
        """Los olvida: la suscripción se cerró, y el broker los entrega otra vez, a quien sea."""
        with self._cerrojo:
            self._vaciar()

    def estado(self) -> Espera | None:
        """Lo que espera ahora, si espera algo."""
        with self._cerrojo:
            return None if self._desde is None else self._estado()

    def _estado(self) -> Espera:
        huellas = Counter(r.huella for r in (*self._retenidos.values(), *self._devueltos.values()))
        huellas.update(self._sin_recordar)
        return Espera(
            mensajes=huellas.total(),
            huellas=tuple(huella for huella, _ in huellas.most_common(_HUELLAS_QUE_SE_NOMBRAN)),
            segundos=self._reloj() - (self._desde or 0.0),
        )

    def _otra(self, huella: str) -> str:
        """De los que no se recuerdan, las huellas también tienen un máximo: puede ponerlas cualquiera."""
        return huella if len(self._sin_recordar) < _HUELLAS_QUE_SE_NOMBRAN else "otras"

    def _vaciar(self) -> None:
        self._retenidos, self._devueltos, self._sin_recordar = {}, {}, Counter()
        self._desde = None
        self._pausa = self._pausas.minima
