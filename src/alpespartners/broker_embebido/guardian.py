"""El guardián: el proceso que arranca el broker embebido, lo repone y lo termina.

No lo arranca una persona sino el vigilante de un usuario, que le entrega ``guardian.lock`` ya tomado:
``python -m … guardian <descriptor> <carpeta de datos> <binario> <segundos de gracia>``. Vive en su propia
sesión, de modo que Ctrl-C en una terminal no le llega, y despierta una vez por segundo. Solo usa biblioteca
estándar: está en memoria mientras lo esté el producto.

- El puerto es el guardado; la primera vez, 6650 si está libre. Si lo ocupa otro programa elige otro y lo
  guarda; los usuarios que ya estuvieran abiertos deben arrancar de nuevo para verlo.
- Si el disco se queda sin reserva lo detiene hasta que la haya (`espacio.py`).
- Con SIGTERM o SIGINT termina en cuanto no queden usuarios, o a los 5 s: así, si el sistema detiene todo a
  la vez, los usuarios alcanzan a publicar lo que tenían en la mano. Si alguno sigue, arrancará otro
  guardián.
"""

import contextlib
import ctypes
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from alpespartners.broker_embebido.carpeta import Carpeta
from alpespartners.broker_embebido.espacio import RESERVA, hay_sitio
from alpespartners.seedwork.procesos.cerrojos import Cerrojo
from alpespartners.seedwork.procesos.despertador import Despertador

_ANFITRION = "127.0.0.1"
_PUERTO_PREFERIDO = 6650
# Por debajo de los efímeros: en uno de esos, un cliente que reintenta puede acabar conectado consigo mismo.
_OTROS_PUERTOS = range(20_000, 32_000)
_ESPERA_PUERTO = 2.0
_LATIDO = 1.0
_LATIDO_AL_ARRANCAR = 0.02
_PAUSA_MINIMA, _PAUSA_MAXIMA = 0.1, 10.0
_ESTABLE = 60.0
_LIMITE_SEÑAL = 5.0
_LIMITE_BROKER = 2.0
_MAXIMO_REGISTRO = 1024 * 1024
_PR_SET_PDEATHSIG = 1  # linux/prctl.h

# El binario abre 0.0.0.0:8080 para sus métricas si no se le dice otra cosa.
_AJUSTES = "[metrics]\nenabled = false\n"
# Su módulo principal dice dónde escucha; los demás, cada paso de cada cliente.
_ENTORNO = {"RUST_LOG": "warn,pulsar_lite=info,pulsar_lite::broker=warn,pulsar_lite_storage=warn"}


def _anotar(frase: str) -> None:
    sys.stderr.write(f"[{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}] guardián: {frase}\n")
    sys.stderr.flush()


def _libre(puerto: int) -> bool:
    with socket.socket() as enchufe:
        enchufe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # como hará el broker
        try:
            enchufe.bind((_ANFITRION, puerto))
        except OSError:
            return False
        return True


