"""Los consumidores de los tópicos de comandos: el bucle que recibe, asienta y confirma.

Qué es: el único lugar donde el destino de un comando se vuelve confirmación. Un lote es una transacción, y
solo tras su commit se confirma cada mensaje, uno por uno.
Qué no es: reglas (el manejador) ni SQL (el libro); tampoco publica (el relevo).
Por qué existe: si la base de datos falla no se confirma nada y el lote se repite. Si falla por culpa de un
mensaje, se aparta a ese, que también acaba en un destino, y los demás siguen.

    qué ocurre con un mensaje solo          en qué acaba
    la base de datos no responde            en nada: se repite cuando vuelve
    la base de datos no admite sus datos    RECHAZADA
    el programa falla al asentarlo          vuelve al broker; a la quinta, ILEGIBLE y a las cartas muertas
    el proceso muere tres veces con él      ILEGIBLE y a las cartas muertas, sin abrirlo (`en_mano.py`)
    lo escribió una versión posterior       en nada: espera a un consumidor que la conozca (`en_espera.py`)
"""

import asyncio
import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple, Protocol, TypeVar
from uuid import UUID

import structlog

from alpespartners.modulos.tracking.aplicacion.mensajes import (
    ComandoRecibido,
    DestinoDeComando,
    MensajeDeOtraVersion,
    MensajeIlegible,
)
from alpespartners.modulos.tracking.aplicacion.puertos import (
    BandejaSalida,
    BaseDatosNoDisponible,
    BaseDatosOcupada,
    Transaccion,
    UnidadTrabajo,
)
from alpespartners.modulos.tracking.dominio.destinos import Ilegible, Rechazada
from alpespartners.modulos.tracking.infraestructura.consumo.en_espera import EnEspera, Espera
from alpespartners.modulos.tracking.infraestructura.consumo.en_mano import MUERTES_QUE_CONDENAN, EnMano
from alpespartners.modulos.tracking.infraestructura.consumo.relevo import Relevo
from alpespartners.modulos.tracking.infraestructura.libro.bandeja_salida import Envio
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import (
    abrir_comando,
    identificador_de_traza,
    sin_abrir,
)
from alpespartners.modulos.tracking.infraestructura.metricas import MetricasDeConsumo
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import (
    ClientePulsar,
    FalloDelBroker,
    MensajeRecibido,
    Suscripcion,
)
from alpespartners.modulos.tracking.infraestructura.pulsar.publicador import (
    PAUSA_MAXIMA,
    PAUSA_MINIMA,
    con_azar,
)
from alpespartners.modulos.tracking.infraestructura.repositorios import DatosRechazados

T = TypeVar("T")

MAXIMO_LOTE: Final = 500
MAXIMO_OCTETOS_LOTE: Final = 8 * 1024 * 1024
MAXIMO_INTENTOS: Final = 5
"""Veces que el programa puede fallar al asentar un mensaje, él solo, antes de darlo por ilegible."""

_ESPERA_MS = 5_000
_ESPERA_SIGUIENTE_MS = 1
_ENTRE_LOTES = 0.03
"""Segundos de un lote al siguiente del mismo tópico: una transacción cuesta lo que asentar treinta comandos.

El primero tras un silencio no espera.
"""
_DESCONEXION_TOLERADA = 10.0
_MEMORIA_DE_UN_APARTADO = 600.0
_SEGUNDOS_PARA_ASENTAR = 1.0
_SEGUNDOS_DE_CIERRE = 2.0

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

    def rechazar(
        self, mensaje: ComandoRecibido[Any], transaccion: Transaccion, ahora: datetime
    ) -> list[DestinoDeComando]:
        """Rechaza un comando cuyos datos no admite la base de datos."""


class _Entrada(NamedTuple):
    """Un mensaje, lo que resultó al abrirlo y si la base de datos ya dijo que no lo admite."""

    clave: str
    mensaje: MensajeRecibido
    contenido: ComandoRecibido[Any] | MensajeIlegible
    rechazada: bool = False


