"""Los consumidores de los tópicos de comandos: el bucle que recibe, asienta y confirma.

Qué es: el único lugar donde el destino de un comando se vuelve confirmación. Un lote es una transacción, y
solo tras su commit se confirma cada mensaje, uno por uno.
Qué no es: reglas (el manejador) ni SQL (el libro); tampoco publica (el relevo).
Por qué existe: si la base de datos falla no se confirma nada y el lote se repite; si falla por culpa de un
mensaje, se aparta a ese y los demás siguen.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol, TypeVar
from uuid import UUID

import structlog

from alpespartners.modulos.tracking.aplicacion.mensajes import (
    ComandoRecibido,
    DestinoDeComando,
    MensajeIlegible,
)
from alpespartners.modulos.tracking.aplicacion.puertos import (
    BandejaSalida,
    BaseDatosNoDisponible,
    Transaccion,
    UnidadTrabajo,
)
from alpespartners.modulos.tracking.dominio.destinos import Ilegible, Rechazada
from alpespartners.modulos.tracking.infraestructura.bandeja_salida import Envio
from alpespartners.modulos.tracking.infraestructura.cliente_pulsar import (
    ClientePulsar,
    FalloDelBroker,
    MensajeRecibido,
    Suscripcion,
)
from alpespartners.modulos.tracking.infraestructura.publicador import (
    PAUSA_MAXIMA,
    PAUSA_MINIMA,
    con_azar,
)
from alpespartners.modulos.tracking.infraestructura.relevo import Relevo
from alpespartners.modulos.tracking.infraestructura.sobres import abrir_comando

T = TypeVar("T")

MAXIMO_LOTE: Final = 1_000
MAXIMO_OCTETOS_LOTE: Final = 8 * 1024 * 1024

_ESPERA_MS = 5_000
_ESPERA_SIGUIENTE_MS = 1
_LLENADO_MAXIMO = 0.02
_DESCONEXION_TOLERADA = 10.0

_registro: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)


class BandejaConDepositados(BandejaSalida, Protocol):
    """Una bandeja que sabe qué depositó su transacción."""

    @property
    def depositados(self) -> Sequence[Envio]:
        """Los envíos de esta transacción, ya arrendados."""


class TransaccionDeLibro(Transaccion, Protocol):
    """Una transacción cuya bandeja sabe qué depositó."""

    @property
    def bandeja(self) -> BandejaConDepositados:
        """Lo que se publicará tras el commit."""


class Libro(UnidadTrabajo, Protocol):
    """La unidad de trabajo, tal como la necesita un consumidor."""

    async def ejecutar(self, trabajo: Callable[[TransaccionDeLibro], T]) -> T:
        """Ejecuta el trabajo en una transacción y vuelve tras su commit; si falla no queda nada."""


class Manejador(Protocol):
    """Un manejador de lotes de la aplicación."""

    @property
    def topico(self) -> str:
        """El tópico cuyos comandos maneja."""

    def manejar(
        self,
        lote: Sequence[ComandoRecibido[Any] | MensajeIlegible],
        transaccion: Transaccion,
        ahora: datetime,
    ) -> list[DestinoDeComando]:
        """Asienta el lote en la transacción."""


@dataclass(frozen=True, slots=True)
class _Entrada:
    """Un mensaje y lo que resultó al abrirlo."""

    mensaje: MensajeRecibido
    contenido: ComandoRecibido[Any] | MensajeIlegible


class Consumidores:
    """Los consumidores de un proceso, uno por manejador, y el relevo que publica lo que dejan.

    Args:
        cliente: el del proceso; lo cierra quien lo creó, después de que `trabajar` vuelva.
        manejadores: los de cada tópico.
        libro: donde se asientan los lotes.
        relevo: se abre y se cierra con ellos.
        epoca: la de los datos del broker.
        reloj: la hora en UTC.
    """

    def __init__(
        self,
        cliente: ClientePulsar,
        manejadores: Sequence[Manejador],
        *,
        libro: Libro,
        relevo: Relevo,
        epoca: UUID,
        reloj: Callable[[], datetime],
    ) -> None:
        self._relevo = relevo
        self._consumidores = [
            _Consumidor(cliente, manejador, libro, relevo, epoca, reloj) for manejador in manejadores
        ]

    async def trabajar(self, parar: asyncio.Event) -> None:
        """Vuelve cuando `parar` se activa y lo que había entre manos está asentado o devuelto al broker.

        Cierra primero a quien produce trabajo y después a quien lo publica. Si el broker falta, insiste.
        """
        await self._relevo.abrir()
        try:
            async with asyncio.TaskGroup() as grupo:
                for consumidor in self._consumidores:
                    grupo.create_task(consumidor.trabajar(parar))
        finally:
            await self._relevo.cerrar()


class _Consumidor:
    """El consumidor de un tópico."""

    def __init__(
        self,
        cliente: ClientePulsar,
        manejador: Manejador,
        libro: Libro,
        relevo: Relevo,
        epoca: UUID,
        reloj: Callable[[], datetime],
    ) -> None:
        self._cliente = cliente
        self._manejador = manejador
        self._libro = libro
        self._relevo = relevo
        self._epoca = epoca
        self._reloj = reloj
        self._topico = manejador.topico
        self._sospechosos: set[str] = set()

    async def trabajar(self, parar: asyncio.Event) -> None:
        """Vuelve cuando `parar` se activa; lo que recibió y no llegó a asentar vuelve a entregarse."""
        # Un hilo que dura lo que el consumidor: cancelar una recepción perdería lo que estuviera recibiendo.
        hilo = ThreadPoolExecutor(1, f"consumidor-{self._topico}")
        bucle = asyncio.get_running_loop()
        pausa = PAUSA_MINIMA
        while not parar.is_set():
            conexion = bucle.run_in_executor(hilo, self._cliente.suscribir, self._topico)
            if not await _antes_de_parar(conexion, parar):
                conexion.cancel()
                break
            try:
                suscripcion = conexion.result()
                pausa = PAUSA_MINIMA
                await self._consumir(suscripcion, hilo, parar)
            except FalloDelBroker as fallo:
                _registro.warning("falta la suscripción", topico=self._topico, fallo=str(fallo))
                await _dormir(pausa, parar)
                pausa = min(PAUSA_MAXIMA, pausa * 2)
        # Sin esperar: si aún se conecta, acaba cuando se cierra el cliente.
        hilo.shutdown(wait=False)

    async def _consumir(
        self, suscripcion: Suscripcion, hilo: ThreadPoolExecutor, parar: asyncio.Event
    ) -> None:
        """Recibe el lote siguiente mientras se asienta el actual; nunca hay más de esos dos en memoria.

        Raises:
            FalloDelBroker: la suscripción ya no sirve.
        """
        bucle = asyncio.get_running_loop()
        conectada_en = time.monotonic()
        siguiente = bucle.run_in_executor(hilo, self._recibir, suscripcion)
        try:
            while await _antes_de_parar(siguiente, parar):
                lote = siguiente.result()
                if suscripcion.conectada:
                    conectada_en = time.monotonic()
                elif not lote and time.monotonic() - conectada_en > _DESCONEXION_TOLERADA:
                    # El cliente espacia sus reintentos hasta un minuto; uno nuevo empieza sin espera.
                    return
                siguiente = bucle.run_in_executor(hilo, self._recibir, suscripcion)
                if lote:
                    await self._asentar(lote, suscripcion, parar)
        finally:
            # Cerrar despierta a quien esté recibiendo, y lo que no se confirmó vuelve al broker.
            await asyncio.gather(asyncio.to_thread(suscripcion.cerrar), siguiente, return_exceptions=True)

    def _recibir(self, suscripcion: Suscripcion) -> list[_Entrada]:
        """Espera un mensaje y toma con él los que ya estén; corre en el hilo del consumidor."""
        mensaje = suscripcion.recibir(_ESPERA_MS)
        plazo = time.monotonic() + _LLENADO_MAXIMO
        lote: list[_Entrada] = []
        octetos = 0
        while mensaje is not None:
            lote.append(_Entrada(mensaje, self._abrir(mensaje)))
            octetos += len(mensaje.carga or b"")
            if len(lote) == MAXIMO_LOTE or octetos >= MAXIMO_OCTETOS_LOTE or time.monotonic() >= plazo:
                break
            mensaje = suscripcion.recibir(_ESPERA_SIGUIENTE_MS)
        return lote

    def _abrir(self, mensaje: MensajeRecibido) -> ComandoRecibido[Any] | MensajeIlegible:
        return abrir_comando(
            self._topico,
            carga=mensaje.carga,
            propiedades=mensaje.propiedades,
            clave=mensaje.clave,
            publicado_en=mensaje.publicado_en,
            posicion=mensaje.posicion,
            epoca=self._epoca,
        )

    async def _asentar(self, lote: list[_Entrada], suscripcion: Suscripcion, parar: asyncio.Event) -> None:
        """Asienta el lote y lo confirma.

        Si la base de datos no responde lo repite. Si falla de otro modo lo parte en dos, hasta dar con el
        mensaje que lo causa: ese se devuelve al broker, y cuando vuelva irá en una transacción aparte.
        """
        tandas = deque(self._tandas(lote))
        pausa = PAUSA_MINIMA
        while tandas and not parar.is_set():
            tanda = tandas.popleft()
            inicio = time.monotonic()
            try:
                destinos, envios = await self._libro.ejecutar(self._trabajo(tanda))
            except BaseDatosNoDisponible:
                _registro.warning(
                    "la base de datos no responde", topico=self._topico, mensajes=len(tanda), pausa=pausa
                )
                tandas.appendleft(tanda)
            except Exception:  # noqa: BLE001 (queda en el registro, y el bucle debe sobrevivir a un mal mensaje)
                _registro.exception("un lote no se pudo asentar", topico=self._topico, mensajes=len(tanda))
                if len(tanda) > 1:
                    mitad = len(tanda) // 2
                    tandas.extendleft((tanda[mitad:], tanda[:mitad]))
                else:
                    self._sospechosos.add(tanda[0].mensaje.posicion)
                    suscripcion.devolver(tanda[0].mensaje)
            else:
                pausa = PAUSA_MINIMA
                self._sospechosos.difference_update(entrada.mensaje.posicion for entrada in tanda)
                self._relevo.entregar(envios)
                self._confirmar(tanda, suscripcion)
                self._registrar(tanda, destinos, time.monotonic() - inicio)
                continue
            await _dormir(pausa, parar)
            pausa = min(PAUSA_MAXIMA, pausa * 2)

    def _tandas(self, lote: list[_Entrada]) -> list[list[_Entrada]]:
        """El lote entero, salvo los mensajes que ya hicieron fallar una transacción: cada uno aparte."""
        sospechosos = [[entrada] for entrada in lote if entrada.mensaje.posicion in self._sospechosos]
        otros = [entrada for entrada in lote if entrada.mensaje.posicion not in self._sospechosos]
        return [otros, *sospechosos] if otros else sospechosos

    def _trabajo(
        self, tanda: Sequence[_Entrada]
    ) -> Callable[[TransaccionDeLibro], tuple[list[DestinoDeComando], Sequence[Envio]]]:
        contenidos = [entrada.contenido for entrada in tanda]

        def trabajo(transaccion: TransaccionDeLibro) -> tuple[list[DestinoDeComando], Sequence[Envio]]:
            destinos = self._manejador.manejar(contenidos, transaccion, self._reloj())
            return destinos, transaccion.bandeja.depositados

        return trabajo

    def _confirmar(self, tanda: Sequence[_Entrada], suscripcion: Suscripcion) -> None:
        try:
            suscripcion.confirmar([entrada.mensaje for entrada in tanda])
        except FalloDelBroker as fallo:
            # Volverán a entregarse, y entonces serán reentregas de comandos ya asentados.
            _registro.warning("no se pudo confirmar un lote", topico=self._topico, fallo=str(fallo))

    def _registrar(
        self, tanda: Sequence[_Entrada], destinos: list[DestinoDeComando], segundos: float
    ) -> None:
        cuantos = Counter(destino.destino.estado for destino in destinos)
        _registro.debug(
            "lote asentado",
            topico=self._topico,
            mensajes=len(tanda),
            segundos=round(segundos, 4),
            **{estado.lower(): cuenta for estado, cuenta in cuantos.items()},
        )
        motivos = Counter(
            destino.destino.motivo for destino in destinos if isinstance(destino.destino, Rechazada)
        )
        if motivos:
            _registro.warning("comandos rechazados", topico=self._topico, motivos=dict(motivos))
        if cuantos[Ilegible.estado]:
            _registro.warning("mensajes ilegibles", topico=self._topico, cuantos=cuantos[Ilegible.estado])


async def _antes_de_parar(futuro: asyncio.Future[Any], parar: asyncio.Event) -> bool:
    """Espera al futuro o a que haya que parar, y dice si no hay que parar; no cancela el futuro."""
    parada = asyncio.create_task(parar.wait())
    await asyncio.wait((futuro, parada), return_when=asyncio.FIRST_COMPLETED)
    parada.cancel()
    return not parar.is_set()


async def _dormir(pausa: float, parar: asyncio.Event) -> None:
    """Espera la pausa, con azar, o hasta que haya que parar."""
    try:
        await asyncio.wait_for(parar.wait(), con_azar(pausa))
    except TimeoutError:
        return
