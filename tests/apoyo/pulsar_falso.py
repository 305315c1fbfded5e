"""Un Pulsar sin red cuyo comportamiento decide la prueba: qué se confirma, qué falla y cuándo."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from alpespartners.modulos.tracking.aplicacion.comandos import Comando
from alpespartners.modulos.tracking.aplicacion.mensajes import Sobre
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import sobre_de_comando
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import (
    ClientePulsar,
    FalloDelBroker,
    MensajeRecibido,
    Productor,
    Suscripcion,
)
from tests.apoyo.eventos import AHORA

Aviso = Callable[[bool], None]


class ProductorFalso(Productor):
    """Guarda lo que le envían hasta que la prueba lo confirma, desde otro hilo como el cliente de verdad."""

    def __init__(self, *, confirma_solo: bool = False) -> None:
        self.enviados: list[tuple[Sobre, Aviso]] = []
        self.esta_conectado = True
        self.consultas = 0
        self.solos = 0
        self.cerrado = False
        self._confirma_solo = confirma_solo

    def enviar(self, sobre: Sobre, al_saber: Aviso, *, solo: bool = False) -> None:
        self.solos += solo
        self.enviados.append((sobre, al_saber))
        if self._confirma_solo:
            self.responder(confirmado=True)

    def responder(self, *, confirmado: bool, cuantos: int | None = None) -> None:
        """Responde a los primeros envíos, en una sola ráfaga."""
        rafaga, self.enviados = self.enviados[:cuantos], self.enviados[len(self.enviados[:cuantos]) :]
        hilo = threading.Thread(target=lambda: [al_saber(confirmado) for _, al_saber in rafaga])
        hilo.start()
        hilo.join()

    @property
    def conectado(self) -> bool:
        self.consultas += 1
        return self.esta_conectado

    def vaciar(self) -> None:
        """Como el de verdad: no vuelve mientras haya algo sin respuesta."""
        while self.enviados and not self.cerrado:
            time.sleep(0.01)

    def cerrar(self) -> None:
        self.cerrado = True
        self.responder(confirmado=False)


class SuscripcionFalsa(Suscripcion):
    """Entrega los mensajes que la prueba ponga y recuerda qué se confirmó y qué se devolvió."""

    def __init__(self) -> None:
        self.mensajes: deque[MensajeRecibido] = deque()
        self.confirmados: list[str] = []
        self.devueltos: list[str] = []
        self.rota = False
        self.esta_conectada = True
        self.no_confirma = False
        self.cerrada = threading.Event()

    def recibir(self, espera_ms: int) -> MensajeRecibido | None:
        plazo = time.monotonic() + espera_ms / 1000
        while not self.mensajes:
            if self.rota or self.cerrada.is_set():
                raise FalloDelBroker
            if time.monotonic() >= plazo:
                return None
            time.sleep(0.002)
        return self.mensajes.popleft()

    def comprobar_que_no_falta_nada(self) -> None:
        """Lo que calla, calla: una prueba pone lo que ha de llegar."""

    def confirmar(self, mensajes: Sequence[MensajeRecibido]) -> None:
        if self.no_confirma:
            raise FalloDelBroker
        self.confirmados += [mensaje.posicion for mensaje in mensajes]

    def devolver(self, mensaje: MensajeRecibido) -> None:
        self.devueltos.append(mensaje.posicion)

    @property
    def conectada(self) -> bool:
        return self.esta_conectada and not self.rota

    def cerrar(self) -> None:
        self.cerrada.set()


@dataclass
class ClienteFalso(ClientePulsar):
    """Da los productores y suscripciones que la prueba preparó."""

    suscripciones: deque[SuscripcionFalsa] = field(default_factory=deque)
    productores: dict[str, ProductorFalso] = field(default_factory=dict)
    fallos: int = 0
    pedidos: list[str] = field(default_factory=list)
    confirma_solo: bool = False
    hay_sitio: Callable[[], bool] = lambda: True

    def suscribir(self, topico: str) -> Suscripcion:
        self.pedidos.append(f"suscribir {topico}")
        self._fallar()
        return self.suscripciones.popleft()

    def asegurar_suscripcion(self, topico: str, suscripcion: str) -> None:
        self.pedidos.append(f"asegurar {topico} {suscripcion}")

    def productor(self, topico: str, **_ajustes: Any) -> Productor:
        self.pedidos.append(f"productor {topico}")
        self._fallar()
        self.productores[topico] = ProductorFalso(confirma_solo=self.confirma_solo)
        return self.productores[topico]

    def _fallar(self) -> None:
        if self.fallos:
            self.fallos -= 1
            raise FalloDelBroker


def mensaje(comando: Comando, posicion: str) -> MensajeRecibido:
    """El mensaje de ese comando tal como llegaría."""
    sobre = sobre_de_comando(comando, f"c-{posicion}", None)
    return MensajeRecibido(
        numero=posicion,
        posicion=posicion,
        carga=sobre.carga,
        propiedades=dict(sobre.propiedades),
        clave=sobre.clave,
        publicado_en=AHORA,
    )