class Guardian:
    """Un broker de una carpeta, mientras tenga usuarios."""

    def __init__(self, carpeta: Carpeta, binario: Path, gracia: float) -> None:
        self._carpeta = carpeta
        self._binario = binario
        self._gracia = gracia
        self._usuarios = Cerrojo(carpeta.cerrojo_usuarios)
        self._sin_usuarios_desde: float | None = None
        self._plazo: float | None = None
        self._broker: subprocess.Popen[bytes] | None = None
        self._puerto = 0
        self._escucha = False
        self._desde = 0.0
        self._inicio_registro = 0
        self._pausa = _PAUSA_MINIMA
        self._sin_sitio = False

    def vivir(self) -> None:
        """Vuelve cuando el broker ha terminado y nadie lo necesita."""
        self._terminar_anterior()
        self._carpeta.asegurar_epoca()
        (self._carpeta.broker / "pulsar-lite.toml").write_text(_AJUSTES, encoding="ascii")
        with Despertador(signal.SIGCHLD, signal.SIGTERM, signal.SIGINT) as despertador:
            while not self._debe_terminar():
                llegadas = despertador.dormir(self._atender_broker())
                if self._plazo is None and llegadas & {signal.SIGTERM, signal.SIGINT}:
                    self._plazo = time.monotonic() + _LIMITE_SEÑAL
        self._terminar_broker()
        _anotar("termina.")

    def _terminar_anterior(self) -> None:
        """Acaba con el broker que dejó un guardián muerto de golpe; en Linux ya lo ha hecho el sistema."""
        cerrojo = Cerrojo(self._carpeta.cerrojo_broker)
        if not cerrojo.tomar(limite=1.0):
            pid = self._carpeta.pid_del_broker()
            if pid is not None:
                _anotar(f"termina el broker anterior, {pid}.")
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if not cerrojo.tomar(limite=_LIMITE_BROKER):
                sys.exit("El broker anterior no termina.")
        cerrojo.cerrar()

    def _debe_terminar(self) -> bool:
        """Si llegó la hora; entonces deja ``usuarios.lock`` tomado: quien llegue espera al siguiente."""
        ahora = time.monotonic()
        if not self._usuarios.tomar():
            self._sin_usuarios_desde = None
            return self._plazo is not None and ahora >= self._plazo
        if self._sin_usuarios_desde is None:
            self._sin_usuarios_desde = ahora
        if self._plazo is not None or ahora - self._sin_usuarios_desde >= self._gracia:
            return True
        self._usuarios.soltar()
        return False

    def _atender_broker(self) -> float:
        """Da un paso en la vida del broker y dice cuántos segundos esperar hasta el siguiente."""
        ahora = time.monotonic()
        if not hay_sitio(self._carpeta.datos):
            self._esperar_sitio()
            return _LATIDO
        self._sin_sitio = False
        if self._broker is None:
            if ahora < self._desde:
                return min(_LATIDO, self._desde - ahora)
            self._arrancar_broker()
            return _LATIDO_AL_ARRANCAR
        if self._broker.poll() is not None:
            se_lo_pidieron = self._broker.returncode == -signal.SIGTERM
            if se_lo_pidieron or (self._escucha and ahora - self._desde >= _ESTABLE):
                self._pausa = _PAUSA_MINIMA
            _anotar(f"el broker terminó con {self._broker.returncode}; lo repone en {self._pausa:.1f} s.")
            self._broker = None
            self._desde = ahora + self._pausa
            self._pausa = min(_PAUSA_MAXIMA, self._pausa * 2)
            return 0.0
        if not self._escucha:
            self._escucha = self._dice_que_escucha()
            if not self._escucha:
                return _LATIDO_AL_ARRANCAR
            self._carpeta.anotar_activo(self._puerto, self._broker.pid)
        self._acotar_registro()
        return _LATIDO

    def _esperar_sitio(self) -> None:
        if not self._sin_sitio:
            self._sin_sitio = True
            self._terminar_broker()
            self._broker = None
            _anotar(f"quedan menos de {RESERVA >> 20} MiB en el disco: sin ellos no hay broker.")

    def _arrancar_broker(self) -> None:
        self._puerto = self._elegir_puerto()
        cerrojo = Cerrojo(self._carpeta.cerrojo_broker)
        if not cerrojo.tomar(limite=_LIMITE_BROKER):
            sys.exit("Otro proceso tiene el cerrojo del broker.")
        descriptor, guardian = cerrojo.descriptor, os.getpid()
        prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None

        def al_nacer() -> None:
            if prctl is not None:
                prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
                if os.getppid() != guardian:  # murió antes de poder avisar
                    os._exit(1)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, b"%d" % os.getpid(), 0)

        self._inicio_registro = os.fstat(sys.stderr.fileno()).st_size
        self._escucha = False
        self._desde = time.monotonic()
        # Todo por argumentos: si no pudiera leer sus ajustes, el binario escucharía en todas las direcciones.
        self._broker = subprocess.Popen(
            [
                self._binario,
                *("--config", "pulsar-lite.toml"),
                *("--addr", f"{_ANFITRION}:{self._puerto}"),
                *("--db-path", "mensajes"),
            ],
            cwd=self._carpeta.broker,
            env=_ENTORNO,
            pass_fds=(descriptor,),
            preexec_fn=al_nacer,  # noqa: PLW1509 (el guardián tiene un solo hilo)
        )
        cerrojo.cerrar()
        _anotar(f"arranca el broker {self._broker.pid} en {_ANFITRION}:{self._puerto}.")

    def _elegir_puerto(self) -> int:
        guardado = self._carpeta.puerto_guardado()
        if guardado is not None:
            plazo = time.monotonic() + _ESPERA_PUERTO
            while not _libre(guardado):
                if time.monotonic() >= plazo:
                    _anotar(f"otro programa ocupa el puerto {guardado}; elige otro.")
                    break
                time.sleep(_LATIDO_AL_ARRANCAR)
            else:
                return guardado
        for puerto in (_PUERTO_PREFERIDO, *random.sample(_OTROS_PUERTOS, 100)):
            if _libre(puerto):
                return puerto
        sys.exit("No hay ningún puerto libre.")

    def _dice_que_escucha(self) -> bool:
        """Conectarse no bastaría: quien contesta en ese puerto podría ser el broker de otra carpeta."""
        with self._carpeta.registro.open("rb") as registro:
            registro.seek(self._inicio_registro)
            return f"Server listening on {_ANFITRION}:{self._puerto}\n".encode() in registro.read()

    def _acotar_registro(self) -> None:
        """Aparta lo escrito y empieza de nuevo en el mismo archivo, que el broker tiene abierto."""
        descriptor = sys.stderr.fileno()
        if os.fstat(descriptor).st_size > _MAXIMO_REGISTRO:
            lleno = self._carpeta.registro.read_bytes()
            self._carpeta.registro.with_suffix(".anterior.log").write_bytes(lleno)
            os.ftruncate(descriptor, 0)

    def _terminar_broker(self) -> None:
        if self._broker is None:
            return
        self._broker.terminate()  # no necesita guardar nada
        try:
            self._broker.wait(_LIMITE_BROKER)
        except subprocess.TimeoutExpired:
            self._broker.kill()
            self._broker.wait()


def principal(argumentos: list[str]) -> None:
    """Se separa de quien lo arrancó, que así no tiene que recogerlo cuando muera, y vive."""
    _descriptor, datos, binario, gracia = argumentos  # el descriptor heredado se tiene, sin más, hasta morir
    if os.fork():
        os._exit(0)
    # Quien lo arrancó pudo tener señales bloqueadas, y eso se hereda.
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    Guardian(Carpeta(Path(datos)), Path(binario), float(gracia)).vivir()


if __name__ == "__main__":
    principal(sys.argv[1:])
