"""Los consumidores de los tópicos de comandos: el bucle que recibe un lote mientras asienta el anterior.

Qué es: de principio a fin, lo que pasa con un mensaje: suscribirse, recoger el lote siguiente
(`consumo/recogida.py`) mientras se asienta y confirma el actual (`consumo/asentador.py`), y parar en orden.
Qué no es: reglas (el manejador) ni SQL (el libro); tampoco publica (el relevo).
Por qué existe: en memoria no hay más que dos lotes por tópico, y lo que se recibió y no llegó a asentarse
vuelve a entregarse.
"""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog

from alpespartners.modulos.tracking.infraestructura.consumo.asentador import Asentador
from alpespartners.modulos.tracking.infraestructura.consumo.en_espera import Espera
from alpespartners.modulos.tracking.infraestructura.consumo.en_mano import EnMano
from alpespartners.modulos.tracking.infraestructura.consumo.recogida import Recogida, Recogido
from alpespartners.modulos.tracking.infraestructura.consumo.relevo import Relevo
from alpespartners.modulos.tracking.infraestructura.consumo.ritmo import Ritmo
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import (
    ClientePulsar,
    FalloDelBroker,
    MensajeRecibido,
    Suscripcion,
)
from alpespartners.seedwork.pausas import dormir

_registro: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)


class Consumidores:
    """Los consumidores de un proceso, uno por tópico, y el relevo que publica lo que dejan.

    Args:
        consumidores: los de cada tópico.
        relevo: se abre y se cierra con ellos.
        ritmo: lo que tienen para terminar cuando hay que parar.
    """

    def __init__(self, consumidores: Sequence["Consumidor"], relevo: Relevo, ritmo: Ritmo) -> None:
        self._consumidores = consumidores
        self._relevo = relevo
        self._ritmo = ritmo

    def suscripciones(self) -> dict[str, bool]:
        """Por tópico, si su suscripción tiene ahora conexión con el broker."""
        return {consumidor.topico: consumidor.conectado for consumidor in self._consumidores}

    def hay_base_datos(self) -> bool:
        """Dice si la base de datos respondió la última vez que cada uno la usó."""
        return self._relevo.hay_base_datos and all(c.hay_base_datos for c in self._consumidores)

    def en_espera(self) -> dict[str, Espera]:
        """Por tópico, los comandos que esperan a una versión posterior; solo los que tienen alguno."""
        return {c.topico: espera for c in self._consumidores if (espera := c.espera) is not None}

    async def trabajar(self, parar: asyncio.Event) -> None:
        """Vuelve cuando `parar` se activa y lo que había entre manos está asentado o devuelto al broker.

        Lo que un segundo después aún no está asentado vuelve al broker.

        Cierra primero a quien produce trabajo y después a quien lo publica. Si el broker falta, insiste.
        """
        await self._relevo.abrir()
        try:
            async with asyncio.TaskGroup() as grupo:
                trabajos = [grupo.create_task(c.trabajar(parar)) for c in self._consumidores]
                grupo.create_task(self._dejar_terminar(trabajos, parar))
        finally:
            await self._relevo.cerrar()

    async def _dejar_terminar(self, trabajos: Sequence[asyncio.Task[None]], parar: asyncio.Event) -> None:
        """Cuando hay que parar, cancela a quien tarda: una transacción puede estar esperando a la de otro."""
        await parar.wait()
        _, lentos = await asyncio.wait(trabajos, timeout=self._ritmo.para_asentar)
        for lento in lentos:
            lento.cancel()


