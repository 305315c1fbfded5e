"""El lector de los tópicos de eventos, para quien los mira en vivo.

Qué es: un lector de Pulsar por partición mientras alguien mira, y otro, breve, para lo que le falta a quien
vuelve.
Qué no es: un consumidor. No confirma ni retiene nada, y no sabe quién mira.
Por qué existe: se empieza siempre por un lugar conocido, así que nada de lo que se publique queda sin leer
mientras el broker lo guarde. Véase docs/decisiones/0042.
"""

import asyncio
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Final, TypeVar
from uuid import UUID

from alpespartners.modulos.tracking.aplicacion.en_vivo.posiciones import PRINCIPIO, Lugar, Posiciones
from alpespartners.modulos.tracking.aplicacion.en_vivo.publicado import Publicado, Receptor
from alpespartners.modulos.tracking.aplicacion.puertos import BrokerNoDisponible
from alpespartners.modulos.tracking.infraestructura.en_vivo.canal import Canal, canales
from alpespartners.modulos.tracking.infraestructura.en_vivo.seguimiento import (
    RitmoDelSeguimiento,
    Seguimiento,
)
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import ClientePulsar, FalloDelBroker

T = TypeVar("T")

RITMO: Final = RitmoDelSeguimiento()
_HILOS: Final = 4
_CIFRAS_DE_EPOCA: Final = 8
_ESPERA_AL_REPASAR_MS: Final = 5_000
_ESPERA_AL_FINAL_MS: Final = 1_000


class LectorDeEventos:
    """Lee lo que se publica; cumple el puerto `TopicosDeEventos`.

    Args:
        ritmo: lo que espera al broker.
    """

    def __init__(self, ritmo: RitmoDelSeguimiento = RITMO) -> None:
        self._ritmo = ritmo
        self._cliente: ClientePulsar | None = None
        self._epoca = ""
        # Aparte de los de la API: uno atascado no le quita ninguno.
        self._hilos = ThreadPoolExecutor(_HILOS, "repaso-en-vivo")

    def abrir(self, cliente: ClientePulsar, epoca: UUID) -> None:
        """Lee con ese cliente, que es el del proceso, de un broker cuyos datos son de esa época."""
        self._cliente = cliente
        self._epoca = epoca.hex[:_CIFRAS_DE_EPOCA]

    @property
    def epoca(self) -> str:
        """Lo que distingue a los datos de este broker de otros con los mismos lugares."""
        return self._epoca

    async def seguir(self, receptor: Receptor) -> None:
        """Lee lo que se publique desde ahora hasta que se cancele; si el broker falta, insiste.

        Raises:
            BrokerNoDisponible: no se ha abierto.
        """
        await Seguimiento(self._abierto(), receptor, self._ritmo).seguir()

    async def finales(self) -> Posiciones:
        """El último mensaje que guarda ahora cada canal.

        Raises:
            BrokerNoDisponible: no se pudo preguntar.
        """
        cliente = self._abierto()
        return await self._leido(
            lambda: {canal.nombre: cliente.final(canal.particion) for canal in canales(cliente)}
        )

    async def repasar(
        self, desde: Posiciones, hasta: Posiciones, maximo: int, maximo_octetos: int
    ) -> list[Publicado] | None:
        """Devuelve lo publicado después de `desde` y hasta `hasta`, o `None` si es más de lo que se dice.

        Raises:
            BrokerNoDisponible: no se pudo leer.
        """
        cliente = self._abierto()

        def repasado() -> list[Publicado] | None:
            publicados: list[Publicado] = []
            octetos = 0
            for canal in canales(cliente):
                lugares = (posiciones.get(canal.nombre, PRINCIPIO) for posiciones in (desde, hasta))
                with closing(_entre(cliente, canal, *lugares)) as suyos:
                    for publicado in suyos:
                        octetos += publicado.octetos
                        if len(publicados) == maximo or octetos > maximo_octetos:
                            return None
                        publicados.append(publicado)
            return publicados

        return await self._leido(repasado)

    async def _leido(self, trabajo: Callable[[], T]) -> T:
        """Lo hace en un hilo.

        Raises:
            BrokerNoDisponible: el broker no respondió.
        """
        try:
            return await asyncio.get_running_loop().run_in_executor(self._hilos, trabajo)
        except FalloDelBroker as fallo:
            raise BrokerNoDisponible(str(fallo)) from fallo

    def _abierto(self) -> ClientePulsar:
        if self._cliente is None:
            raise BrokerNoDisponible
        return self._cliente


def _entre(cliente: ClientePulsar, canal: Canal, desde: Lugar, hasta: Lugar) -> Generator[Publicado]:
    if desde >= hasta:
        return
    lector = cliente.lector(canal.particion, desde)
    try:
        while lector.ultimo < hasta:
            # El embebido no dice cuántos mensajes lleva la última entrada, pero los envía todos juntos.
            es_la_ultima = lector.ultimo[:2] == hasta[:2]
            mensaje = lector.siguiente(_ESPERA_AL_FINAL_MS if es_la_ultima else _ESPERA_AL_REPASAR_MS)
            if mensaje is None:
                if es_la_ultima:
                    return
                raise BrokerNoDisponible("el broker se calla mensajes que guarda")
            if lector.ultimo <= hasta:
                yield canal.publicado(mensaje, lector.ultimo)
    finally:
        lector.cerrar()
