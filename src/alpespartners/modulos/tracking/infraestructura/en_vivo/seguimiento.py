"""El seguimiento: leer todos los canales a la vez, cada uno por donde iba, aunque el broker se vaya y vuelva.

Qué es: una tarea por canal, que lee en un hilo y entrega en el bucle antes de leer más.
Qué no es: quien guarda lo leído; si tarda, el lector espera, y lo demás espera en el broker.
Por qué existe: un canal que se callara sin decirlo parecería uno en el que no pasa nada.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeVar

import structlog

from alpespartners.modulos.tracking.aplicacion.en_vivo.posiciones import PRINCIPIO, Lugar, Posiciones
from alpespartners.modulos.tracking.aplicacion.en_vivo.publicado import Publicado, Receptor
from alpespartners.modulos.tracking.infraestructura.en_vivo.canal import Canal, canales
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import (
    ClientePulsar,
    FalloDelBroker,
    Lector,
)
from alpespartners.seedwork.pausas import Pausas, con_azar

T = TypeVar("T")

_HILOS: Final = 64
"""Como mucho: solo nacen los que se usan, uno por canal y otro para cerrar."""
_OCTETOS_DE_UNA_ENTREGA: Final = 4 * 1024 * 1024

_registro: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RitmoDelSeguimiento:
    """Lo que se espera al broker.

    Attributes:
        espera_ms: a un mensaje, antes de mirar si sigue ahí.
        entrega: mensajes que se entregan de una vez.
        desconexion_tolerada: esperas seguidas sin conexión tras las que se hace otro lector: el cliente
            espacia sus intentos hasta un minuto, y uno nuevo empieza sin espera.
        silencios: esperas sin mensajes tras las que se comprueba que el broker no se calla ninguno.
        entre_particiones: segundos entre las veces que se mira si un tópico tiene más.
        para_cerrar: segundos que se espera al broker para cerrar.
        pausas: entre un intento y otro.
    """

    espera_ms: int = 1_000
    entrega: int = 200
    desconexion_tolerada: int = 5
    silencios: int = 5
    entre_particiones: float = 60.0
    para_cerrar: float = 2.0
    pausas: Pausas = field(default_factory=Pausas)


class Seguimiento:
    """Lo que se lee desde que alguien mira hasta que nadie lo hace.

    Args:
        cliente: el del proceso.
        receptor: a quien se entrega.
        ritmo: lo que se espera al broker.
    """

    def __init__(self, cliente: ClientePulsar, receptor: Receptor, ritmo: RitmoDelSeguimiento) -> None:
        self._cliente = cliente
        self._receptor = receptor
        self._ritmo = ritmo
        self._hilos = ThreadPoolExecutor(_HILOS, "en-vivo")
        self._terminado = threading.Event()
        self._canales: set[Canal] = set()
        self._sin_conexion: set[Canal] = set()

    async def seguir(self) -> None:
        """Lee hasta que se cancele."""
        try:
            posiciones = await self._insistir(self._situado)
            self._receptor.situar(posiciones)
            self._receptor.conectado(con_broker=True)
            async with asyncio.TaskGroup() as grupo:
                for canal in self._canales:
                    grupo.create_task(self._leer(canal, posiciones[canal.nombre]))
                while True:
                    await asyncio.sleep(self._ritmo.entre_particiones)
                    await self._leer_los_nuevos(grupo)
        finally:
            self._terminado.set()
            # Sin esperar: si el broker no responde, acaban cuando se cierra el cliente.
            self._hilos.shutdown(wait=False)

    def _situado(self) -> Posiciones:
        """Corre en un hilo: dónde acaba ahora cada canal."""
        self._canales = set(canales(self._cliente))
        return {canal.nombre: self._cliente.final(canal.particion) for canal in self._canales}

    async def _leer_los_nuevos(self, grupo: asyncio.TaskGroup) -> None:
        """Si un tópico tiene más particiones, lo de las nuevas se lee desde su principio."""
        with suppress(FalloDelBroker):
            for canal in set(await self._en_un_hilo(lambda: list(canales(self._cliente)))) - self._canales:
                self._canales.add(canal)
                self._receptor.situar({canal.nombre: PRINCIPIO})
                grupo.create_task(self._leer(canal, PRINCIPIO))

    async def _leer(self, canal: Canal, ultimo: Lugar) -> None:
        while True:
            lector = await self._insistir(partial(self._abierto, canal, ultimo), canal)
            self._anotar_conexion(canal, conectado=True)
            try:
                await self._leer_de(lector, canal)
            except FalloDelBroker as fallo:
                _registro.warning("hay que volver a leer en vivo", canal=canal.nombre, fallo=str(fallo))
            finally:
                await self._cerrar(lector)
            ultimo = lector.entregado

    async def _leer_de(self, lector: "_LectorDeCanal", canal: Canal) -> None:
        """Vuelve si lleva demasiado sin conexión.

        Raises:
            FalloDelBroker: el lector ya no sirve.
        """
        esperas = sin_conexion = 0
        while sin_conexion < self._ritmo.desconexion_tolerada:
            esperas += 1
            comprobar = esperas % self._ritmo.silencios == 0
            publicados = await self._en_un_hilo(partial(lector.recoger, comprobar=comprobar))
            if publicados:
                self._receptor.recibir(publicados)
                lector.entregado = publicados[-1].lugar
                esperas = 0
            conectado = lector.conectado
            sin_conexion = 0 if conectado else sin_conexion + 1
            self._anotar_conexion(canal, conectado=conectado)

    def _abierto(self, canal: Canal, desde: Lugar) -> "_LectorDeCanal":
        """Corre en un hilo."""
        lector = self._cliente.lector(canal.particion, desde)
        if self._terminado.is_set():
            lector.cerrar()
        return _LectorDeCanal(lector, canal, self._ritmo)

    async def _cerrar(self, lector: "_LectorDeCanal") -> None:
        """Cierra, y despierta a quien lea; si el broker no responde, lo hará el cierre del cliente."""
        cierre = asyncio.get_running_loop().run_in_executor(self._hilos, lector.cerrar)
        cierre.add_done_callback(_dar_por_visto)
        await asyncio.wait((cierre,), timeout=self._ritmo.para_cerrar)

    def _anotar_conexion(self, canal: Canal, *, conectado: bool) -> None:
        if conectado:
            self._sin_conexion.discard(canal)
        else:
            self._sin_conexion.add(canal)
        self._receptor.conectado(con_broker=not self._sin_conexion)

    async def _insistir(self, trabajo: Callable[[], T], canal: Canal | None = None) -> T:
        """Lo hace en un hilo hasta que el broker responde."""
        pausa = self._ritmo.pausas.minima
        while True:
            try:
                return await self._en_un_hilo(trabajo)
            except FalloDelBroker as fallo:
                if canal is not None:
                    self._sin_conexion.add(canal)
                self._receptor.conectado(con_broker=False)
                _registro.warning("no se puede leer en vivo", fallo=str(fallo), pausa=pausa)
                await asyncio.sleep(con_azar(pausa))
                pausa = self._ritmo.pausas.siguiente(pausa)

    async def _en_un_hilo(self, trabajo: Callable[[], T]) -> T:
        """Si se cancela, el hilo acaba solo: interrumpirlo perdería lo que estuviera leyendo."""
        futuro = asyncio.get_running_loop().run_in_executor(self._hilos, trabajo)
        futuro.add_done_callback(_dar_por_visto)
        await asyncio.wait((futuro,))
        return futuro.result()


class _LectorDeCanal:
    """Un lector de un canal; menos `entregado`, corre en un hilo."""

    def __init__(self, lector: Lector, canal: Canal, ritmo: RitmoDelSeguimiento) -> None:
        self._lector = lector
        self._canal = canal
        self._ritmo = ritmo
        self.entregado = lector.ultimo
        self.cerrar = lector.cerrar

    @property
    def conectado(self) -> bool:
        """Dice si tiene conexión."""
        return self._lector.conectado

    def recoger(self, *, comprobar: bool) -> list[Publicado]:
        """Los mensajes que ya estén y, si no hay ninguno, el primero que llegue a tiempo.

        Raises:
            FalloDelBroker: el lector ya no sirve, o al comprobarlo el broker se calla algo que guarda.
        """
        publicados: list[Publicado] = []
        octetos, espera = 0, self._ritmo.espera_ms
        while len(publicados) < self._ritmo.entrega and octetos < _OCTETOS_DE_UNA_ENTREGA:
            mensaje = self._lector.siguiente(espera)
            if mensaje is None and espera and comprobar and self._lector.conectado and self._lector.hay_mas():
                mensaje = self._lector.siguiente(espera)
                if mensaje is None and self._lector.conectado:
                    raise FalloDelBroker("el broker se calla mensajes que guarda")
            if mensaje is None:
                break
            espera = 0
            publicados.append(self._canal.publicado(mensaje, self._lector.ultimo))
            octetos += publicados[-1].octetos
        return publicados


def _dar_por_visto(futuro: asyncio.Future[Any]) -> None:
    """Si ya no lo espera nadie, un fallo no cambia nada."""
    if not futuro.cancelled():
        futuro.exception()
