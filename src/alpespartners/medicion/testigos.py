"""Los testigos de un evento: cuándo se aceptó, cuándo lo leyó un GET y cuándo llegó publicado.

Qué es: la hora de cada cosa, toda de un mismo reloj: quien carga anota cada 202, un hilo busca por HTTP, de
uno en uno, los que se acaban de aceptar, y otros leen los tópicos de eventos.
Qué no es: una carga, ni un juicio.
Por qué existe: la demora entre dos procesos solo se mide bien si los dos instantes los ve un tercero.
"""

import http.client
import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from http import HTTPStatus
from typing import Final

import pulsar

from alpespartners.modulos.tracking.aplicacion.clases import CLASES

_RUTA: Final = re.compile(rb"\r\nlocation: (\S+)", re.IGNORECASE)
_CADA: Final = 0.002
_DESCANSO: Final = 0.05
_ESPERA_MS: Final = 100


class Testigos:
    """Lo visto hasta ahora."""

    def __init__(self) -> None:
        self._aceptados: dict[str, float] = {}
        self._publicados: dict[str, float] = {}
        self._leidos: dict[str, float] = {}
        self._ultimo = ""

    def aceptado(self, respuesta: bytes, ahora: float) -> None:
        """Anota un 202; sirve de `AlResponder`.

        Raises:
            ValueError: la respuesta no dice dónde se podrá leer.
        """
        hallada = _RUTA.search(respuesta)
        if hallada is None:
            raise ValueError("la respuesta no trae Location")
        ruta = hallada[1].decode()
        self._aceptados[ruta] = ahora
        self._ultimo = ruta

    @property
    def lecturas(self) -> list[float]:
        """Segundos del 202 al primer GET que dio 200, de los que se buscaron."""
        return [hora - self._aceptados[ruta] for ruta, hora in self._leidos.items()]

    @property
    def publicaciones(self) -> list[float]:
        """Segundos del 202 a la llegada de su evento; ninguno, si llegó antes el evento."""
        return [max(0.0, self._publicados[_id(ruta)] - hora) for ruta, hora in self._aceptados.items()]

    def estan_todos(self) -> bool:
        """Dice si llegó el evento de cada uno de los aceptados."""
        return all(_id(ruta) in self._publicados for ruta in self._aceptados)

    def buscar(self, puerto: int, parar: threading.Event) -> None:
        """Pide el último aceptado hasta que da 200, descansa y vuelve a empezar."""
        with closing(http.client.HTTPConnection("127.0.0.1", puerto)) as conexion:
            while not parar.wait(random.uniform(0, _DESCANSO)):  # noqa: S311 (no es un secreto)
                ruta = self._ultimo
                if ruta and ruta not in self._leidos and _encontrado(conexion, ruta, parar):
                    self._leidos[ruta] = time.perf_counter()

    def leer(self, lector: pulsar.Reader, parar: threading.Event) -> None:
        """Anota la llegada de cada evento de un tópico."""
        while not parar.is_set():
            try:
                mensaje = lector.read_next(_ESPERA_MS)
            except pulsar.Timeout:
                continue
            self._publicados.setdefault(mensaje.properties()["ce_subject"], time.perf_counter())


@contextmanager
def mirando(testigos: Testigos, puerto: int, pulsar_url: str) -> Iterator[None]:
    """Busca y lee en hilos aparte mientras dura el bloque; de los tópicos, lo que llegue desde ahora."""
    parar = threading.Event()
    registro = pulsar.FileLogger(pulsar.LoggerLevel.Error, "/dev/null")
    with ExitStack() as pila:
        cliente = pila.enter_context(closing(pulsar.Client(pulsar_url, logger=registro)))
        lectores = [
            cliente.create_reader(
                f"persistent://public/default/{clase.topico_de_eventos}", pulsar.MessageId.latest
            )
            for clase in CLASES
        ]
        pila.enter_context(_hilo(testigos.buscar, puerto, parar))
        for lector in lectores:
            pila.enter_context(_hilo(testigos.leer, lector, parar))
        pila.callback(parar.set)
        yield


@contextmanager
def _hilo(trabajo: Callable[..., None], *argumentos: object) -> Iterator[None]:
    hilo = threading.Thread(target=trabajo, args=argumentos)
    hilo.start()
    try:
        yield
    finally:
        hilo.join()


def _encontrado(conexion: http.client.HTTPConnection, ruta: str, parar: threading.Event) -> bool:
    while not parar.wait(_CADA):
        conexion.request("GET", ruta)
        respuesta = conexion.getresponse()
        respuesta.read()
        if respuesta.status == HTTPStatus.OK:
            return True
    return False


def _id(ruta: str) -> str:
    return ruta.rpartition("/")[2]