@dataclass(frozen=True, slots=True)
class _Apartado:
    """Un mensaje que el programa no supo asentar: cuántas veces, y hasta cuándo no se intenta otra."""

    fallos: int
    hasta: float


class Consumidores:
    """Los consumidores de un proceso, uno por manejador, y el relevo que publica lo que dejan.

    Args:
        cliente: el del proceso; lo cierra quien lo creó, después de que `trabajar` vuelva.
        manejadores: los de cada tópico.
        libro: donde se asientan los lotes.
        relevo: se abre y se cierra con ellos.
        en_mano: donde queda escrito con qué se está trabajando.
        epoca: la de los datos del broker.
        reloj: la hora en UTC.
        metricas: donde se cuenta cada lote.
    """

    def __init__(
        self,
        cliente: ClientePulsar,
        manejadores: Sequence[Manejador],
        *,
        libro: Libro,
        relevo: Relevo,
        en_mano: EnMano,
        epoca: UUID,
        reloj: Callable[[], datetime],
        metricas: MetricasDeConsumo,
    ) -> None:
        self._relevo = relevo
        self._consumidores = [
            _Consumidor(cliente, manejador, libro, relevo, en_mano, epoca, reloj, metricas)
            for manejador in manejadores
        ]

    def suscripciones(self) -> dict[str, bool]:
        """Por tópico, si su suscripción tiene ahora conexión con el broker."""
        return {consumidor.topico: consumidor.conectado for consumidor in self._consumidores}

    def hay_base_datos(self) -> bool:
        """Dice si la base de datos respondió la última vez que cada uno la usó."""
        return self._relevo.hay_base_datos and all(c.hay_base_datos for c in self._consumidores)

    def en_espera(self) -> dict[str, Espera]:
        """Por tópico, los comandos que esperan a una versión posterior; sin los que no tienen ninguno."""
        estados = {consumidor.topico: consumidor.en_espera.estado() for consumidor in self._consumidores}
        return {topico: espera for topico, espera in estados.items() if espera is not None}

    async def trabajar(self, parar: asyncio.Event) -> None:
        """Vuelve cuando `parar` se activa y lo que había entre manos está asentado o devuelto al broker.

        Lo que un segundo después aún no está asentado vuelve al broker.

        Cierra primero a quien produce trabajo y después a quien lo publica. Si el broker falta, insiste.
        """
        await self._relevo.abrir()
        try:
            async with asyncio.TaskGroup() as grupo:
                trabajos = [grupo.create_task(c.trabajar(parar)) for c in self._consumidores]
                grupo.create_task(_dejar_terminar(trabajos, parar))
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
        en_mano: EnMano,
        epoca: UUID,
        reloj: Callable[[], datetime],
        metricas: MetricasDeConsumo,
    ) -> None:
        self._cliente = cliente
        self._manejador = manejador
        self._libro = libro
        self._relevo = relevo
        self._en_mano = en_mano
        self._epoca = epoca
        self._prefijo = f"{manejador.topico} {epoca} "
        self._reloj = reloj
        self._metricas = metricas
        self._apartados: dict[str, _Apartado] = {}
        self._retenidos: list[str] = []
        self._pausa_si_ocupada = PAUSA_MINIMA
        self._libre = threading.Event()
        self._libre.set()
        self._desde = 0.0
        self._suscripcion: Suscripcion | None = None
        self.topico = manejador.topico
        self.en_espera = EnEspera(manejador.topico)
        self.hay_base_datos = True

    @property
    def conectado(self) -> bool:
        return self._suscripcion is not None and self._suscripcion.conectada

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
        pausa = PAUSA_MINIMA
        while not parar.is_set():
            conexion = bucle.run_in_executor(hilos, self._cliente.suscribir, self.topico)
            if not await _antes_de_parar(conexion, parar):
                conexion.cancel()
                break
            try:
                self._suscripcion = conexion.result()
                pausa = PAUSA_MINIMA
                await self._consumir(self._suscripcion, hilos, parar)
            except FalloDelBroker as fallo:
                _registro.warning("falta la suscripción", topico=self.topico, fallo=str(fallo))
                await _dormir(pausa, parar)
                pausa = min(PAUSA_MAXIMA, pausa * 2)
            finally:
                self._suscripcion = None

    async def _consumir(
        self, suscripcion: Suscripcion, hilos: ThreadPoolExecutor, parar: asyncio.Event
    ) -> None:
        """Recibe y abre el lote siguiente mientras se asienta el actual; en memoria no hay más que esos dos.

        Con cautela no abre nada por adelantado: si el proceso muere, tiene que saberse por qué lote fue.

        Raises:
            FalloDelBroker: la suscripción ya no sirve.
        """
        bucle = asyncio.get_running_loop()
        conectada_en = time.monotonic()
        # Lo que la anterior dejó sin confirmar vuelve a entregarse.
        self.en_espera.olvidar()
        siguiente = bucle.run_in_executor(hilos, self._recibir, suscripcion)
        try:
            while await _antes_de_parar(siguiente, parar):
                mensajes, abiertas = siguiente.result()
                if suscripcion.conectada:
                    conectada_en = time.monotonic()
                elif not mensajes and time.monotonic() - conectada_en > _DESCONEXION_TOLERADA:
                    # El cliente espacia sus reintentos hasta un minuto; uno nuevo empieza sin espera.
                    return
                lote = abiertas or []
                if abiertas is None:
                    async with self._en_mano.turno:
                        lote = await bucle.run_in_executor(hilos, self._abrir, mensajes)
                        await self._asentar(lote, suscripcion, parar)
                        lote = []
                if lote:
                    self._libre.clear()
                siguiente = bucle.run_in_executor(hilos, self._recibir, suscripcion)
                if lote:
                    await self._asentar(lote, suscripcion, parar)
                    self._libre.set()
        finally:
            self._libre.set()
            # Cerrar despierta a quien esté recibiendo, y lo que no se confirmó vuelve al broker.
            cierre = bucle.run_in_executor(hilos, suscripcion.cerrar)
            for futuro in (cierre, siguiente):
                futuro.add_done_callback(_dar_por_visto)
            despedida = asyncio.create_task(asyncio.wait((cierre, siguiente)))
            if not await _antes_de_parar(despedida, parar):
                # Si el broker no responde, la termina el cierre del cliente.
                await asyncio.wait((despedida,), timeout=_SEGUNDOS_DE_CIERRE)

    def _recibir(self, suscripcion: Suscripcion) -> tuple[list[MensajeRecibido], list[_Entrada] | None]:
        """Espera un mensaje, toma con él los que ya estén y, si no hay de qué cuidarse, los abre.

        Si no llenan un lote espera, dormido, a que se asiente el anterior y le toque a este: irá en él lo que
        llegue entretanto. Corre en el hilo del consumidor.
        """
        for retenido in self.en_espera.por_devolver():
            suscripcion.devolver(retenido)
        mensaje = suscripcion.recibir(_ESPERA_MS)
        if mensaje is None:
            return [], []
        mensajes = [mensaje]
        if self._tomar(suscripcion, mensajes):
            self._libre.wait()
            time.sleep(max(0.0, self._desde + _ENTRE_LOTES - time.monotonic()))
            self._tomar(suscripcion, mensajes)
        self._desde = time.monotonic()
        return mensajes, None if self._en_mano.con_cautela else self._abrir(mensajes)

    def _tomar(self, suscripcion: Suscripcion, mensajes: list[MensajeRecibido]) -> bool:
        """Añade los que ya estén o no tarden nada, y dice si caben más."""
        octetos = sum(len(mensaje.carga or b"") for mensaje in mensajes)
        while len(mensajes) < self._en_mano.limite and octetos < MAXIMO_OCTETOS_LOTE:
            mensaje = suscripcion.recibir(_ESPERA_SIGUIENTE_MS)
            if mensaje is None:
                return True
            mensajes.append(mensaje)
            octetos += len(mensaje.carga or b"")
        return False

    def _abrir(self, mensajes: Sequence[MensajeRecibido]) -> list[_Entrada]:
        """Los abre y, de los de una versión posterior, deja que esperen."""
        claves = [self._prefijo + mensaje.posicion for mensaje in mensajes]
        lote = []
        with self._en_mano.trabajando(claves):
            for clave, mensaje in zip(claves, mensajes, strict=True):
                contenido = self._contenido(clave, mensaje)
                if isinstance(contenido, MensajeDeOtraVersion):
                    self.en_espera.retener(mensaje, contenido.huella_esquema)
                else:
                    lote.append(_Entrada(clave, mensaje, contenido))
        return lote

    def _contenido(
        self, clave: str, mensaje: MensajeRecibido
    ) -> ComandoRecibido[Any] | MensajeIlegible | MensajeDeOtraVersion:
        if self._en_mano.mata(clave):
            return self._ilegible(mensaje, f"hizo morir {MUERTES_QUE_CONDENAN} veces al consumidor")
        try:
            return abrir_comando(
                self.topico,
                carga=mensaje.carga,
                propiedades=mensaje.propiedades,
                clave=mensaje.clave,
                publicado_en=mensaje.publicado_en,
                posicion=mensaje.posicion,
                epoca=self._epoca,
            )
        except Exception as error:  # noqa: BLE001 (un defecto nuestro: queda en su carta, y sus vecinos siguen)
            return self._ilegible(mensaje, f"el programa falló al abrirlo: {type(error).__name__}")

    def _ilegible(self, mensaje: MensajeRecibido, detalle: str) -> MensajeIlegible:
        _registro.error(
            "un mensaje se da por ilegible",
            topico=self.topico,
            detalle=detalle,
            traza=identificador_de_traza(mensaje.propiedades),
        )
        return sin_abrir(
            self.topico,
            carga=mensaje.carga,
            propiedades=mensaje.propiedades,
            clave=mensaje.clave,
            publicado_en=mensaje.publicado_en,
            posicion=mensaje.posicion,
            epoca=self._epoca,
            detalle=detalle,
        )

    async def _asentar(self, lote: list[_Entrada], suscripcion: Suscripcion, parar: asyncio.Event) -> None:
        """Asienta el lote y lo confirma.

        Si la base de datos no responde lo repite. Si está ocupada, o falla de otro modo, lo parte en dos,
        hasta dar con el mensaje que lo causa; partir no espera, porque los vecinos no tienen la culpa.
        """
        tandas = deque(self._tandas(lote, suscripcion))
        pausa = PAUSA_MINIMA
        while tandas and not parar.is_set():
            tanda = tandas.popleft()
            await self._relevo.esperar_a_que_quepan()
            inicio = time.monotonic()
            try:
                destinos, envios = await self._libro.ejecutar(self._trabajo(tanda))
            except BaseDatosOcupada as ocupada:
                tandas.extendleft(self._tras_un_fallo(tanda, ocupada, suscripcion))
            except BaseDatosNoDisponible as fallo:
                self.hay_base_datos = False
                self._metricas.base_datos_muda()
                _registro.warning(
                    "la base de datos no está disponible",
                    topico=self.topico,
                    mensajes=len(tanda),
                    pausa=pausa,
                    fallo=str(fallo),
                )
                tandas.appendleft(tanda)
                await _dormir(pausa, parar)
                pausa = min(PAUSA_MAXIMA, pausa * 2)
            except Exception as error:  # noqa: BLE001 (queda en el registro, y el bucle debe sobrevivir a un mal mensaje)
                tandas.extendleft(self._tras_un_fallo(tanda, error, suscripcion))
            else:
                pausa = self._pausa_si_ocupada = PAUSA_MINIMA
                self.hay_base_datos = True
                self._en_mano.asentados([entrada.clave for entrada in tanda])
                for entrada in tanda:
                    self._apartados.pop(entrada.clave, None)
                self._relevo.entregar(envios)
                self._confirmar(tanda, suscripcion)
                self._registrar(tanda, destinos, time.monotonic() - inicio)
        if self._retenidos:
            await self._tras_hallarla_ocupada(len(lote), parar)

    def _tandas(self, lote: list[_Entrada], suscripcion: Suscripcion) -> list[list[_Entrada]]:
        """El lote entero, salvo los mensajes apartados: cada uno aparte si ya le toca, y si no, de vuelta."""
        ahora = time.monotonic()
        otros = [entrada for entrada in lote if entrada.clave not in self._apartados]
        tandas = [otros] if otros else []
        for entrada in lote:
            apartado = self._apartados.get(entrada.clave)
            if apartado is None:
                continue
            if apartado.hasta > ahora:
                suscripcion.devolver(entrada.mensaje)
            else:
                tandas.append([entrada])
        return tandas

    async def _tras_hallarla_ocupada(self, mensajes: int, parar: asyncio.Event) -> None:
        """Cuenta cuántos se apartaron y, si fueron todos, descansa."""
        self._metricas.base_datos_muda()
        _registro.warning(
            "la base de datos está ocupada",
            topico=self.topico,
            mensajes=mensajes,
            apartados=len(self._retenidos),
            fallo=self._retenidos[-1],
        )
        if len(self._retenidos) == mensajes:
            await _dormir(self._pausa_si_ocupada, parar)
            self._pausa_si_ocupada = min(PAUSA_MAXIMA, self._pausa_si_ocupada * 2)
        self._retenidos = []

    def _tras_un_fallo(
        self, tanda: list[_Entrada], error: Exception, suscripcion: Suscripcion
    ) -> Sequence[list[_Entrada]]:
        """Decide qué se asienta ahora, en orden inverso: las mitades, o lo que quede por hacer con uno."""
        if len(tanda) > 1:
            mitad = len(tanda) // 2
            return tanda[mitad:], tanda[:mitad]
        (entrada,) = tanda
        if isinstance(error, BaseDatosOcupada):
            # Espera a lo que otro dejó a medias, o choca con ello: no cuenta como fallo suyo.
            self._retenidos.append(str(error))
            self._apartar(entrada, self._fallos(entrada), PAUSA_MAXIMA)
            suscripcion.devolver(entrada.mensaje)
            return []
        return self._tras_su_fallo(entrada, error, suscripcion)

    def _tras_su_fallo(
        self, entrada: _Entrada, error: Exception, suscripcion: Suscripcion
    ) -> list[list[_Entrada]]:
        """Decide qué se hace con el mensaje que, él solo, hizo fallar su transacción: qué asentar ahora."""
        traza = identificador_de_traza(entrada.mensaje.propiedades)
        if isinstance(error, DatosRechazados) and not entrada.rechazada:
            _registro.warning(
                "la base de datos no admite un comando", topico=self.topico, error=str(error), traza=traza
            )
            return [[entrada._replace(rechazada=True)]]
        fallos = 1 + self._fallos(entrada)
        if fallos == 1:
            _registro.error("un mensaje no se pudo asentar", topico=self.topico, traza=traza, exc_info=error)
        self._apartar(entrada, fallos, min(PAUSA_MAXIMA, PAUSA_MINIMA * 2 ** (fallos - 1)))
        if fallos >= MAXIMO_INTENTOS and not isinstance(entrada.contenido, MensajeIlegible):
            detalle = f"el programa falló {fallos} veces al asentarlo: {type(error).__name__}"
            ilegible = self._ilegible(entrada.mensaje, detalle)
            return [[entrada._replace(contenido=ilegible, rechazada=False)]]
        suscripcion.devolver(entrada.mensaje)
        return []

    def _apartar(self, entrada: _Entrada, fallos: int, espera: float) -> None:
        """No lo intenta otra vez hasta pasada la espera; olvida a los que se fueron con otro consumidor."""
        ahora = time.monotonic()
        self._apartados = {
            clave: apartado
            for clave, apartado in self._apartados.items()
            if apartado.hasta > ahora - _MEMORIA_DE_UN_APARTADO
        }
        self._apartados[entrada.clave] = _Apartado(fallos, ahora + con_azar(espera))

    def _fallos(self, entrada: _Entrada) -> int:
        apartado = self._apartados.get(entrada.clave)
        return 0 if apartado is None else apartado.fallos

    def _trabajo(
        self, tanda: Sequence[_Entrada]
    ) -> Callable[[TransaccionDeLibro], tuple[list[DestinoDeComando], Sequence[Envio]]]:
        claves = [entrada.clave for entrada in tanda]
        contenidos = [entrada.contenido for entrada in tanda]
        unico = contenidos[0]

        def trabajo(transaccion: TransaccionDeLibro) -> tuple[list[DestinoDeComando], Sequence[Envio]]:
            with self._en_mano.trabajando(claves):
                if tanda[0].rechazada and not isinstance(unico, MensajeIlegible):
                    destinos = self._manejador.rechazar(unico, transaccion, self._reloj())
                else:
                    destinos = self._manejador.manejar(contenidos, transaccion, self._reloj())
            return destinos, transaccion.bandeja.depositados

        return trabajo

    def _confirmar(self, tanda: Sequence[_Entrada], suscripcion: Suscripcion) -> None:
        try:
            suscripcion.confirmar([entrada.mensaje for entrada in tanda])
        except FalloDelBroker as fallo:
            # Volverán a entregarse, y entonces serán reentregas de comandos ya asentados.
            _registro.warning("no se pudo confirmar un lote", topico=self.topico, fallo=str(fallo))

    def _registrar(
        self, tanda: Sequence[_Entrada], destinos: list[DestinoDeComando], segundos: float
    ) -> None:
        retraso = self._reloj() - min(entrada.mensaje.publicado_en for entrada in tanda)
        self._metricas.lote(self.topico, len(tanda), destinos, segundos, max(0.0, retraso.total_seconds()))
        if logging.getLogger(__name__).isEnabledFor(logging.DEBUG):
            self._contar_uno_por_uno(tanda, destinos)
        cuantos = Counter(destino.destino.estado for destino in destinos)
        _registro.debug(
            "lote asentado",
            topico=self.topico,
            mensajes=len(tanda),
            segundos=round(segundos, 4),
            **{estado.lower(): cuenta for estado, cuenta in cuantos.items()},
        )
        motivos = Counter(
            destino.destino.motivo for destino in destinos if isinstance(destino.destino, Rechazada)
        )
        if motivos:
            _registro.warning("comandos rechazados", topico=self.topico, motivos=dict(motivos))
        if cuantos[Ilegible.estado]:
            _registro.warning("mensajes ilegibles", topico=self.topico, cuantos=cuantos[Ilegible.estado])

    def _contar_uno_por_uno(self, tanda: Sequence[_Entrada], destinos: list[DestinoDeComando]) -> None:
        """Deja en el registro cada comando con la traza de su petición, para quien sigue una."""
        trazas = {
            entrada.contenido.identidad: identificador_de_traza(entrada.mensaje.propiedades)
            for entrada in tanda
        }
        for destino in destinos:
            _registro.debug(
                "comando asentado",
                topico=self.topico,
                estado=destino.destino.estado,
                traza=trazas[destino.identidad],
            )


async def _dejar_terminar(trabajos: Sequence[asyncio.Task[None]], parar: asyncio.Event) -> None:
    """Cuando hay que parar, cancela a quien tarda: una transacción puede estar esperando a la de otro."""
    await parar.wait()
    _, lentos = await asyncio.wait(trabajos, timeout=_SEGUNDOS_PARA_ASENTAR)
    for lento in lentos:
        lento.cancel()


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


async def _dormir(pausa: float, parar: asyncio.Event) -> None:
    """Espera la pausa, con azar, o hasta que haya que parar."""
    try:
        await asyncio.wait_for(parar.wait(), con_azar(pausa))
    except TimeoutError:
        return
