"""El servicio, o su techo, en procesos aparte: arrancarlos, pararlos y saber qué gastan.

Qué es: una carpeta de datos temporal, los procesos que la usan y sus cuentas de CPU y memoria.
Qué no es: una carga; esa corre en el proceso de quien mide.
Por qué existe: lo que se mide es lo que corre en producción: procesos enteros, con su registro y sus
métricas.
"""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import psutil

from alpespartners.broker_embebido import BrokerEmbebido
from alpespartners.config import AJUSTES
from alpespartners.medicion.nucleos import en_el_de_los_servidores

ORDEN: Final = (sys.executable, "-c", "from alpespartners.cli import principal; principal()")

_CADA = 0.02
_LIMITE = 60.0
_GRACIA_DEL_BROKER = 1.0


class Proceso:
    """Un proceso arrancado aquí.

    Attributes:
        numero: su pid.
        puerto: donde atiende; 0 si no atiende HTTP.
    """

    def __init__(self, proceso: "subprocess.Popen[bytes]", puerto: int = 0) -> None:
        self._proceso = proceso
        self._cuentas = psutil.Process(proceso.pid)
        self.numero = proceso.pid
        self.puerto = puerto

    @property
    def cpu(self) -> float:
        """Segundos de CPU que lleva gastados."""
        tiempos = self._cuentas.cpu_times()
        return float(tiempos.user + tiempos.system)

    @property
    def memoria(self) -> int:
        """Octetos residentes."""
        return int(self._cuentas.memory_info().rss)

    @property
    def escritos(self) -> int:
        """Octetos que lleva escritos en archivos; solo lo cuenta Linux."""
        return int(self._cuentas.io_counters().write_chars)

    def avisar(self, señal: signal.Signals) -> None:
        """Le envía una señal."""
        self._proceso.send_signal(señal)

    def parar(self) -> None:
        """Lo termina y espera a que acabe."""
        if self._proceso.poll() is None:
            self._proceso.terminate()
        try:
            self._proceso.wait(_LIMITE)
        except subprocess.TimeoutExpired:
            self._proceso.kill()
            self._proceso.wait()

    @contextmanager
    def suspendido(self) -> Iterator[None]:
        """Lo detiene mientras dura el bloque; no se entera."""
        self._cuentas.suspend()
        try:
            yield
        finally:
            self._cuentas.resume()

    def exigir_vivo(self) -> None:
        """Comprueba que sigue en marcha.

        Raises:
            RuntimeError: terminó.
        """
        if self._proceso.poll() is not None:
            raise RuntimeError(f"un proceso terminó con {self._proceso.returncode}")


class Montaje:
    """Una carpeta de datos y los procesos del servicio que se arranquen sobre ella.

    Args:
        datos: la carpeta; su registro queda al lado.
        ajustes: variables de entorno de más para todos.
        orden: con qué se arrancan; detrás va `api` o `consumidores`.
    """

    def __init__(self, datos: Path, ajustes: Mapping[str, str], orden: Sequence[str]) -> None:
        self.datos = datos
        self._orden = orden
        self._ajustes = {"ALPES_DATOS": str(datos), **ajustes}

    def api(self, procesos: int = 1) -> Proceso:
        """Arranca una API con esos procesos y espera a que acepte eventos."""
        puerto = puerto_libre()
        orden = self._arrancar("api", ALPES_PUERTO=str(puerto), ALPES_PROCESOS=str(procesos))
        proceso = Proceso(orden, puerto)
        self._esperar(proceso, lambda: _estado(puerto) is not None)
        return proceso

    def consumidores(self, api: Proceso | None = None) -> Proceso:
        """Arranca un proceso de consumidores y espera a que la API, si la hay, diga que hay uno más."""
        antes = 0 if api is None else _consumidores(api.puerto)
        proceso = Proceso(self._arrancar("consumidores"))
        if api is not None:
            self._esperar(proceso, lambda: _consumidores(api.puerto) > antes)
        return proceso

    def broker(self) -> psutil.Process:
        """El proceso del broker embebido, para sus cuentas."""
        return broker_de(self.datos)

    def puerto_del_broker(self) -> int:
        """El del broker embebido."""
        return int(json.loads((self.datos / "broker.json").read_bytes())["puerto"])

    def cpu_del_broker(self) -> float:
        """Segundos de CPU que lleva gastados el broker embebido."""
        return float(sum(self.broker().cpu_times()[:2]))

    def url_del_broker(self) -> str:
        """La del broker embebido, para otros clientes."""
        return f"pulsar://127.0.0.1:{self.puerto_del_broker()}"

    def _arrancar(self, orden: str, **ajustes: str) -> "subprocess.Popen[bytes]":
        with self.datos.with_suffix(".log").open("ab") as registro:
            return subprocess.Popen(
                [*self._orden, orden],
                env=entorno({**self._ajustes, **ajustes}),
                stdin=subprocess.DEVNULL,
                stdout=registro,
                stderr=registro,
            )

    def _esperar(self, proceso: Proceso, listo: Callable[[], bool]) -> None:
        def listo_o_muerto() -> bool:
            proceso.exigir_vivo()
            return listo()

        esperar_a(listo_o_muerto)


