"""Un Apache Pulsar propio de las pruebas: los jars que publica el proyecto, en un proceso corriente.

Necesita Java y Maven, que la primera vez deja los jars en la carpeta de caché del usuario.
"""

import json
import logging
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from uuid import uuid4

import platformdirs
import pulsar
import pytest

from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import ClientePulsar
from alpespartners.seedwork.procesos.cerrojos import Cerrojo
from tests.apoyo.espera import hasta
from tests.apoyo.puertos import puerto_libre

_RECURSOS: Final = Path(__file__).parent / "apache"
_ABIERTOS: Final = (
    *("java.base/jdk.internal.loader", "java.base/java.lang", "java.base/java.io", "java.base/java.util.zip"),
    *("java.base/java.nio", "java.base/sun.net", "java.base/jdk.internal.platform"),
    "java.management/sun.management",
)
"""Los paquetes de Java que Pulsar mira por dentro."""
_LIMITE_DE_ARRANQUE: Final = 120.0
_LIMITE_DE_RECUPERACION: Final = 30.0
"""Segundos desde que se puede usar hasta que se pueden usar los tópicos que ya tenía."""
_ARRANQUES: Final = 4
_SEÑAL_DEL_BUCLE: Final = b"TopologyAwareEnsemblePlacementPolicy - Failed to resolve"
_SEÑALES_DE_UN_ARRANQUE: Final = 100
"""Al arrancar bien da de cuatro a una docena; en el bucle, cientos por segundo."""

_registro = logging.getLogger(__name__)


def falta_apache() -> str | None:
    """Qué falta en esta máquina para arrancarlo, o `None`."""
    for orden, nombre in (("java", "Java"), ("mvn", "Maven"), ("setpriv", "setpriv")):
        if shutil.which(orden) is None:
            return f"falta {nombre}"
    return None


def jars() -> Path:
    """La carpeta con los jars de Apache Pulsar; la llena quien llega primero, y los demás le esperan."""
    carpeta = Path(platformdirs.user_cache_dir("alpespartners-pruebas")) / "pulsar"
    carpeta.parent.mkdir(parents=True, exist_ok=True)
    pom = (_RECURSOS / "pom.xml").read_bytes()
    sello = carpeta / "pom.xml"
    cerrojo = Cerrojo(carpeta.with_suffix(".lock"))
    hasta(cerrojo.tomar, 600, 0.5)
    try:
        if not sello.exists() or sello.read_bytes() != pom:
            shutil.rmtree(carpeta, ignore_errors=True)
            orden = ["mvn", "-q", "-B", "-f", str(_RECURSOS / "pom.xml"), "dependency:copy-dependencies"]
            subprocess.run([*orden, f"-DoutputDirectory={carpeta}"], check=True, capture_output=True)
            sello.write_bytes(pom)
    finally:
        cerrojo.cerrar()
    return carpeta


def orden_de_java(carpeta: Path, memoria: str, *definiciones: str) -> list[str]:
    """La orden con que corre una clase de esos jars, a falta de la clase y de sus argumentos."""
    abiertos = [p for paquete in _ABIERTOS for p in ("--add-opens", f"{paquete}=ALL-UNNAMED")]
    return [
        # Si muere quien prueba, muere con él.
        *("setpriv", "--pdeathsig", "KILL", "java", f"-Xmx{memoria}", f"-XX:MaxDirectMemorySize={memoria}"),
        *("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:+ExitOnOutOfMemoryError", *definiciones),
        *(*abiertos, "-Dio.netty.tryReflectionSetAccessible=true"),
        *(f"-Dlog4j2.configurationFile={_RECURSOS / 'log4j2.xml'}", "-cp", f"{carpeta}/*"),
    ]


def administrar(
    admin: str,
    metodo: str,
    ruta: str,
    cuerpo: object = None,
    cabeceras: Mapping[str, str] = MappingProxyType({}),
) -> Any:
    """Una petición a `/admin/v2/` de un broker; devuelve su respuesta, o nada si no la tiene."""
    peticion = urllib.request.Request(  # noqa: S310 (la dirección es de la prueba)
        f"{admin}/admin/v2/{ruta}",
        None if cuerpo is None else json.dumps(cuerpo).encode(),
        {"Content-Type": "application/json", **cabeceras},
        method=metodo,
    )
    with urllib.request.urlopen(peticion, timeout=30) as respuesta:  # noqa: S310
        contenido = respuesta.read()
    return json.loads(contenido) if contenido.startswith((b"{", b"[", b'"')) else None


