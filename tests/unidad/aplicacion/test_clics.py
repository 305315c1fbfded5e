"""La recepción de un clic: al broker si responde enseguida, y si no a la cola."""

import asyncio
from dataclasses import dataclass, field

from alpespartners.modulos.tracking.aplicacion.clics import RecepcionDeClics
from alpespartners.modulos.tracking.aplicacion.comandos import Comando
from alpespartners.modulos.tracking.aplicacion.puertos import BrokerNoDisponible
from tests.apoyo.clics import ColaEnMemoria
from tests.apoyo.eventos import IMPRESION
from tests.apoyo.memoria import PuertosEnMemoria


@dataclass
class _BrokerLento(PuertosEnMemoria):
    """No dice nada hasta que la prueba quiere."""

    respuesta: asyncio.Event = field(default_factory=asyncio.Event)
    falla: bool = False

    async def publicar(self, comando: Comando, *, comando_id: str, traza: str | None) -> None:
        await self.respuesta.wait()
        if self.falla:
            raise BrokerNoDisponible
        await super().publicar(comando, comando_id=comando_id, traza=traza)


async def test_lo_que_el_broker_confirma_enseguida_no_pasa_por_la_cola() -> None:
    broker, cola = PuertosEnMemoria(), ColaEnMemoria()
    await RecepcionDeClics(broker, cola, 30).recibir(IMPRESION, comando_id="c-1", traza="t")
    assert broker.publicados == [(IMPRESION, "c-1", "t")]
    assert cola.guardados == []


async def test_sin_broker_se_guarda_sin_esperar() -> None:
    cola = ColaEnMemoria()
    await RecepcionDeClics(_BrokerLento(disponible=False), cola, 30).recibir(
        IMPRESION, comando_id="c-1", traza="t"
    )
    assert cola.guardados == [(IMPRESION, "c-1", "t")]
    assert cola.en_curso == [None]


async def test_si_el_broker_falla_se_guarda_con_su_misma_identidad() -> None:
    broker, cola = _BrokerLento(falla=True), ColaEnMemoria()
    broker.respuesta.set()
    await RecepcionDeClics(broker, cola, 30).recibir(IMPRESION, comando_id="c-1", traza="t")
    assert cola.guardados == [(IMPRESION, "c-1", "t")]
    assert cola.en_curso == [None]


async def test_si_el_broker_tarda_se_guarda_y_el_envio_sigue() -> None:
    broker, cola = _BrokerLento(), ColaEnMemoria()
    await RecepcionDeClics(broker, cola, 0.01).recibir(IMPRESION, comando_id="c-1", traza="t")
    assert cola.guardados == [(IMPRESION, "c-1", "t")]
    (envio,) = cola.en_curso
    assert envio is not None
    broker.respuesta.set()
    assert await envio
    assert broker.publicados == [(IMPRESION, "c-1", "t")]