def entorno(ajustes: Mapping[str, str]) -> dict[str, str]:
    """El de un proceso que se mide: el de quien mide, con esos ajustes y ninguno más.

    Los suyos pueden ser los de un servicio de verdad, y una medida escribe miles de eventos inventados.
    """
    # Vacía vale ausente.
    return {**os.environ, **dict.fromkeys(AJUSTES, ""), **ajustes}


def broker_de(datos: Path) -> psutil.Process:
    """El proceso del broker embebido de esa carpeta."""
    return psutil.Process(json.loads((datos / "broker.json").read_bytes())["pid"])


@contextmanager
def montaje(orden: Sequence[str] = ORDEN, **ajustes: str) -> Iterator[Montaje]:
    """Un servicio por arrancar, con su broker embebido en marcha en el núcleo de los servidores.

    Con `ALPES_PULSAR_URL` entre los ajustes no hay embebido. Al salir no queda ni carpeta ni broker.
    """
    carpeta = Path(tempfile.mkdtemp(prefix="alpes-rendimiento-"))
    try:
        with ExitStack() as pila:
            if "ALPES_PULSAR_URL" not in ajustes:
                with en_el_de_los_servidores():
                    pila.enter_context(BrokerEmbebido(carpeta / "datos", gracia=_GRACIA_DEL_BROKER))
            yield Montaje(carpeta / "datos", ajustes, orden)
    finally:
        _esperar_al_broker(carpeta / "datos")
        shutil.rmtree(carpeta, ignore_errors=True)


@contextmanager
def techo(*cual: str) -> Iterator[Proceso]:
    """El servidor casi sin trabajo (`responder`, `leer` o `prometer` y la URL de un broker, de techo.py).

    Corre en el núcleo de los servidores.
    """
    puerto = puerto_libre()
    with en_el_de_los_servidores():
        proceso = Proceso(
            subprocess.Popen([sys.executable, "-m", "alpespartners.medicion.techo", str(puerto), *cual]),
            puerto,
        )
    try:
        esperar_a(lambda: escucha(puerto))
        yield proceso
    finally:
        proceso.parar()


@contextmanager
def parando(*procesos: Proceso) -> Iterator[None]:
    """Los para al salir, el último arrancado primero."""
    try:
        yield
    finally:
        for proceso in reversed(procesos):
            proceso.parar()


def esperar_a(
    condicion: Callable[[], Any], segundos: float = _LIMITE, que: str = "lo que se esperaba"
) -> None:
    """Vuelve cuando la condición se cumple.

    Raises:
        TimeoutError: no se cumplió a tiempo; la frase dice `que`.
    """
    plazo = time.monotonic() + segundos
    while not condicion():
        if time.monotonic() > plazo:
            raise TimeoutError(f"en {segundos:g} s no ocurrió {que}")
        time.sleep(_CADA)


def puerto_libre() -> int:
    """Un puerto TCP que nadie usa en este instante."""
    with socket.socket() as enchufe:
        enchufe.bind(("127.0.0.1", 0))
        return int(enchufe.getsockname()[1])


def escucha(puerto: int) -> bool:
    """Dice si alguien acepta conexiones en ese puerto."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", puerto), timeout=1):
        return True
    return False


def pedir(puerto: int, ruta: str) -> Any:
    """El JSON de una respuesta 200, o `None` si no la hay."""
    conexion = http.client.HTTPConnection("127.0.0.1", puerto, timeout=10)
    with closing(conexion), suppress(OSError, http.client.HTTPException):
        conexion.request("GET", ruta)
        respuesta = conexion.getresponse()
        if respuesta.status == http.client.OK:
            return json.loads(respuesta.read())
    return None


def asentados(puerto: int) -> int:
    """Cuántos comandos dice el balance que acabaron ya en algún destino."""
    balance = pedir(puerto, "/tracking/balance")
    return 0 if balance is None else sum(topico["total"] for topico in balance["comandos"])


def pendientes(puerto: int) -> int:
    """Cuántos mensajes dice el balance que esperan en la bandeja de salida."""
    balance = pedir(puerto, "/tracking/balance")
    return 0 if balance is None else int(balance["bandeja_salida"]["pendientes"])


def _estado(puerto: int) -> Any:
    return pedir(puerto, "/salud/lista")


def _consumidores(puerto: int) -> int:
    estado = _estado(puerto)
    return 0 if estado is None else int(estado["consumidores"] or 0)


def _esperar_al_broker(datos: Path) -> None:
    """Espera a que el guardián se vaya: hasta entonces escribe en la carpeta."""
    with suppress(OSError, ValueError, KeyError, psutil.Error, TimeoutError):
        broker = broker_de(datos)
        esperar_a(lambda: not broker.is_running(), 15)