class ServidorApache:
    """Un Apache Pulsar en una carpeta, con sus puertos, que no cambian.

    Args:
        carpeta: donde guarda todo.
        ajustes: los que se añaden a `standalone.conf`.
        token: con el que se administra, si lo pide.
    """

    def __init__(self, carpeta: Path, ajustes: Mapping[str, str], token: str | None) -> None:
        self._cabeceras = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._carpeta = carpeta
        self._puerto, self._web, self._puerto_de_almacen = (puerto_libre() for _ in range(3))
        self._espacios = count(1)
        self._espacio: str | None = None
        self._jars = jars()
        propios = {"brokerServicePort": str(self._puerto), "webServicePort": str(self._web)}
        lineas = [f"{nombre}={valor}" for nombre, valor in (propios | dict(ajustes)).items()]
        base = (_RECURSOS / "standalone.conf").read_text(encoding="utf-8")
        (carpeta / "standalone.conf").write_text(base + "\n".join(lineas) + "\n", encoding="utf-8")
        self.arrancar()

    @property
    def url(self) -> str:
        """La de sus clientes."""
        return f"pulsar://127.0.0.1:{self._puerto}"

    @property
    def admin(self) -> str:
        """La de su administración."""
        return f"http://127.0.0.1:{self._web}"

    @property
    def numero(self) -> int:
        """El número de su proceso."""
        return self._proceso.pid

    def arrancar(self) -> None:
        """Lo arranca y vuelve cuando sus clientes pueden usarlo, también en los tópicos que ya tenía.

        Tras una muerte, a veces borra y rehace sin fin el registro de su almacén (apache/pulsar#17759): ocupa
        un núcleo entero, a costa de las demás pruebas, y puede no llegar a estar listo. Otras pierde de vista
        su almacén y no recupera un tópico («Error while recovering ledger error code: -10»). Se arranca otra
        vez, que es lo que docs/operacion.md pide a una persona.
        """
        for _ in range(_ARRANQUES):
            self._lanzar()
            mal = self._esperar()
            if mal is None:
                return
            _registro.warning("Apache Pulsar ha vuelto mal, y se arranca otra vez: %s", mal)
            self.matar()
        pytest.fail(f"Apache Pulsar no volvió bien en {_ARRANQUES} arranques: {self._final_de_la_salida()}")

    def _esperar(self) -> str | None:
        """Espera a que se pueda usar, y dice por qué no, si hay que arrancarlo otra vez."""
        plazo = time.monotonic() + _LIMITE_DE_ARRANQUE
        while not self._listo():
            if self._en_bucle():
                return "rehace sin fin el registro de su almacén"
            if time.monotonic() > plazo:
                return "no llega a estar listo"
            time.sleep(0.2)
        plazo = time.monotonic() + _LIMITE_DE_RECUPERACION
        while faltan := self._sin_recuperar():
            if time.monotonic() > plazo:
                return f"no recupera {faltan}"
            time.sleep(0.2)
        # Puede estar listo y en el bucle.
        return "rehace sin fin el registro de su almacén" if self._en_bucle() else None

    def _lanzar(self) -> None:
        with (self._carpeta / "salida.log").open("ab") as salida:
            self._desde = salida.tell()
            self._proceso = subprocess.Popen(
                [
                    *orden_de_java(self._jars, "512m"),
                    "org.apache.pulsar.PulsarStandaloneStarter",
                    *("--config", "standalone.conf", "-nfw", "-nss", "--metadata-dir", "metadatos"),
                    *("--bookkeeper-dir", "almacen", "--bookkeeper-port", str(self._puerto_de_almacen)),
                ],
                cwd=self._carpeta,
                stdin=subprocess.DEVNULL,
                stdout=salida,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def arrancar_si_falta(self) -> None:
        """Lo arranca si no está en marcha."""
        if self._proceso.poll() is not None:
            self.arrancar()

    def matar(self) -> None:
        """Lo mata con -9."""
        self._proceso.kill()
        self._proceso.wait()

    def espacio_nuevo(self) -> str:
        """Un espacio de nombres que nadie ha usado y que lo guarda todo."""
        self._espacio = espacio = f"public/prueba-{next(self._espacios)}"
        self.administrar("PUT", f"namespaces/{espacio}", {})
        siempre = {"retentionTimeInMinutes": -1, "retentionSizeInMB": -1}
        self.administrar("POST", f"namespaces/{espacio}/retention", siempre)
        return espacio

    def administrar(self, metodo: str, ruta: str, cuerpo: object = None) -> Any:
        """Una petición a su administración; devuelve su respuesta, o nada si no la tiene."""
        return administrar(self.admin, metodo, ruta, cuerpo, self._cabeceras)

    def _en_bucle(self) -> bool:
        with (self._carpeta / "salida.log").open("rb") as salida:
            salida.seek(self._desde)
            return salida.read().count(_SEÑAL_DEL_BUCLE) > _SEÑALES_DE_UN_ARRANQUE

    def _listo(self) -> bool:
        """Dice estarlo antes de que exista el espacio por omisión y de que haya dónde guardar un tópico."""
        if self._proceso.poll() is not None:
            pytest.fail(f"Apache Pulsar terminó: {self._final_de_la_salida()}")
        try:
            if "public/default" not in self.administrar("GET", "namespaces/public"):
                return False
            self.administrar("PUT", f"persistent/public/default/listo-{uuid4()}")
        except (urllib.error.URLError, OSError):
            return False
        return True

    def _sin_recuperar(self) -> list[str]:
        """Los tópicos del último espacio de nombres que todavía no se pueden usar."""
        if self._espacio is None:
            return []
        topicos: list[str] = self.administrar("GET", f"persistent/{self._espacio}")
        return [topico for topico in topicos if not self._recuperado(topico.replace("://", "/"))]

    def _recuperado(self, topico: str) -> bool:
        try:
            self.administrar("GET", f"{topico}/stats")
        except (urllib.error.URLError, OSError):
            return False
        return True

    def _final_de_la_salida(self) -> str:
        return (self._carpeta / "salida.log").read_text(encoding="utf-8", errors="replace")[-2000:]


class ApacheDePrueba:
    """Un Apache Pulsar compartido, en un espacio de nombres de una sola prueba; cumple `Broker`."""

    def __init__(self, servidor: ServidorApache) -> None:
        self._servidor = servidor
        self._pedido = False
        self.espacio = servidor.espacio_nuevo()

    @property
    def url(self) -> str:
        return self._servidor.url

    def arrancar(self) -> None:
        self._pedido = True
        self._servidor.arrancar_si_falta()

    def matar(self) -> None:
        self._servidor.matar()

    def cliente(self) -> ClientePulsar:
        if not self._pedido:
            # Quien todavía no lo ha arrancado cuenta con que no está.
            self.matar()
        return ClientePulsar(self.url, espacio=self.espacio, embebido=False)

    def leer(self, topico: str) -> list[Any]:
        return mensajes_de_apache(self.url, self.espacio, topico)


def mensajes_de_apache(url: str, espacio: str, topico: str) -> list[Any]:
    """Todo lo que guarda un tópico, del más antiguo al último."""
    cliente = pulsar.Client(url, logger=pulsar.FileLogger(pulsar.LoggerLevel.Error, "/dev/null"))
    try:
        lector = cliente.create_reader(f"persistent://{espacio}/{topico}", pulsar.MessageId.earliest)
        mensajes = []
        while lector.has_message_available():
            mensajes.append(lector.read_next(30_000))
        return mensajes
    finally:
        cliente.close()


@contextmanager
def servidor_apache(token: str | None = None, **ajustes: str) -> Generator[ServidorApache]:
    """Un Apache Pulsar que al salir no deja procesos ni archivos; si no se puede, salta la prueba."""
    falta = falta_apache()
    if falta is not None:
        pytest.skip(falta)
    carpeta = Path(tempfile.mkdtemp(prefix="alpes-pulsar-"))
    servidor = ServidorApache(carpeta, ajustes, token)
    try:
        yield servidor
    finally:
        servidor.matar()
        shutil.rmtree(carpeta)
