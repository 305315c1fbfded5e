"""Escribir una tanda de comandos en el libro: una transacción, y después de su commit los envíos al relevo.

Qué es: la transacción del consumo, con sus mensajes en mano mientras dura.
Por qué existe: lo que se decide y lo que se publica se guardan juntos o no se guardan.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from alpespartners.modulos.tracking.aplicacion.mensajes import (
    ComandoRecibido,
    LoteAsentado,
    MensajeIlegible,
)
from alpespartners.modulos.tracking.aplicacion.puertos import Transaccion, UnidadTrabajo
from alpespartners.modulos.tracking.infraestructura.consumo.apertura import Entrada
from alpespartners.modulos.tracking.infraestructura.consumo.en_mano import EnMano
from alpespartners.modulos.tracking.infraestructura.consumo.relevo import Relevo


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
    ) -> LoteAsentado:
        """Asienta el lote en la transacción."""

    def rechazar(
        self, mensaje: ComandoRecibido[Any], transaccion: Transaccion, ahora: datetime
    ) -> LoteAsentado:
        """Rechaza un comando cuyos datos no admite la base de datos."""


class Escrita(NamedTuple):
    """Lo que una transacción hizo con una tanda, y los segundos que tardó."""

    asentado: LoteAsentado
    segundos: float


class Escritor:
    """Escribe tandas de un tópico.

    Args:
        manejador: decide los destinos.
        libro: donde se escriben.
        relevo: publica lo que deja cada transacción.
        en_mano: donde queda escrito con qué se está trabajando.
        reloj: la hora en UTC.
    """

    def __init__(
        self,
        manejador: Manejador,
        libro: UnidadTrabajo,
        relevo: Relevo,
        en_mano: EnMano,
        reloj: Callable[[], datetime],
    ) -> None:
        self._manejador = manejador
        self._libro = libro
        self._relevo = relevo
        self._en_mano = en_mano
        self._reloj = reloj

    async def escribir(self, tanda: Sequence[Entrada]) -> Escrita:
        """Escribe la tanda y vuelve tras su commit; si falla, no queda nada. Una entrada rechazada va sola.

        Antes espera a que el relevo tenga sitio para lo que resulte.

        Raises:
            BaseDatosOcupada: la base de datos está y no pudo con esta tanda.
            BaseDatosNoDisponible: la base de datos no respondió.
            DatosRechazados: no admite los datos de una de las entradas.
            Exception: el programa falló con una de ellas.
        """

        def trabajo(transaccion: Transaccion) -> LoteAsentado:
            with self._en_mano.trabajando(_claves(tanda)):
                return self._asentar(tanda, transaccion)

        await self._relevo.esperar_a_que_quepan()
        inicio = time.monotonic()
        asentado = await self._libro.ejecutar(trabajo)
        return Escrita(asentado, time.monotonic() - inicio)

    def tras_el_commit(self, tanda: Sequence[Entrada], escrita: Escrita) -> None:
        """Deja libres de sospecha a sus mensajes y en manos del relevo sus envíos: ya se puede confirmar."""
        self._en_mano.asentados(_claves(tanda))
        self._relevo.entregar(escrita.asentado.envios)

    def _asentar(self, tanda: Sequence[Entrada], transaccion: Transaccion) -> LoteAsentado:
        unica = tanda[0]
        if unica.rechazada and not isinstance(unica.contenido, MensajeIlegible):
            return self._manejador.rechazar(unica.contenido, transaccion, self._reloj())
        contenidos = [entrada.contenido for entrada in tanda]
        return self._manejador.manejar(contenidos, transaccion, self._reloj())


def _claves(tanda: Sequence[Entrada]) -> list[str]:
    return [entrada.clave for entrada in tanda]
