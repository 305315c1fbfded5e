"""La recepción de un clic: al broker si responde enseguida, y si no a la cola."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from alpespartners.modulos.tracking.aplicacion.clics import RecepcionDeClics
from alpespartners.modulos.tracking.aplicacion.comandos import Comando
from tests.apoyo.clics import ColaEnMemoria
from tests.apoyo.espera import hasta_en_el_bucle
from tests.apoyo.eventos import IMPRESION
from tests.apoyo.memoria import PuertosEnMemoria


@dataclass
class _BrokerLento(PuertosEnMemoria):
    """No dice nada hasta que la prueba quiere."""

    por_responder: list[Callable[[bool], None]] = field(default_factory=list)

    def publicar_enseguida(
        self, comando: Comando, al_saber: Callable[[bool], None], *, comando_id: str, traza: str | None
    ) -> None:
        self.publicados.append((comando, comando_id, traza))
        self.por_responder.append(al_saber)

    def responder(self, *, confirmado: bool) -> None:
        self.por_responder.pop()(confirmado)


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
    broker, cola = _BrokerLento(), ColaEnMemoria()
    clic = asyncio.create_task(
        RecepcionDeClics(broker, cola, 30).recibir(IMPRESION, comando_id="c-1", traza="t")
    )
    await hasta_en_el_bucle(lambda: bool(broker.por_responder))
    broker.responder(confirmado=False)
    await clic
    assert cola.guardados == [(IMPRESION, "c-1", "t")]
    assert cola.en_curso == [None]


async def test_si_el_broker_tarda_se_guarda_y_el_envio_sigue() -> None:
    broker, cola = _BrokerLento(), ColaEnMemoria()
    await RecepcionDeClics(broker, cola, 0.01).recibir(IMPRESION, comando_id="c-1", traza="t")
    assert cola.guardados == [(IMPRESION, "c-1", "t")]
    (envio,) = cola.en_curso
    assert envio is not None
    broker.responder(confirmado=True)
    assert await envio
    assert broker.publicados == [(IMPRESION, "c-1", "t")]


async def test_si_quien_hizo_clic_se_va_su_envio_sigue() -> None:
    broker, cola = _BrokerLento(), ColaEnMemoria()
    clic = asyncio.create_task(
        RecepcionDeClics(broker, cola, 30).recibir(IMPRESION, comando_id="c-1", traza="t")
    )
    await hasta_en_el_bucle(lambda: bool(broker.por_responder))
    clic.cancel()
    await asyncio.wait({clic})
    broker.responder(confirmado=True)
    assert broker.publicados == [(IMPRESION, "c-1", "t")]
    assert cola.guardados == []
