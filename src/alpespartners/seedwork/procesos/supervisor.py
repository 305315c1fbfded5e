"""El supervisor: arranca los procesos del producto, repone al que muere y los detiene a todos juntos.

No reparte trabajo ni habla con ellos. Existe para que una sola orden ponga todo en marcha sin instalar un
gestor de procesos, y para que al terminar, de la manera que sea, no quede ninguno.

Cada hijo es un intérprete nuevo (``spawn``): un cliente de Pulsar no sobrevive a un ``fork``.
"""

import logging
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import connection, get_context, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

from alpespartners.seedwork.arranque import ErrorDeArranque
from alpespartners.seedwork.procesos.despertador import Despertador
from alpespartners.seedwork.procesos.padre import terminar_con_el_padre

_PAUSA_MINIMA, _PAUSA_MAXIMA = 0.2, 10.0
_ESTABLE = 60.0
_LIMITE = 4.0

_registro = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Hijo:
    """Un proceso que debe estar siempre en marcha.

    Attributes:
        nombre: cómo se le llama en los mensajes.
        trabajo: función de módulo que no vuelve hasta recibir SIGTERM. Si lanza ``ErrorDeArranque`` la
            primera vez, todo se detiene con esa frase: volver a arrancarlo daría la misma. Si ya había
            vivido es que algo falta de momento, y vuelve a intentarse sin estorbar a los demás.
        argumentos: los de ``trabajo``; se copian al proceso nuevo con ``pickle``.
    """

    nombre: str
    trabajo: Callable[..., None]
    argumentos: tuple[object, ...] = ()


class _Puesto:
    """El lugar de un hijo: su proceso de ahora y cuándo le toca el siguiente."""

    def __init__(self, hijo: Hijo) -> None:
        self.hijo = hijo
        self.proceso: SpawnProcess | None = None
        self.desde = 0.0
        self._vivio = False
        self._pausa = _PAUSA_MINIMA
        self._frases: Connection

    def arrancar(self) -> None:
        self._frases, salida = connection.Pipe(duplex=False)
        self.proceso = get_context("spawn").Process(
            target=_vivir, args=(self.hijo, salida), name=self.hijo.nombre
        )
        self.desde = time.monotonic()
        # Ctrl-C llega a todos los procesos de la terminal: que lo atienda solo el supervisor, que les manda
        # SIGTERM. Bloquearlo se hereda. El rastreador de multiprocessing lo desbloquearía si naciera ahora:
        # que ya exista.
        resource_tracker.ensure_running()
        mascara = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self.proceso.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mascara)
            salida.close()

    def recoger(self, proceso: SpawnProcess) -> None:
        """Deja el puesto libre para el siguiente.

        Raises:
            ErrorDeArranque: el hijo no pudo arrancar y nunca había podido.
        """
        proceso.join()
        try:
            frase = self._frases.recv()
        except EOFError:
            frase = None
        self._frases.close()
        codigo = proceso.exitcode
        proceso.close()
        self.proceso = None
        if frase is None:
            self._vivio = True
        elif self._vivio:
            _registro.error("%s no pudo arrancar: %s", self.hijo.nombre, frase)
        else:
            raise ErrorDeArranque(frase)
        ahora = time.monotonic()
        if ahora - self.desde >= _ESTABLE:
            self._pausa = _PAUSA_MINIMA
        _registro.warning(
            "%s terminó con código %s; arranca otra vez en %.1f s", self.hijo.nombre, codigo, self._pausa
        )
        self.desde = ahora + self._pausa
        self._pausa = min(_PAUSA_MAXIMA, self._pausa * 2)


def supervisar(hijos: Sequence[Hijo], *, limite: float = _LIMITE) -> None:
    """Mantiene a los hijos en marcha hasta recibir SIGINT o SIGTERM; al volver no queda ninguno.

    Solo en el hilo principal. Si a este proceso lo matan de golpe, los hijos terminan por sí mismos.

    Args:
        hijos: los procesos, en el orden en que arrancan.
        limite: segundos que tienen para terminar por las buenas.

    Raises:
        ErrorDeArranque: el de un hijo que no pudo arrancar; los demás ya están detenidos.
    """
    puestos = [_Puesto(hijo) for hijo in hijos]
    with Despertador(signal.SIGINT, signal.SIGTERM) as despertador:
        try:
            while True:
                ahora = time.monotonic()
                for puesto in puestos:
                    if puesto.proceso is None and ahora >= puesto.desde:
                        puesto.arrancar()
                vivos = [(puesto, puesto.proceso) for puesto in puestos if puesto.proceso is not None]
                siguiente = min((puesto.desde for puesto in puestos if puesto.proceso is None), default=None)
                if despertador.dormir(
                    None if siguiente is None else max(0.0, siguiente - time.monotonic()),
                    *(proceso.sentinel for _, proceso in vivos),
                ):
                    return
                for puesto, proceso in vivos:
                    if not proceso.is_alive():
                        puesto.recoger(proceso)
        finally:
            _detener([puesto.proceso for puesto in puestos if puesto.proceso is not None], limite)


def _detener(procesos: Sequence[SpawnProcess], limite: float) -> None:
    for proceso in procesos:
        proceso.terminate()
    plazo = time.monotonic() + limite
    for proceso in procesos:
        proceso.join(max(0.0, plazo - time.monotonic()))
        if proceso.is_alive():
            _registro.warning("%s no terminó en %g s: se le mata", proceso.name, limite)
            proceso.kill()
            proceso.join()


def _vivir(hijo: Hijo, frases: Connection) -> None:
    """Lo primero que corre en el proceso nuevo."""
    terminar_con_el_padre()
    try:
        hijo.trabajo(*hijo.argumentos)
    except ErrorDeArranque as error:
        frases.send(error.frase)
