"""El producto entero en procesos de verdad, como lo arranca una persona, sobre una carpeta propia."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx2

from tests.apoyo.espera import hasta
from tests.apoyo.procesos import avisar, procesos_de
from tests.apoyo.puertos import puerto_libre, reservar_puerto_del_broker

BINARIOS = Path(sys.executable).parent
UVICORN = (str(BINARIOS / "uvicorn"), "alpespartners.main:app")
CONSUMIDORES = (sys.executable, "-m", "alpespartners.modulos.tracking.infraestructura")
INICIAR = (str(BINARIOS / "alpespartners"), "iniciar")


class Instalacion:
    """Una carpeta de datos, un puerto y los procesos que los usan."""

    def __init__(self, carpeta: Path, **ajustes: str) -> None:
        self.datos = carpeta / "datos"
        self.salidas = carpeta
        self.puerto = puerto_libre()
        if not self.datos.exists():
            reservar_puerto_del_broker(self.datos)
        self.ajustes = ajustes
        self.http = httpx2.Client(base_url=f"http://127.0.0.1:{self.puerto}", timeout=30, trust_env=False)
        self._lanzados: list[subprocess.Popen[bytes]] = []

    def lanzar(self, orden: Sequence[str], **ajustes: str) -> "subprocess.Popen[bytes]":
        """Arranca un proceso en su propia sesión; su salida queda en un archivo junto a los datos."""
        salida = self.salidas / f"salida-{len(self._lanzados)}.log"
        entorno = os.environ | {
            "ALPES_DATOS": str(self.datos),
            "ALPES_PUERTO": str(self.puerto),
            **self.ajustes,
            **ajustes,
        }
        with salida.open("wb") as destino:
            proceso = subprocess.Popen(
                orden,
                env=entorno,
                cwd=self.salidas,
                stdout=destino,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._lanzados.append(proceso)
        return proceso

    def api(self, *opciones: str) -> "subprocess.Popen[bytes]":
        """La orden de la semilla para la API, en el puerto de esta instalación."""
        return self.lanzar([*UVICORN, "--port", str(self.puerto), *opciones])

    def consumidores(self) -> "subprocess.Popen[bytes]":
        """La orden de la semilla para los consumidores."""
        return self.lanzar(CONSUMIDORES)

    def iniciar(self) -> "subprocess.Popen[bytes]":
        """El servicio entero con una sola orden."""
        return self.lanzar(INICIAR)

    def orden(self, *argumentos: str) -> "subprocess.CompletedProcess[str]":
        """Una orden de `alpespartners` sobre esta instalación, hasta que termina."""
        return subprocess.run(
            [str(BINARIOS / "alpespartners"), *argumentos],
            env=os.environ | {"ALPES_DATOS": str(self.datos), **self.ajustes},
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    def salida(self, proceso: "subprocess.Popen[bytes]") -> str:
        """Lo que ese proceso ha escrito hasta ahora."""
        numero = self._lanzados.index(proceso)
        return (self.salidas / f"salida-{numero}.log").read_text(encoding="utf-8")

    def lista(self) -> bool:
        """Dice si la API responde y el broker acepta comandos."""
        try:
            return self.http.get("/salud/lista").status_code == httpx2.codes.OK
        except httpx2.TransportError:
            return False

    def esperar_lista(self) -> None:
        """Espera a que la API acepte eventos."""
        hasta(self.lista)

    def esperar_consumidores(self) -> None:
        """Espera a que la API acepte eventos y haya quien los consuma."""
        self.esperar_lista()
        hasta(lambda: self.http.get("/salud/lista").json()["consumidores"] == 1)

    def procesos(self) -> dict[int, str]:
        """Los procesos vivos que usan esta carpeta de datos: número → orden."""
        marca = f"ALPES_DATOS={self.datos}".encode()
        vivos: dict[int, str] = {}
        for proceso in Path("/proc").glob("[0-9]*"):
            try:
                if marca in (proceso / "environ").read_bytes().split(b"\0"):
                    orden = (proceso / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    if orden:
                        vivos[int(proceso.name)] = orden
            except OSError:
                continue
        return vivos

    def numero_de(self, parte: str) -> int:
        """El número del único proceso de esta carpeta cuya orden contiene `parte`."""
        (numero,) = hasta(
            # El broker no hereda el ambiente: se lo conoce por la carpeta en que trabaja.
            lambda: [n for n, orden in (self.procesos() | procesos_de(self.datos)).items() if parte in orden]
        )
        return numero

    def cerrar(self) -> None:
        """Termina lo que quede y comprueba que no sobrevive nadie."""
        self.http.close()
        for proceso in self._lanzados:
            if proceso.poll() is None:
                proceso.send_signal(signal.SIGTERM)
        for proceso in self._lanzados:
            try:
                proceso.wait(60)
            except subprocess.TimeoutExpired:
                proceso.kill()
                proceso.wait()
        for numero, orden in self.procesos().items():
            if "broker_embebido.guardian" in orden:  # sin esperar los diez segundos de cortesía
                avisar(numero, signal.SIGTERM)
        hasta(lambda: not self.procesos())


@contextmanager
def instalacion(carpeta: Path, **ajustes: str) -> Iterator[Instalacion]:
    """Una instalación que al salir no deja procesos."""
    nueva = Instalacion(carpeta, **ajustes)
    try:
        yield nueva
    finally:
        nueva.cerrar()
