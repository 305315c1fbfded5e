"""Un publicador ajeno: otro servicio que publica comandos en el broker, sin pasar por la API.

Qué es: un hilo que publica mensajes ilegibles y ventas sin importe e insiste, con el mismo `ce_id`, hasta que
el broker los confirma.
Qué no es: una lista de todo lo que puede llegar mal; eso se prueba mensaje a mensaje en otro sitio.
Por qué existe: los ilegibles y los rechazados también tienen que llegar a su destino, una vez, mientras todo
muere alrededor.
"""

import threading
import uuid
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any, Final

import pulsar

from alpespartners.modulos.tracking.aplicacion.mensajes import Sobre
from alpespartners.modulos.tracking.aplicacion.topicos import (
    COMANDO_REGISTRAR_CONVERSION,
    COMANDO_REGISTRAR_IMPRESION,
)
from alpespartners.modulos.tracking.dominio.destinos import Ilegible, Rechazada
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import sobre_de_comando
from tests.apoyo.eventos import CONVERSION

_DESCANSO: Final = 0.2
_LIMITE_MS: Final = 3_000


class Ajeno:
    """El hilo que publica.

    Args:
        url: la del broker.
        espacio: inquilino y espacio de nombres de los tópicos.
        semilla: de la que sale lo que publica.

    Attributes:
        publicados: por tópico e identidad, el estado en que debe acabar lo que el broker confirmó.
    """

    def __init__(self, url: str, espacio: str, semilla: int) -> None:
        self._url = url
        self._espacio = espacio
        self._azar = Random(f"{semilla}-ajeno")  # noqa: S311 (se repite con la semilla)
        self._parar = threading.Event()
        self._hilo = threading.Thread(target=self._publicar_sin_parar)
        self.publicados: dict[tuple[str, str], str] = {}

    def empezar(self) -> None:
        """Arranca el hilo."""
        self._hilo.start()

    def terminar(self) -> None:
        """Vuelve cuando el broker ha confirmado lo último."""
        self._parar.set()
        self._hilo.join()

    def _publicar_sin_parar(self) -> None:
        cliente = pulsar.Client(self._url, logger=pulsar.FileLogger(pulsar.LoggerLevel.Error, "/dev/null"))
        try:
            while not self._parar.wait(self._azar.uniform(0, _DESCANSO)):
                sobre, estado = self._siguiente()
                self._insistir(cliente, sobre)
                self.publicados[sobre.topico, sobre.propiedades["ce_id"]] = estado
        finally:
            cliente.close()

    def _siguiente(self) -> tuple[Sobre, str]:
        identidad = str(uuid.UUID(int=self._azar.getrandbits(128)))
        if self._azar.random() < 0.5:
            topico = self._azar.choice((COMANDO_REGISTRAR_IMPRESION, COMANDO_REGISTRAR_CONVERSION))
            return Sobre(
                topico, "clave-ajena", {"ce_id": identidad}, self._azar.randbytes(40)
            ), Ilegible.estado
        venta = replace(CONVERSION, id=f"ajena-{identidad}", valor=None, moneda=None)
        return sobre_de_comando(venta, identidad, None), Rechazada.estado

    def _insistir(self, cliente: Any, sobre: Sobre) -> None:
        while not _hecho(lambda: self._publicar(cliente, sobre)):
            self._parar.wait(0.1)

    def _publicar(self, cliente: Any, sobre: Sobre) -> None:
        productor = cliente.create_producer(
            f"persistent://{self._espacio}/{sobre.topico}", send_timeout_millis=_LIMITE_MS
        )
        try:
            productor.send(sobre.carga, properties=dict(sobre.propiedades), partition_key=sobre.clave)
        finally:
            productor.close()


def _hecho(intento: Callable[[], None]) -> bool:
    try:
        intento()
    except pulsar.PulsarException:
        return False
    return True
