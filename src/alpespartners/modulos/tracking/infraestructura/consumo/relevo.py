"""El relevo: publica lo que dejó la bandeja de salida y lo retira cuando el broker lo confirma.

Qué es: la otra mitad de la bandeja. Recibe los envíos de cada transacción nada más hacerse su commit, y
barre los que otro no llegó a publicar.
Qué no es: quien decide qué se publica, ni un guardián del orden; entrega al menos una vez.
Por qué existe: entre el commit y el broker puede morir cualquiera de los dos. Lo que no se confirma sigue
en la bandeja, y vuelve a intentarse cuando vence su arriendo.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final, Protocol, TypeVar

import structlog

from alpespartners.modulos.tracking.aplicacion.mensajes import Envio
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible
from alpespartners.modulos.tracking.infraestructura.consumo.ritmo import RitmoDelRelevo
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

_registro: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)


class Bandeja(Protocol):
    """Lo que el relevo pide a la bandeja de salida; cada llamada es una transacción."""

    async def retirar(self, numeros: Sequence[int]) -> None:
        """Borra los envíos que el broker confirmó."""

    async def renovar(self, numeros: Sequence[int]) -> None:
        """Alarga el arriendo de los envíos que siguen en mano."""

    async def reservar_vencidos(self, limite: int) -> list[Envio]:
        """Toma en arriendo hasta `limite` envíos cuyo arriendo venció."""


class Relevo:
    """Publica envíos y retira los confirmados.

    Args:
        cliente: el del proceso.
        bandeja: de dónde salen los envíos vencidos y de dónde se retiran los confirmados.
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
        # Por su número: desde cuándo, y cuánto ocupa lo que aún hay que enviar.
        self._en_mano: dict[int, tuple[float, int]] = {}
        self._octetos = 0
        self._confirmados: dict[int, float] = {}
        self._hay_confirmados = asyncio.Event()
        self._tareas: set[asyncio.Task[None]] = set()
        self._caben = asyncio.Event()
        self._caben.set()
        self._barridos: set[int] = set()
        self._se_confirma_lo_barrido = asyncio.Event()

    async def abrir(self) -> None:
        """Empieza a barrer y a retirar en segundo plano."""
        self._publicador = Publicador(self._crear_productor, self._cliente.hay_sitio, self._ritmo.publicador)
        self._barrido = asyncio.create_task(self._siempre(self._barrer))
        self._retirada = asyncio.create_task(self._siempre(self._retirar_rafaga))

    def entregar(self, envios: Iterable[Envio]) -> None:
        """Toma envíos ya arrendados para publicarlos; los que no caben quedan para un barrido."""
        por_topico: dict[str, list[Envio]] = {}
        for envio in envios:
            if self._lleno:
                break
            if envio.numero not in self._en_mano and envio.numero not in self._confirmados:
                octetos = len(envio.sobre.carga)
                self._en_mano[envio.numero] = (time.monotonic(), octetos)
                self._octetos += octetos
                por_topico.setdefault(envio.sobre.topico, []).append(envio)
        if not self._sin_esperar:
            self._caben.clear()
        for topico, suyos in por_topico.items():
            tarea = asyncio.create_task(self._publicar(topico, suyos))
            self._tareas.add(tarea)
            tarea.add_done_callback(self._tareas.discard)

    async def esperar_a_que_quepan(self) -> None:
        """Vuelve cuando caben más envíos: lo que no se toma nada más depositarse tarda un arriendo en salir.

        Como mucho, tras un segundo: si el broker no los quiere, asentar comandos no espera por eso.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(self._ritmo.espera_a_que_quepan):
                await self._caben.wait()

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
        except (BaseDatosNoDisponible, TimeoutError):
            _registro.warning("se volverán a publicar envíos ya confirmados", cuantos=len(self._confirmados))
        if quedan := len(self._en_mano) + len(self._confirmados):
            _registro.info("quedan envíos en la bandeja de salida", cuantos=quedan)

    async def _publicar(self, topico: str, envios: Sequence[Envio]) -> None:
        try:
            async with asyncio.timeout(self._ritmo.espera_al_productor):
                await self._publicador.esperar(topico)
        except TimeoutError:
            for envio in envios:
                self._soltar(envio.numero)
            return
        for envio in envios:
            self._publicador.enviar(envio.sobre, partial(self._al_saber, topico, envio.numero))

    def _al_saber(self, topico: str, numero: int, confirmado: bool) -> None:  # noqa: FBT001
        self._metricas.envio(topico, confirmado)
        desde = self._soltar(numero)
        if confirmado:
            if numero in self._barridos:
                self._se_confirma_lo_barrido.set()
            self._confirmados[numero] = desde
            self._hay_confirmados.set()

    def _soltar(self, numero: int) -> float:
        """Deja de tenerlo en mano y dice desde cuándo lo tenía.

        Si sigue en la bandeja y no se confirmó, volverá cuando venza su arriendo.
        """
        desde, octetos = self._en_mano.pop(numero)
        self._octetos -= octetos
        if self._sin_esperar:
            self._caben.set()
        return desde

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
        numeros = list(self._confirmados)
        if numeros:
            await self._apuntando(self._bandeja.retirar(numeros))
        # Pudieron llegar más mientras tanto.
        for numero in numeros:
            del self._confirmados[numero]
        if not self._confirmados:
            self._hay_confirmados.clear()

    async def _barrer(self) -> None:
        await self._renovar()
        self._barridos.clear()
        self._se_confirma_lo_barrido.clear()
        # Lo que se está asentando tiene sitio aparte: si no, un atraso dejaría lo nuevo para otro barrido.
        libres = self._ritmo.en_mano_sin_esperar - len(self._en_mano)
        if libres > 0 and self._octetos < self._ritmo.octetos_sin_esperar:
            vencidos = await self._apuntando(self._bandeja.reservar_vencidos(libres))
            self._barridos.update(envio.numero for envio in vencidos)
            self.entregar(vencidos)
        with suppress(TimeoutError):
            async with asyncio.timeout(con_azar(self._ritmo.cada_barrido)):
                # Tras ellos puede haber más. Si el broker no los quiere, arrendarlos todos no sirve de nada.
                await self._se_confirma_lo_barrido.wait()
                await self._caben.wait()

    async def _renovar(self) -> None:
        """Alarga lo que sigue en la bandeja hace rato: si no, otro barrido lo publicaría también."""
        limite = time.monotonic() - self._ritmo.renovar_tras
        viejos = [numero for numero, (desde, _) in self._en_mano.items() if desde < limite]
        viejos += [numero for numero, desde in self._confirmados.items() if desde < limite]
        if viejos:
            await self._apuntando(self._bandeja.renovar(viejos))

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
