"""Un broker que la prueba arranca, mata y repone cuando quiere, y la lectura de sus tópicos.

El embebido no pasa por el guardián, que lo repondría: se prueba qué hacen los clientes mientras falta.
"""

import contextlib
import logging
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pulsar

from alpespartners.broker_embebido.binario import encontrar_binario
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import ClientePulsar
from tests.apoyo.espera import hasta
from tests.apoyo.puertos import reservar_puerto_del_broker


class Broker(Protocol):
    """Lo que las pruebas piden a cualquiera de los dos."""

    @property
    def url(self) -> str:
        """La de sus clientes."""

    @property
    def espacio(self) -> str:
        """Inquilino y espacio de nombres de los tópicos de la prueba."""

    def arrancar(self) -> None:
        """Vuelve cuando atiende."""

    def matar(self) -> None:
        """Lo mata con -9."""

    def cliente(self) -> ClientePulsar:
        """Un cliente nuevo, como el de un proceso del producto."""

    def leer(self, topico: str) -> list[Any]:
        """Todos los mensajes del tópico, desde el más antiguo, sin pasar por ninguna suscripción."""


class BrokerDePrueba:
    """Un broker embebido con su carpeta y su puerto, que no cambian desde que arranca por primera vez."""

    def __init__(self, carpeta: Path) -> None:
        self._carpeta = carpeta
        self._puerto = reservar_puerto_del_broker(carpeta)
        self._arranques = 0
        self._ha_escuchado = False
        self._proceso: subprocess.Popen[bytes] | None = None
        (carpeta / "pulsar-lite.toml").write_text("[metrics]\nenabled = false\n", encoding="ascii")

    espacio = "public/default"

    @property
    def url(self) -> str:
        return f"pulsar://127.0.0.1:{self._puerto}"

    def cliente(self) -> ClientePulsar:
        return ClientePulsar(self.url, embebido=True)

    def arrancar(self) -> None:
        while not self._escucha():
            # Otra prueba que corre a la vez le ganó el puerto. Al volver tiene que ser el mismo: insiste.
            if not self._ha_escuchado:
                self._puerto = reservar_puerto_del_broker(self._carpeta)
        self._ha_escuchado = True

    def _escucha(self) -> bool:
        """Arranca un proceso y dice si llegó a escuchar; si no, ya ha terminado."""
        self._arranques += 1
        registro = self._carpeta / f"registro-{self._arranques}"
        with registro.open("wb") as salida:
            proceso = self._proceso = subprocess.Popen(
                [
                    encontrar_binario(),
                    *("--config", "pulsar-lite.toml"),
                    *("--addr", f"127.0.0.1:{self._puerto}"),
                    *("--db-path", "mensajes"),
                ],
                cwd=self._carpeta,
                env={"RUST_LOG": "warn,pulsar_lite=info,pulsar_lite::broker=warn"},
                stdout=salida,
                stderr=salida,
            )
        hasta(lambda: b"Server listening" in registro.read_bytes() or proceso.poll() is not None)
        return proceso.poll() is None

    def matar(self) -> None:
        if self._proceso is not None:
            self._proceso.kill()
            self._proceso.wait()
            self._proceso = None

    def leer(self, topico: str) -> list[Any]:
        cliente = pulsar.Client(self.url, logger=logging.getLogger("pulsar"))
        try:
            lector = cliente.create_reader(f"public/default/{topico}", pulsar.MessageId.earliest)
            mensajes = []
            # El embebido responde con un error si se le pregunta por el final de un tópico vacío.
            with contextlib.suppress(pulsar.Timeout):
                while True:
                    mensajes.append(lector.read_next(300))
            return mensajes
        finally:
            cliente.close()


@contextmanager
def broker_de_prueba(carpeta: Path) -> Iterator[BrokerDePrueba]:
    """Un broker todavía sin arrancar; al salir está muerto."""
    broker = BrokerDePrueba(carpeta)
    try:
        yield broker
    finally:
        broker.matar()
