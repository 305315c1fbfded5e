"""Un clúster de Apache Pulsar en esta máquina: un ZooKeeper, tres almacenes (bookies) y dos brokers.

Los mismos jars que `pulsar_apache.py`, cada pieza en su proceso, y cada una se puede matar y reponer.
"""

import socket
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from typing import Final

import pytest

from tests.apoyo.espera import hasta
from tests.apoyo.puertos import puerto_libre
from tests.apoyo.pulsar_apache import administrar, falta_apache, jars, orden_de_java

BOOKIES: Final = ("bookie-1", "bookie-2", "bookie-3")
BROKERS: Final = ("broker-1", "broker-2")

_LIMITE: Final = 120.0
_POR_BOOKKEEPER: Final = (
    "-Dbookkeeper.metadata.bookie.drivers=org.apache.pulsar.metadata.bookkeeper.PulsarMetadataBookieDriver",
    "-Dbookkeeper.metadata.client.drivers=org.apache.pulsar.metadata.bookkeeper.PulsarMetadataClientDriver",
    "-Dzookeeper.4lw.commands.whitelist=ruok",
)


class ClusterApache:
    """Las piezas de un clúster en una carpeta."""

    def __init__(self, carpeta: Path) -> None:
        self._carpeta = carpeta
        self._jars = jars()
        self._zookeeper = puerto_libre()
        self._puertos = {pieza: puerto_libre() for pieza in (*BOOKIES, *BROKERS)}
        self._web = {broker: puerto_libre() for broker in BROKERS}
        self._procesos: dict[str, subprocess.Popen[bytes]] = {}

    def arrancar(self) -> None:
        """Lo arranca todo y vuelve cuando los dos brokers atienden."""
        self._arrancar_zookeeper()
        self._preparar()
        for pieza in (*BOOKIES, *BROKERS):
            self._lanzar(pieza)
        for pieza in (*BOOKIES, *BROKERS):
            self._esperar(pieza)

    @property
    def url(self) -> str:
        """La de sus clientes: los dos brokers."""
        return "pulsar://" + ",".join(f"127.0.0.1:{self._puertos[broker]}" for broker in BROKERS)

    def admin(self, broker: str) -> str:
        """La de la administración de un broker."""
        return f"http://127.0.0.1:{self._web[broker]}"

    def espacio_nuevo(self) -> str:
        """Un espacio de nombres que lo guarda todo."""
        admin = self.admin(BROKERS[0])
        administrar(admin, "PUT", "namespaces/public/prueba", {})
        siempre = {"retentionTimeInMinutes": -1, "retentionSizeInMB": -1}
        administrar(admin, "POST", "namespaces/public/prueba/retention", siempre)
        return "public/prueba"

    def broker_de(self, espacio: str, topico: str) -> str:
        """Qué broker atiende ahora ese tópico."""
        vivo = next(broker for broker in BROKERS if self._procesos[broker].poll() is None)
        ruta = f"{self.admin(vivo)}/lookup/v2/topic/persistent/{espacio}/{topico}"
        with urllib.request.urlopen(ruta, timeout=30) as respuesta:  # noqa: S310 (la dirección es de la prueba)
            contenido = respuesta.read().decode()
        return next(broker for broker in BROKERS if f":{self._puertos[broker]}" in contenido)

    def matar(self, pieza: str) -> None:
        """Mata una pieza con -9."""
        self._procesos[pieza].kill()
        self._procesos[pieza].wait()

    def reponer(self, pieza: str) -> None:
        """Vuelve a arrancar una pieza muerta."""
        self._lanzar(pieza)
        self._esperar(pieza)

    def cerrar(self) -> None:
        """Mata todo lo que siga vivo."""
        for pieza in self._procesos:
            self.matar(pieza)

    def _arrancar_zookeeper(self) -> None:
        ajustes = {
            "tickTime": "2000",
            "dataDir": str(self._carpeta / "zookeeper"),
            "clientPort": str(self._zookeeper),
            "clientPortAddress": "127.0.0.1",
            "admin.enableServer": "false",
        }
        archivo = self._escribir("zookeeper", ajustes)
        self._java("zookeeper", "org.apache.zookeeper.server.quorum.QuorumPeerMain", str(archivo))
        hasta(lambda: self._escucha("zookeeper", self._zookeeper), _LIMITE, 0.2)

    def _preparar(self) -> None:
        """Deja escritos en ZooKeeper el clúster, el inquilino y el espacio de nombres de costumbre."""
        webs = ",".join(f"127.0.0.1:{puerto}" for puerto in self._web.values())
        almacen = f"zk:127.0.0.1:{self._zookeeper}"
        subprocess.run(
            [
                *orden_de_java(self._jars, "192m", *_POR_BOOKKEEPER),
                *("org.apache.pulsar.PulsarClusterMetadataSetup", "--cluster", "alpes"),
                *("--metadata-store", almacen, "--configuration-metadata-store", almacen),
                *("--web-service-url", f"http://{webs}", "--broker-service-url", self.url),
            ],
            check=True,
            capture_output=True,
            cwd=self._carpeta,
        )

    def _lanzar(self, pieza: str) -> None:
        if pieza in BOOKIES:
            carpeta = self._carpeta / pieza
            ajustes = {
                "bookiePort": str(self._puertos[pieza]),
                "bookieId": pieza,
                "advertisedAddress": "127.0.0.1",
                "listeningInterface": "lo",
                "allowLoopback": "true",
                "metadataServiceUri": f"metadata-store:zk:127.0.0.1:{self._zookeeper}",
                "journalDirectories": str(carpeta / "diario"),
                "ledgerDirectories": str(carpeta / "libros"),
                "indexDirectories": str(carpeta / "indices"),
                "ledgerStorageClass": "org.apache.bookkeeper.bookie.storage.ldb.DbLedgerStorage",
                "dbStorage_writeCacheMaxSizeMb": "32",
                "dbStorage_readAheadCacheMaxSizeMb": "16",
                "dbStorage_rocksDB_blockCacheSize": "8388608",
                "nettyMaxFrameSizeBytes": "5253120",
                "httpServerEnabled": "false",
                "diskUsageThreshold": "0.99",
                "minUsableSizeForEntryLogCreation": "1048576",
                "minUsableSizeForIndexFileCreation": "1048576",
                "journalMaxSizeMB": "128",
                "logSizeLimit": "134217728",
                "zkTimeout": "10000",
            }
            clase, opcion = "org.apache.bookkeeper.server.Main", "--conf"
        else:
            ajustes = {
                "clusterName": "alpes",
                "metadataStoreUrl": f"zk:127.0.0.1:{self._zookeeper}",
                "configurationMetadataStoreUrl": f"zk:127.0.0.1:{self._zookeeper}",
                "bindAddress": "127.0.0.1",
                "advertisedAddress": "127.0.0.1",
                "brokerServicePort": str(self._puertos[pieza]),
                "webServicePort": str(self._web[pieza]),
                # Con tres almacenes, dos copias: así sigue escribiendo cuando uno muere.
                "managedLedgerDefaultEnsembleSize": "2",
                "managedLedgerDefaultWriteQuorum": "2",
                "managedLedgerDefaultAckQuorum": "2",
                "bookkeeper_opportunisticStriping": "true",
                "bookkeeper_delayEnsembleChange": "true",
                "metadataStoreSessionTimeoutMillis": "10000",
                "zooKeeperSessionTimeoutMillis": "10000",
                "acknowledgmentAtBatchIndexLevelEnabled": "true",
                "allowAutoTopicCreationType": "non-partitioned",
                "transactionCoordinatorEnabled": "false",
                "functionsWorkerEnabled": "false",
                "nettyMaxFrameSizeBytes": "5253120",
                "numIOThreads": "4",
                "numHttpServerThreads": "8",
                "managedLedgerCacheSizeMB": "64",
            }
            clase, opcion = "org.apache.pulsar.PulsarBrokerStarter", "--broker-conf"
        self._java(pieza, clase, opcion, str(self._escribir(pieza, ajustes)))

    def _esperar(self, pieza: str) -> None:
        if pieza in BOOKIES:
            hasta(lambda: self._escucha(pieza, self._puertos[pieza]), _LIMITE, 0.2)
        else:
            hasta(lambda: self._broker_listo(pieza), _LIMITE, 0.2)

    def _escribir(self, pieza: str, ajustes: Mapping[str, str]) -> Path:
        archivo = self._carpeta / f"{pieza}.conf"
        archivo.write_text("".join(f"{n}={v}\n" for n, v in ajustes.items()), encoding="utf-8")
        return archivo

    def _java(self, pieza: str, *argumentos: str) -> None:
        with (self._carpeta / f"{pieza}.log").open("ab") as salida:
            self._procesos[pieza] = subprocess.Popen(
                [*orden_de_java(self._jars, "384m", *_POR_BOOKKEEPER), *argumentos],
                cwd=self._carpeta,
                stdin=subprocess.DEVNULL,
                stdout=salida,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _escucha(self, pieza: str, puerto: int) -> bool:
        self._vivo(pieza)
        try:
            socket.create_connection(("127.0.0.1", puerto), 1).close()
        except OSError:
            return False
        return True

    def _broker_listo(self, pieza: str) -> bool:
        self._vivo(pieza)
        try:
            administrar(self.admin(pieza), "GET", "brokers/health")
        except (urllib.error.URLError, OSError, ValueError):
            return False
        return True

    def _vivo(self, pieza: str) -> None:
        if self._procesos[pieza].poll() is not None:
            pytest.fail(f"{pieza} terminó: {(self._carpeta / f'{pieza}.log').read_text()[-2000:]}")


@contextmanager
def cluster_apache() -> Generator[ClusterApache]:
    """Un clúster que al salir no deja procesos ni archivos; si no se puede, salta la prueba."""
    falta = falta_apache()
    if falta is not None:
        pytest.skip(falta)
    carpeta = Path(tempfile.mkdtemp(prefix="alpes-cluster-"))
    cluster = ClusterApache(carpeta)
    try:
        cluster.arrancar()
        yield cluster
    finally:
        cluster.cerrar()
        rmtree(carpeta)
