"""Recoger un lote: tomar los mensajes que ya estén, esperar el turno del lote, tomar los demás y abrirlos.

Qué es: qué mensajes van juntos y cuándo. Corre en un hilo del consumidor, mientras se asienta el anterior.
Por qué existe: una transacción cuesta lo que asentar treinta comandos, así que un lote que aún no está lleno
espera a que se asiente el anterior y se lleva lo que llegue entretanto. Hasta su turno no espera mensajes:
despertar con cada uno cuesta, y el lote no saldría antes.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from alpespartners.modulos.tracking.infraestructura.consumo.apertura import Apertura, Entrada
from alpespartners.modulos.tracking.infraestructura.consumo.en_espera import EnEspera, Espera
from alpespartners.modulos.tracking.infraestructura.consumo.en_mano import EnMano
from alpespartners.modulos.tracking.infraestructura.consumo.ritmo import Ritmo
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import MensajeRecibido, Suscripcion


class Recogido(NamedTuple):
    """Los mensajes de un lote y, salvo que haya que ir con cautela, lo que resultó al abrirlos."""

    mensajes: list[MensajeRecibido]
    lote: list[Entrada] | None


class Recogida:
    """Recoge los lotes de un tópico, de uno en uno.

    Args:
        apertura: abre los mensajes.
        en_mano: dice cuántos caben en un lote y si hay que ir con cautela.
        en_espera: los que se retuvieron y a veces hay que devolver.
        ritmo: lo que espera y lo que cabe.
    """

    def __init__(self, apertura: Apertura, en_mano: EnMano, en_espera: EnEspera, ritmo: Ritmo) -> None:
        self._apertura = apertura
        self._en_espera = en_espera
        self._en_mano = en_mano
        self._ritmo = ritmo
        self._asentado_el_anterior = threading.Event()
        self._asentado_el_anterior.set()
        self._ultimo_lote = 0.0

    @property
    def topico(self) -> str:
        """El de los mensajes que recoge."""
        return self._apertura.topico

    @property
    def espera(self) -> Espera | None:
        """Los comandos que esperan a una versión posterior, si hay alguno."""
        return self._en_espera.estado()

    def empezar(self) -> None:
        """La suscripción es nueva: lo que la anterior dejó sin confirmar vuelve a entregarse."""
        self._en_espera.olvidar()

    def recoger(self, suscripcion: Suscripcion) -> Recogido:
        """Devuelve el lote siguiente; si no hay ningún mensaje lo espera, y vacío si no llega. Bloquea.

        Con cautela no abre nada por adelantado: si el proceso muere, tiene que saberse por qué lote fue.

        Raises:
            FalloDelBroker: la suscripción ya no sirve, o el broker se calla parte de lo que guarda.
        """
        for retenido in self._en_espera.por_devolver():
            suscripcion.devolver(retenido)
        mensajes: list[MensajeRecibido] = []
        if self._tomar(suscripcion, mensajes, 0):
            self._esperar_el_turno()
            if not mensajes:
                primero = suscripcion.recibir(self._ritmo.espera_ms)
                if primero is None:
                    suscripcion.comprobar_que_no_falta_nada()
                    return Recogido([], [])
                mensajes.append(primero)
            self._tomar(suscripcion, mensajes, self._ritmo.espera_siguiente_ms)
        self._ultimo_lote = time.monotonic()
        return Recogido(mensajes, None if self._en_mano.con_cautela else self._apertura.abrir(mensajes))

    def abrir(self, mensajes: Sequence[MensajeRecibido]) -> list[Entrada]:
        """Abre los de un lote que se recogió con cautela."""
        return self._apertura.abrir(mensajes)

    @contextmanager
    def asentando_el_anterior(self) -> Iterator[None]:
        """Dentro del bloque, un lote que no está lleno espera."""
        self._asentado_el_anterior.clear()
        try:
            yield
        finally:
            self._asentado_el_anterior.set()

    def _tomar(self, suscripcion: Suscripcion, mensajes: list[MensajeRecibido], espera_ms: int) -> bool:
        """Añade los que ya estén, o no tarden más que eso tras el anterior, y dice si caben más."""
        octetos = sum(len(mensaje.carga or b"") for mensaje in mensajes)
        while len(mensajes) < self._en_mano.limite and octetos < self._ritmo.maximo_octetos:
            mensaje = suscripcion.recibir(espera_ms)
            if mensaje is None:
                return True
            mensajes.append(mensaje)
            octetos += len(mensaje.carga or b"")
        return False

    def _esperar_el_turno(self) -> None:
        self._asentado_el_anterior.wait()
        time.sleep(max(0.0, self._ultimo_lote + self._ritmo.entre_lotes - time.monotonic()))
