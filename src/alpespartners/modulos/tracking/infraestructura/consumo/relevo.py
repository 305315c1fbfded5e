"""El relevo: publica lo que las transacciones dejan pendiente, y anota lo que el broker confirma.

Qué es: la otra mitad de la bandeja de salida. Recibe los envíos de cada transacción nada más hacerse su
commit, y barre lo que otro no llegó a publicar, y lo suyo que no cupo o no se confirmó: cartas, y filas de
los carriles.
Qué no es: quien decide qué se publica, ni un guardián del orden; entrega al menos una vez.
Por qué existe: entre el commit y el broker puede morir cualquiera de los dos. Lo que no se confirma sigue en
la base de datos, y vuelve a intentarse.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Final, Protocol, TypeVar

import structlog

from alpespartners.modulos.tracking.aplicacion.mensajes import Envio, Sobre
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible, FilaIlegible
from alpespartners.modulos.tracking.infraestructura.consumo.carril import Carril
from alpespartners.modulos.tracking.infraestructura.consumo.ritmo import RitmoDelRelevo
from alpespartners.modulos.tracking.infraestructura.libro.carriles import Avance, CarrilTomado, Trozo
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import SUFIJO_CARTAS
from alpespartners.modulos.tracking.infraestructura.metricas import MetricasDeConsumo
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import (
    SUSCRIPCION_CARTAS,
    ClientePulsar,
    Productor,
)
from alpespartners.modulos.tracking.infraestructura.pulsar.publicador import Publicador
from alpespartners.seedwork.pausas import con_azar

T = TypeVar("T")

_SEGUNDOS_DE_CIERRE: Final = 2.0

_Lugar = tuple[int, int | None]
"""El número de un envío y su carril."""

_registro: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)


class Bandeja(Protocol):
    """Lo que el relevo pide a la base de datos; cada llamada es una transacción."""

    async def retirar(self, numeros: Sequence[int], avances: Sequence[Avance] = ()) -> set[int]:
        """Borra las cartas confirmadas y anota los avances; devuelve los carriles que son ya de otro."""

    async def renovar(self, numeros: Sequence[int]) -> None:
        """Alarga el arriendo de las cartas que siguen en mano."""

    async def reservar_vencidos(self, limite: int) -> list[Envio]:
        """Toma en arriendo hasta `limite` envíos de la tabla de la bandeja cuyo arriendo venció."""

    async def tomar_carriles(self) -> list[CarrilTomado]:
        """Toma carriles con algo pendiente cuyo arriendo venció."""

    async def soltar_carriles(self, numeros: Collection[int]) -> None:
        """Deja de tener esos carriles."""

    async def leer_carril(self, trozo: Trozo) -> list[tuple[int, Sobre | FilaIlegible]]:
        """Lee los eventos de unas filas de un carril, por orden de llegada, o por qué no se pueden leer."""


class Relevo:
    """Publica envíos y anota los confirmados.

    Args:
        cliente: el del proceso.
        bandeja: de dónde sale lo vencido y dónde se anota lo confirmado.
        metricas: donde se cuenta cada envío.
        ritmo: cuántos tiene en mano a la vez y cada cuánto barre y retira.

    Attributes:
        hay_base_datos: si respondió la última vez que se usó la bandeja.
    """

    def __init__(
        self, cliente: ClientePulsar, bandeja: Bandeja, *, metricas: MetricasDeConsumo, ritmo: RitmoDelRelevo
    ) -> None:
        self._cliente = cliente
        self._bandeja = bandeja
        self._metricas = metricas
        self._ritmo = ritmo
        self.hay_base_datos = True
        # Por su lugar: desde cuándo, y cuánto ocupa lo que aún hay que enviar.
        self._en_mano: dict[_Lugar, tuple[float, int]] = {}
        self._octetos = 0
        # De las cartas, por su número.
        self._confirmadas: dict[int, float] = {}
        self._carriles: dict[int, Carril] = {}
        self._tomados: set[int] = set()
        self._hay_confirmados = asyncio.Event()
        self._tareas: set[asyncio.Task[None]] = set()
        self._caben = asyncio.Event()
        self._caben.set()
        self._barridos: set[_Lugar] = set()
        self._queda_por_barrer = asyncio.Event()

    async def abrir(self) -> None:
        """Empieza a barrer y a retirar en segundo plano."""
        self._publicador = Publicador(self._crear_productor, self._cliente.hay_sitio, self._ritmo.publicador)
        self._barrido = asyncio.create_task(self._siempre(self._barrer))
        self._retirada = asyncio.create_task(self._siempre(self._retirar_rafaga))

    def entregar(self, envios: Iterable[Envio]) -> None:
        """Toma envíos ya arrendados para publicarlos; los que no caben quedan para un barrido."""
        self._tomar(filter(self._se_toma, envios))

    async def esperar_a_que_quepan(self) -> None:
        """Vuelve cuando caben más envíos: lo que no se toma nada más depositarse tarda en salir.

        Como mucho, tras un segundo: si el broker no los quiere, asentar comandos no espera por eso.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(self._ritmo.espera_a_que_quepan):
                await self._caben.wait()

    def _tomar(self, envios: Iterable[Envio]) -> None:
        """Los tiene en mano y los publica; se piden de uno en uno, con los anteriores ya en mano."""
        por_topico: dict[str, list[Envio]] = {}
        ahora = time.monotonic()
        for envio in envios:
            octetos = len(envio.sobre.carga)
            self._en_mano[_lugar(envio)] = (ahora, octetos)
            self._octetos += octetos
            por_topico.setdefault(envio.sobre.topico, []).append(envio)
        if not self._sin_esperar:
            self._caben.clear()
        for topico, suyos in por_topico.items():
            tarea = asyncio.create_task(self._publicar(topico, suyos))
            self._tareas.add(tarea)
            tarea.add_done_callback(self._tareas.discard)

    async def cerrar(self, segundos: float = _SEGUNDOS_DE_CIERRE) -> None:
        """Espera como mucho esos segundos a las confirmaciones, retira lo confirmado y cierra."""
        self._barrido.cancel()
        if self._tareas:
            await asyncio.wait(self._tareas, timeout=segundos / 2)
        await self._publicador.cerrar(segundos / 2)
        de_fondo = [*self._tareas, self._barrido, self._retirada]
        for tarea in de_fondo:
            tarea.cancel()
        await asyncio.gather(*de_fondo, return_exceptions=True)
        try:
            async with asyncio.timeout(segundos / 2):
                await self._retirar_confirmados()
                await self._bandeja.soltar_carriles(self._carriles.keys())
        except (BaseDatosNoDisponible, TimeoutError) as fallo:
            _registro.warning("se volverán a publicar envíos ya confirmados", fallo=str(fallo))
        cartas = len(self._confirmadas) + sum(carril is None for _, carril in self._en_mano)
        carriles = sum(carril.activo for carril in self._carriles.values())
        if cartas or carriles:
            _registro.info("queda algo en la bandeja de salida", cartas=cartas, carriles=carriles)

    def _se_toma(self, envio: Envio) -> bool:
        """Dice si hay sitio y no se tiene ya; de un carril, además, si las de antes ya se leyeron."""
        if envio.carril is None:
            return not (self._lleno or _lugar(envio) in self._en_mano or envio.numero in self._confirmadas)
        carril = self._carriles.get(envio.carril)
        if carril is None:
            if envio.anterior:
                # De las de antes no se sabe nada: el carril se perdió, y quien lo tome publicará todas.
                return False
            carril = self._carriles[envio.carril] = Carril(envio.carril, envio.sobre.topico)
        estaba_al_dia = not carril.atrasado
        if carril.nueva(envio.numero, envio.anterior, cabe=not self._lleno):
            return True
        if estaba_al_dia:
            self._queda_por_barrer.set()
        return False

    async def _publicar(self, topico: str, envios: Sequence[Envio]) -> None:
        try:
            async with asyncio.timeout(self._ritmo.espera_al_productor):
                await self._publicador.esperar(topico)
        except TimeoutError:
            for envio in envios:
                self._soltar(_lugar(envio), confirmado=False)
            return
        for envio in envios:
            self._publicador.enviar(envio.sobre, partial(self._al_saber, topico, _lugar(envio)))

    def _al_saber(self, topico: str, lugar: _Lugar, confirmado: bool) -> None:  # noqa: FBT001
        self._metricas.envio(topico, confirmado)
        self._soltar(lugar, confirmado=confirmado)
        if confirmado:
            if lugar in self._barridos:
                self._queda_por_barrer.set()
            self._hay_confirmados.set()

    def _soltar(self, lugar: _Lugar, *, confirmado: bool) -> None:
        """Deja de tenerlo en mano; lo que no se confirmó volverá en otro barrido."""
        desde, octetos = self._en_mano.pop(lugar)
        self._octetos -= octetos
        if self._sin_esperar:
            self._caben.set()
        numero, en_carril = lugar
        if en_carril is None:
            if confirmado:
                self._confirmadas[numero] = desde
        elif (carril := self._carriles.get(en_carril)) is not None:
            carril.sabida(numero, confirmada=confirmado)

    @property
    def _libres(self) -> int:
        # Lo que se está asentando tiene sitio aparte: si no, un atraso dejaría lo nuevo para otro barrido.
        return self._ritmo.en_mano_sin_esperar - len(self._en_mano)

    @property
    def _lleno(self) -> bool:
        ritmo = self._ritmo
        return len(self._en_mano) >= ritmo.maximo_en_mano or self._octetos >= ritmo.maximo_octetos

    @property
    def _sin_esperar(self) -> bool:
        ritmo = self._ritmo
        return len(self._en_mano) < ritmo.en_mano_sin_esperar and self._octetos < ritmo.octetos_sin_esperar

    async def _siempre(self, paso: Callable[[], Awaitable[None]]) -> None:
        """Repite un paso mientras el relevo viva; un fallo solo lo retrasa."""
        pausa = self._ritmo.pausas.minima
        while True:
            try:
                await paso()
            except BaseDatosNoDisponible as fallo:
                self._metricas.base_datos_muda()
                _registro.warning(
                    "la base de datos no está disponible", paso=paso.__name__, pausa=pausa, fallo=str(fallo)
                )
            except Exception:  # noqa: BLE001 (queda en el registro, y sin este bucle nada más se publicaría)
                _registro.exception("falló un paso del relevo", paso=paso.__name__)
            else:
                pausa = self._ritmo.pausas.minima
                continue
            await asyncio.sleep(con_azar(pausa))
            pausa = self._ritmo.pausas.siguiente(pausa)

    async def _retirar_rafaga(self) -> None:
        await self._hay_confirmados.wait()
        # Una transacción por ráfaga: cada una compite con el consumidor por el turno de escritura.
        await asyncio.sleep(self._ritmo.cada_retirada)
        await self._retirar_confirmados()

    async def _retirar_confirmados(self) -> None:
        # Lo que llegue mientras tanto pide otra vuelta.
        self._hay_confirmados.clear()
        try:
            await self._anotar(list(self._confirmadas))
        except BaseDatosNoDisponible:
            self._hay_confirmados.set()
            raise
        tomados = [self._carriles[numero] for numero in self._tomados]
        if acabados := [carril for carril in tomados if not carril.activo]:
            await self._apuntando(self._bandeja.soltar_carriles([carril.numero for carril in acabados]))
            self._olvidar(acabados)

    async def _anotar(self, numeros: Sequence[int] = ()) -> None:
        """Retira cartas y anota cada carril con algo pendiente; el que ya es de otro se olvida."""
        activos = [carril for carril in self._carriles.values() if carril.activo]
        avances = [carril.avance() for carril in activos]
        if not numeros and not avances:
            return
        perdidos = await self._apuntando(self._bandeja.retirar(numeros, avances))
        for numero in numeros:
            self._confirmadas.pop(numero, None)
        for carril, avance in zip(activos, avances, strict=True):
            carril.anotado(avance)
        if perdidos:
            _registro.warning("otro proceso publica lo que este dejó pendiente", carriles=sorted(perdidos))
            self._olvidar(carril for carril in activos if carril.numero in perdidos)

    def _olvidar(self, carriles: Iterable[Carril]) -> None:
        for carril in carriles:
            # Mientras respondía la base de datos, el barrido pudo tomarlo otra vez: ese es otro.
            if self._carriles.get(carril.numero) is carril:
                del self._carriles[carril.numero]
                self._tomados.discard(carril.numero)

    async def _barrer(self) -> None:
        await self._renovar()
        self._barridos.clear()
        self._queda_por_barrer.clear()
        if self._sin_esperar:
            vencidos = await self._apuntando(self._bandeja.reservar_vencidos(self._libres))
            self._barridos.update(map(_lugar, vencidos))
            self.entregar(vencidos)
            for tomado in await self._apuntando(self._bandeja.tomar_carriles()):
                self._tomados.add(tomado.numero)
                self._carriles[tomado.numero] = Carril(*tomado)
        for carril in list(self._carriles.values()):
            await self._poner_al_dia(carril)
        if not self._sin_esperar and any(carril.atrasado for carril in self._carriles.values()):
            self._queda_por_barrer.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(con_azar(self._ritmo.cada_barrido)):
                # Tras ellos puede haber más. Si el broker no los quiere, leerlos todos no sirve de nada.
                await self._queda_por_barrer.wait()
                await self._caben.wait()

    async def _poner_al_dia(self, carril: Carril) -> None:
        """Publica las filas del carril que no se publicaron al escribirse, mientras quepan."""
        leido_hasta = -1
        while carril.atrasado and self._sin_esperar:
            trozo = carril.trozo(min(self._libres, self._ritmo.filas_por_lectura))
            if trozo.despues_de <= leido_hasta:
                # Algo de lo que se acaba de leer no se confirmó: sin una pausa, tampoco se confirmaría ahora.
                return
            leido_hasta = trozo.despues_de
            leidas = dict(await self._apuntando(self._bandeja.leer_carril(trozo)))
            faltan = carril.leidas(trozo, list(leidas))
            self._publicar_leidas(carril.numero, {numero: leidas[numero] for numero in faltan})
            ilegibles = any(isinstance(leidas[numero], FilaIlegible) for numero in faltan)
            if ilegibles and carril.numero not in self._tomados:
                # Lo que se escriba desde ahora va en otro: aquí habría que recordar todo lo que se confirme.
                await self._apuntando(self._bandeja.soltar_carriles([carril.numero]))
                self._olvidar([carril])
                return

    def _publicar_leidas(self, carril: int, leidas: Mapping[int, Sobre | FilaIlegible]) -> None:
        envios = []
        for numero, sobre in leidas.items():
            if isinstance(sobre, FilaIlegible):
                # Sigue pendiente, y no estorba a las demás.
                _registro.error(
                    "no se puede publicar el evento de una fila",
                    carril=carril,
                    numero=numero,
                    fallo=str(sobre),
                )
            elif (numero, carril) not in self._en_mano:
                envios.append(Envio(numero, sobre, carril))
        self._barridos.update(map(_lugar, envios))
        self._tomar(envios)

    async def _renovar(self) -> None:
        """Alarga las cartas que esperan hace rato y los carriles con pendientes, o los publicaría otro."""
        limite = time.monotonic() - self._ritmo.renovar_tras
        viejas = [
            numero
            for (numero, carril), (desde, _) in self._en_mano.items()
            if carril is None and desde < limite
        ]
        viejas += [numero for numero, desde in self._confirmadas.items() if desde < limite]
        if viejas:
            await self._apuntando(self._bandeja.renovar(viejas))
        await self._anotar()

    async def _apuntando(self, uso: Awaitable[T]) -> T:
        """Usa la bandeja y apunta si la base de datos respondió."""
        try:
            resultado = await uso
        except BaseDatosNoDisponible:
            self.hay_base_datos = False
            raise
        self.hay_base_datos = True
        return resultado

    def _crear_productor(self, topico: str) -> Productor:
        if topico.endswith(SUFIJO_CARTAS):
            # Apache Pulsar olvida lo que nadie espera, y una carta muerta espera a una persona.
            self._cliente.asegurar_suscripcion(topico, SUSCRIPCION_CARTAS)
        return self._cliente.productor(
            topico,
            por_clave=True,
            limite=self._ritmo.limite_de_envio,
            maximo_en_curso=2 * self._ritmo.maximo_en_mano,
        )


def _lugar(envio: Envio) -> _Lugar:
    return envio.numero, envio.carril
