"""Un rival que publica en el broker embebido y responde: un proceso y los tópicos que llena.

Qué es: su proceso, en el núcleo de los servidores, y un broker como el nuestro. Lo que guarda se sabe leyendo
sus tópicos de principio a fin: cada mensaje es el JSON de un evento.
Por qué existe: el que escribe uno mismo y el que se configura se arrancan, se matan y se cuentan igual.
"""

import json
import os
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from signal import SIGKILL
from typing import Final

import psutil

from alpespartners.medicion.montaje import Montaje, Proceso, escucha, esperar_a, montaje, puerto_libre
from alpespartners.medicion.nucleos import en_el_de_los_servidores
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import ClientePulsar

_GRACIA: Final = 10.0
"""Segundos que se espera a lo que falte, antes de darlo por perdido."""
_QUIETUD: Final = 0.5
_DE_FONDO: Final = 0.02
"""Segundos de CPU que puede gastar en una quietud sin nada que hacer."""

Orden = Callable[[int, str], tuple[Sequence[str], Mapping[str, str]]]
"""De su puerto y la URL del broker, la orden que lo arranca y sus variables de entorno."""


class ConBroker:
    """Un rival en marcha con su broker.

    Args:
        servicio: el del broker.
        orden: con qué se arranca.
        topicos: donde publica.
    """

    def __init__(self, servicio: Montaje, orden: Orden, topicos: Sequence[str]) -> None:
        self._servicio = servicio
        self._orden = orden
        self._topicos = topicos
        self._proceso = self._arrancar()

    @property
    def puerto(self) -> int:
        """Donde atiende."""
        return self._proceso.puerto

    def cpu(self) -> float:
        """Segundos de CPU de su proceso."""
        return self._proceso.cpu

    def cpu_del_broker(self) -> float:
        """Segundos de CPU de su broker."""
        return self._servicio.cpu_del_broker()

    def terminar(self, _aceptados: int, /) -> None:
        """Vuelve cuando lleva un rato sin gastar: lo que tuviera en la memoria está ya en el broker."""
        gastado, desde = self.cpu(), time.monotonic()

        def quieto() -> bool:
            nonlocal gastado, desde
            ahora = self.cpu()
            if ahora - gastado > _DE_FONDO:
                gastado, desde = ahora, time.monotonic()
            return time.monotonic() - desde > _QUIETUD

        esperar_a(quieto, que="que el rival acabara")

    def matar(self) -> None:
        """Termina de golpe su proceso y el broker."""
        self._proceso.avisar(SIGKILL)
        matar_al_broker(self._servicio)

    def recuperar(self) -> None:
        """Lo arranca otra vez."""
        self._proceso.parar()
        self._proceso = self._arrancar()

    def guardados(self, esperados: "Counter[str]") -> "Counter[str]":
        """Los `id` que llevan los mensajes de sus tópicos."""
        return lo_que_llegue(self._ids, esperados)

    def parar(self) -> None:
        """Lo termina."""
        self._proceso.parar()

    def _ids(self) -> list[str]:
        cliente = ClientePulsar(self._servicio.url_del_broker(), embebido=True)
        try:
            return [ident for topico in self._topicos for ident in self._ids_de(cliente, topico)]
        finally:
            cliente.cerrar()

    @staticmethod
    def _ids_de(cliente: ClientePulsar, topico: str) -> list[str]:
        with closing(cliente.leer(topico)) as mensajes:
            return [json.loads(mensaje.carga or b"")["id"] for mensaje in mensajes]

    def _arrancar(self) -> Proceso:
        puerto = puerto_libre()
        orden, ajustes = self._orden(puerto, self._servicio.url_del_broker())
        with en_el_de_los_servidores(), self._servicio.datos.with_suffix(".log").open("ab") as registro:
            proceso = Proceso(
                subprocess.Popen(
                    orden,
                    env={**os.environ, **ajustes},
                    stdin=subprocess.DEVNULL,
                    stdout=registro,
                    stderr=registro,
                ),
                puerto,
            )

        def atiende() -> bool:
            proceso.exigir_vivo()
            return escucha(puerto)

        esperar_a(atiende)
        return proceso


@contextmanager
def con_broker(orden: Orden, *topicos: str) -> Iterator[ConBroker]:
    """Lo arranca con un broker vacío; al salir no queda nada."""
    with montaje() as servicio:
        rival = ConBroker(servicio, orden, topicos)
        try:
            yield rival
        finally:
            rival.parar()


def matar_al_broker(servicio: Montaje) -> None:
    """Lo termina de golpe y espera a que su guardián lo reponga."""
    muerto = servicio.broker()
    muerto.kill()

    def repuesto() -> bool:
        with suppress(psutil.NoSuchProcess):
            return servicio.broker().pid != muerto.pid and escucha(servicio.puerto_del_broker())
        return False

    esperar_a(repuesto)


def lo_que_llegue(leer: Callable[[], Iterable[str]], esperados: "Counter[str]") -> "Counter[str]":
    """Lee hasta que están los esperados, o hasta que pasa un tiempo, y devuelve lo que hay."""
    with suppress(TimeoutError):
        esperar_a(lambda: esperados <= Counter(leer()), _GRACIA)
    return Counter(leer())
