"""Asentar un lote y confirmarlo: en qué acaba cada mensaje, falle la base de datos o estorbe uno de ellos.

Qué es: el único lugar donde el destino de un comando se vuelve confirmación. Decide qué hacer con cada tanda,
lo que va en una transacción: el lote entero o, si falla, lo que quede al partirlo. Tras su commit, y con sus
envíos ya en manos del relevo, se confirma cada mensaje, uno por uno.
Qué no es: la transacción (`escritor.py`) ni las reglas (el manejador).
Por qué existe: si la base de datos falla no se confirma nada y la tanda se repite. Si falla por culpa de un
mensaje, se aparta a ese, que también acaba en un destino, y los demás siguen.

    qué ocurre con un mensaje solo          en qué acaba
    la base de datos no responde            en nada: se repite cuando vuelve
    la base de datos está ocupada           vuelve al broker; no cuenta como fallo suyo
    la base de datos no admite sus datos    RECHAZADA
    el programa falla al asentarlo          vuelve al broker; a la quinta, ILEGIBLE y a las cartas muertas
    el proceso muere tres veces con él      ILEGIBLE y a las cartas muertas, sin abrirlo (`en_mano.py`)
    lo escribió una versión posterior       no llega aquí: espera sin confirmar (`en_espera.py`)
"""

import asyncio
from collections import deque
from collections.abc import Sequence

import structlog

from alpespartners.modulos.tracking.aplicacion.mensajes import MensajeIlegible
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible, BaseDatosOcupada
from alpespartners.modulos.tracking.infraestructura.consumo.apartados import Apartados
from alpespartners.modulos.tracking.infraestructura.consumo.apertura import Apertura, Entrada
from alpespartners.modulos.tracking.infraestructura.consumo.bitacora import Bitacora
from alpespartners.modulos.tracking.infraestructura.consumo.escritor import Escritor
from alpespartners.modulos.tracking.infraestructura.consumo.ritmo import Ritmo
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import FalloDelBroker, Suscripcion
from alpespartners.modulos.tracking.infraestructura.repositorios import DatosRechazados
from alpespartners.seedwork.pausas import dormir

_registro: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)


class Asentador:
    """Asienta los lotes de un tópico y confirma lo asentado.

    Args:
        escritor: hace la transacción de una tanda.
        apertura: da por ilegible lo que el programa no sabe asentar.
        bitacora: donde se cuenta.
        ritmo: cuánto insiste y cuánto aparta.
    """

    def __init__(self, escritor: Escritor, apertura: Apertura, bitacora: Bitacora, ritmo: Ritmo) -> None:
        self._escritor = escritor
        self._apertura = apertura
        self._bitacora = bitacora
        self._ritmo = ritmo
        self._apartados = Apartados(ritmo)
        self._pausa_si_ocupada = ritmo.pausas.minima

    @property
    def hay_base_datos(self) -> bool:
        """Dice si la base de datos respondió la última vez que la usó."""
        return self._bitacora.hay_base_datos

    async def asentar(self, lote: Sequence[Entrada], suscripcion: Suscripcion, parar: asyncio.Event) -> None:
        """Vuelve cuando cada mensaje del lote está asentado y confirmado, o devuelto; o cuando hay que parar.

        Si la base de datos no responde, repite la tanda. Si está ocupada, o falla de otro modo, la parte en
        dos, hasta dar con el mensaje que lo causa; partir no espera, porque los vecinos no tienen la culpa.
        """
        listas, aun_no = self._apartados.separar(lote)
        for entrada in aun_no:
            suscripcion.devolver(entrada.mensaje)
        tandas = deque(listas)
        retenidos: list[str] = []
        pausa = self._ritmo.pausas.minima
        while tandas and not parar.is_set():
            tanda = tandas.popleft()
            try:
                escrita = await self._escritor.escribir(tanda)
            except BaseDatosOcupada as ocupada:
                if len(tanda) == 1:
                    retenidos.append(str(ocupada))
                tandas.extendleft(self._tras_un_fallo(tanda, ocupada, suscripcion))
            except BaseDatosNoDisponible as fallo:
                self._bitacora.base_datos_muda(len(tanda), pausa, str(fallo))
                # Lo que no admitía quizá lo admita la que vuelva: pudo ser el esquema de otra versión.
                tandas.appendleft([entrada._replace(rechazada=False) for entrada in tanda])
                await dormir(pausa, parar)
                pausa = self._ritmo.pausas.siguiente(pausa)
            except Exception as error:  # noqa: BLE001 (queda en el registro, y el bucle debe sobrevivir a un mal mensaje)
                tandas.extendleft(self._tras_un_fallo(tanda, error, suscripcion))
            else:
                pausa = self._pausa_si_ocupada = self._ritmo.pausas.minima
                self._apartados.olvidar(tanda)
                self._escritor.tras_el_commit(tanda, escrita)
                self._confirmar(tanda, suscripcion)
                self._bitacora.asentada(tanda, escrita)
        if retenidos:
            await self._tras_hallarla_ocupada(retenidos, len(lote), parar)

    def _tras_un_fallo(
        self, tanda: list[Entrada], error: Exception, suscripcion: Suscripcion
    ) -> Sequence[list[Entrada]]:
        """Decide qué se asienta ahora, en orden inverso: las mitades, o lo que quede por hacer con uno."""
        if len(tanda) > 1:
            mitad = len(tanda) // 2
            return tanda[mitad:], tanda[:mitad]
        (entrada,) = tanda
        if isinstance(error, BaseDatosOcupada):
            self._apartados.por_esperar_a_otro(entrada)
        elif (otra := self._tras_su_fallo(entrada, error)) is not None:
            return [[otra]]
        suscripcion.devolver(entrada.mensaje)
        return []

    def _tras_su_fallo(self, entrada: Entrada, error: Exception) -> Entrada | None:
        """Qué asentar ahora en lugar del mensaje que, él solo, hizo fallar su transacción, si es que algo."""
        if isinstance(error, DatosRechazados) and not entrada.rechazada:
            _registro.warning(
                "la base de datos no admite un comando",
                topico=self._bitacora.topico,
                error=str(error),
                traza=entrada.traza,
            )
            return entrada._replace(rechazada=True)
        fallos = self._apartados.por_un_fallo(entrada)
        if fallos == 1:
            _registro.error(
                "un mensaje no se pudo asentar",
                topico=self._bitacora.topico,
                traza=entrada.traza,
                exc_info=error,
            )
        if fallos < self._ritmo.intentos or isinstance(entrada.contenido, MensajeIlegible):
            return None
        detalle = f"el programa falló {fallos} veces al asentarlo: {type(error).__name__}"
        return self._apertura.condenar(entrada, detalle)

    async def _tras_hallarla_ocupada(
        self, retenidos: Sequence[str], mensajes: int, parar: asyncio.Event
    ) -> None:
        """Cuenta cuántos se apartaron y, si fueron todos, descansa."""
        self._bitacora.base_datos_ocupada(mensajes, retenidos)
        if len(retenidos) == mensajes:
            await dormir(self._pausa_si_ocupada, parar)
            self._pausa_si_ocupada = self._ritmo.pausas.siguiente(self._pausa_si_ocupada)

    def _confirmar(self, tanda: Sequence[Entrada], suscripcion: Suscripcion) -> None:
        try:
            suscripcion.confirmar([entrada.mensaje for entrada in tanda])
        except FalloDelBroker as fallo:
            # Volverán a entregarse, y entonces serán reentregas de comandos ya asentados.
            _registro.warning("no se pudo confirmar un lote", topico=self._bitacora.topico, fallo=str(fallo))
