"""El vigilante: el hilo de cada usuario que se ocupa de que haya siempre un guardián.

Espera ``guardian.lock`` dentro del sistema, sin gastar procesador. Si lo consigue es que no hay guardián, o
que ha muerto: arranca uno y le entrega el descriptor ya tomado, de modo que el cerrojo no queda libre ni un
instante y nunca hay dos.
"""

import logging
import subprocess
import sys
import threading
import time
from pathlib import Path

from alpespartners.broker_embebido.carpeta import Carpeta
from alpespartners.seedwork.procesos.cerrojos import Cerrojo

_PAUSA_MINIMA, _PAUSA_MAXIMA = 0.2, 10.0
_ESTABLE = 60.0
_MODULO = "alpespartners.broker_embebido.guardian"

_registro = logging.getLogger(__name__)


class Vigilante:
    """Un hilo que no impide terminar al proceso; después de ``terminar()`` no arranca ningún guardián."""

    def __init__(self, carpeta: Carpeta, binario: Path, gracia: float) -> None:
        self._carpeta = carpeta
        self._binario = binario
        self._gracia = gracia
        self._terminado = threading.Event()
        self._arrancando = threading.Lock()
        self._hilo = threading.Thread(target=self._vigilar, name="vigila-guardian", daemon=True)

    def arrancar(self) -> None:
        """Empieza a vigilar; si no hay guardián, arranca el primero."""
        self._hilo.start()

    def terminar(self) -> None:
        """Deja de vigilar. El hilo se queda, inofensivo, hasta que acabe el guardián por el que espera."""
        self._terminado.set()
        with self._arrancando:
            pass  # si estaba arrancando uno, acaba: a medias dejaría un hijo sin recoger

    def _vigilar(self) -> None:
        pausa = 0.0
        while not self._terminado.is_set():
            desde = time.monotonic()
            try:
                self._hacer_guardia(pausa)
            except OSError as error:
                _registro.error("No se pudo arrancar el guardián del broker embebido: %s", error)
                self._terminado.wait(pausa)
            estable = time.monotonic() - desde >= _ESTABLE
            pausa = _PAUSA_MINIMA if estable else min(_PAUSA_MAXIMA, max(_PAUSA_MINIMA, pausa * 2))

    def _hacer_guardia(self, pausa: float) -> None:
        """Espera hasta que no haya guardián y arranca uno.

        Args:
            pausa: segundos que espera antes de arrancarlo, con el cerrojo en la mano: un guardián que muere
                al nacer no debe convertirse en una ráfaga de procesos.
        """
        cerrojo = Cerrojo(self._carpeta.cerrojo_guardian)
        try:
            cerrojo.tomar(limite=None)
            self._terminado.wait(pausa)
            with self._arrancando:
                if not self._terminado.is_set():
                    if pausa:
                        _registro.warning("Murió el guardián del broker embebido; arranca otro")
                    self._arrancar_guardian(cerrojo.descriptor)
        finally:
            cerrojo.cerrar()

    def _arrancar_guardian(self, descriptor: int) -> None:
        with self._carpeta.registro.open("ab") as registro:
            # -P: la carpeta de trabajo no debe dar módulos. Quien arranca aquí se separa y termina enseguida.
            subprocess.run(
                [
                    *(sys.executable, "-P", "-m", _MODULO),
                    *(str(descriptor), self._carpeta.datos, self._binario, str(self._gracia)),
                ],
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=registro,
                stderr=registro,
                cwd=self._carpeta.broker,
                pass_fds=(descriptor,),
                start_new_session=True,
            )