class Consumidor:
    """El consumidor de un tópico.

    Args:
        cliente: el del proceso; lo cierra quien lo creó, después de que `trabajar` vuelva.
        recogida: reúne y abre los lotes.
        asentador: los asienta y los confirma.
        en_mano: el del proceso, que a veces obliga a ir de lote en lote.
        ritmo: lo que espera al broker.
    """

    def __init__(
        self,
        cliente: ClientePulsar,
        recogida: Recogida,
        asentador: Asentador,
        en_mano: EnMano,
        ritmo: Ritmo,
    ) -> None:
        self._cliente = cliente
        self._recogida = recogida
        self._asentador = asentador
        self._en_mano = en_mano
        self._ritmo = ritmo
        self._suscripcion: Suscripcion | None = None

    @property
    def topico(self) -> str:
        """El tópico que consume."""
        return self._recogida.topico

    @property
    def conectado(self) -> bool:
        """Dice si su suscripción tiene ahora conexión con el broker."""
        return self._suscripcion is not None and self._suscripcion.conectada

    @property
    def hay_base_datos(self) -> bool:
        """Dice si la base de datos respondió la última vez que la usó."""
        return self._asentador.hay_base_datos

    @property
    def espera(self) -> Espera | None:
        """Los comandos que esperan a una versión posterior, si hay alguno."""
        return self._recogida.espera

    async def trabajar(self, parar: asyncio.Event) -> None:
        """Vuelve cuando `parar` se activa; lo que recibió y no llegó a asentar vuelve a entregarse."""
        # Hilos que duran lo que el consumidor: cancelar una recepción perdería lo que estuviera recibiendo.
        # Uno recibe y otro cierra.
        hilos = ThreadPoolExecutor(2, f"consumidor-{self.topico}")
        try:
            await self._suscribirse_y_consumir(hilos, parar)
        finally:
            # Sin esperar: si aún se conecta, acaba cuando se cierra el cliente.
            hilos.shutdown(wait=False)

    async def _suscribirse_y_consumir(self, hilos: ThreadPoolExecutor, parar: asyncio.Event) -> None:
        bucle = asyncio.get_running_loop()
        pausa = self._ritmo.pausas.minima
        while not parar.is_set():
            conexion = bucle.run_in_executor(hilos, self._cliente.suscribir, self.topico)
            if not await _antes_de_parar(conexion, parar):
                conexion.cancel()
                break
            try:
                self._suscripcion = conexion.result()
                pausa = self._ritmo.pausas.minima
                await self._consumir(self._suscripcion, hilos, parar)
            except FalloDelBroker as fallo:
                _registro.warning("falta la suscripción", topico=self.topico, fallo=str(fallo))
                await dormir(pausa, parar)
                pausa = self._ritmo.pausas.siguiente(pausa)
            finally:
                self._suscripcion = None

    async def _consumir(
        self, suscripcion: Suscripcion, hilos: ThreadPoolExecutor, parar: asyncio.Event
    ) -> None:
        """Recoge el lote siguiente mientras se asienta el actual; en memoria no hay más que esos dos.

        Raises:
            FalloDelBroker: la suscripción ya no sirve.
        """

        def recoger() -> asyncio.Future[Recogido]:
            return asyncio.get_running_loop().run_in_executor(hilos, self._recogida.recoger, suscripcion)

        conectada_en = time.monotonic()
        self._recogida.empezar()
        siguiente = recoger()
        try:
            while await _antes_de_parar(siguiente, parar):
                mensajes, lote = siguiente.result()
                if suscripcion.conectada:
                    conectada_en = time.monotonic()
                elif not mensajes and time.monotonic() - conectada_en > self._ritmo.desconexion_tolerada:
                    # El cliente espacia sus reintentos hasta un minuto; uno nuevo empieza sin espera.
                    return
                if lote is None:
                    await self._con_cautela(mensajes, suscripcion, hilos, parar)
                    siguiente = recoger()
                else:
                    with self._recogida.asentando_el_anterior():
                        siguiente = recoger()
                        await self._asentador.asentar(lote, suscripcion, parar)
        finally:
            await self._despedirse(suscripcion, siguiente, hilos, parar)

    async def _con_cautela(
        self,
        mensajes: Sequence[MensajeRecibido],
        suscripcion: Suscripcion,
        hilos: ThreadPoolExecutor,
        parar: asyncio.Event,
    ) -> None:
        """Abre y asienta el lote sin que nadie más trabaje en el proceso: si muere, se sabrá por cuál fue."""
        async with self._en_mano.turno:
            lote = await asyncio.get_running_loop().run_in_executor(hilos, self._recogida.abrir, mensajes)
            await self._asentador.asentar(lote, suscripcion, parar)

    async def _despedirse(
        self,
        suscripcion: Suscripcion,
        recepcion: asyncio.Future[Recogido],
        hilos: ThreadPoolExecutor,
        parar: asyncio.Event,
    ) -> None:
        # Cerrar despierta a quien esté recibiendo, y lo que no se confirmó vuelve al broker.
        cierre = asyncio.get_running_loop().run_in_executor(hilos, suscripcion.cerrar)
        for futuro in (cierre, recepcion):
            futuro.add_done_callback(_dar_por_visto)
        despedida = asyncio.create_task(asyncio.wait((cierre, recepcion)))
        if not await _antes_de_parar(despedida, parar):
            # Si el broker no responde, la termina el cierre del cliente.
            await asyncio.wait((despedida,), timeout=self._ritmo.para_cerrar)


async def _antes_de_parar(futuro: asyncio.Future[Any], parar: asyncio.Event) -> bool:
    """Espera al futuro o a que haya que parar, y dice si no hay que parar; no cancela el futuro."""
    parada = asyncio.create_task(parar.wait())
    await asyncio.wait((futuro, parada), return_when=asyncio.FIRST_COMPLETED)
    parada.cancel()
    return not parar.is_set()


def _dar_por_visto(futuro: asyncio.Future[Any]) -> None:
    """Al cerrar, un fallo de la suscripción ya no cambia nada."""
    if not futuro.cancelled():
        futuro.exception()
