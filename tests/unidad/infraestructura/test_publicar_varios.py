"""El despachador con muchos comandos a la vez: un plazo, los turnos de todos y la causa de cada uno."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from alpespartners.modulos.tracking.aplicacion.comandos import Comando
from alpespartners.modulos.tracking.aplicacion.puertos import AlmacenamientoLleno, BrokerNoDisponible
from alpespartners.modulos.tracking.aplicacion.topicos import (
    COMANDO_REGISTRAR_CONVERSION,
    COMANDO_REGISTRAR_IMPRESION,
)
from alpespartners.modulos.tracking.infraestructura.despachadores import DespachadorPulsar
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import sobre_de_comando
from alpespartners.modulos.tracking.infraestructura.metricas import MetricasDePublicacion
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import FalloDelBroker, Productor
from alpespartners.modulos.tracking.infraestructura.pulsar.publicador import RitmoDelPublicador
from tests.apoyo.espera import hasta_en_el_bucle
from tests.apoyo.eventos import AHORA, CONVERSION, IMPRESION
from tests.apoyo.metricas import metricas_de_publicacion
from tests.apoyo.pulsar_falso import ClienteFalso, ProductorFalso

TOPICO = COMANDO_REGISTRAR_IMPRESION


def _comandos(cuantos: int) -> list[tuple[Comando, str]]:
    return [(replace(IMPRESION, id=f"imp-{numero}"), f"c-{numero}") for numero in range(cuantos)]


@asynccontextmanager
async def despachando(
    cliente: ClienteFalso, limite: float, **ajustes: Any
) -> AsyncGenerator[tuple[DespachadorPulsar, ProductorFalso]]:
    metricas = ajustes.pop("metricas", None) or metricas_de_publicacion()
    despachador = DespachadorPulsar(limite, metricas, **ajustes)
    await despachador.abrir(cliente)
    await hasta_en_el_bucle(lambda: despachador.disponible)
    yield despachador, cliente.productores[TOPICO]
    await despachador.cerrar()


async def test_que_uno_no_se_confirme_no_dice_nada_de_los_demas() -> None:
    async with despachando(ClienteFalso(), 5.0) as (despachador, productor):
        envio = asyncio.create_task(despachador.publicar_varios(_comandos(4), traza=None))
        await hasta_en_el_bucle(lambda: len(productor.enviados) == 4)
        productor.responder(confirmado=True, cuantos=1)
        productor.responder(confirmado=False, cuantos=1)
        productor.responder(confirmado=True)
        causas = await envio
        assert [None if causa is None else type(causa) for causa in causas] == [
            None,
            BrokerNoDisponible,
            None,
            None,
        ]


async def test_lo_que_va_acompañado_se_reune_en_un_lote_desde_el_primero_y_lo_que_va_solo_no() -> None:
    ritmo = RitmoDelPublicador(solo_tras=0.0)
    async with despachando(ClienteFalso(confirma_solo=True), 5.0, ritmo=ritmo) as (despachador, productor):
        await despachador.publicar_varios(_comandos(3), traza=None)
        assert productor.solos == 0
        await despachador.publicar_varios(_comandos(1), traza=None)
        assert productor.solos == 1


async def test_ni_muchos_juntos_pasan_de_los_que_puede_haber_en_curso() -> None:
    async with despachando(ClienteFalso(), 60.0, maximo_en_curso=2) as (despachador, productor):
        envio = asyncio.create_task(despachador.publicar_varios(_comandos(5), traza=None))
        await hasta_en_el_bucle(lambda: len(productor.enviados) == 2)
        productor.responder(confirmado=True)
        await hasta_en_el_bucle(lambda: len(productor.enviados) == 2)
        productor.responder(confirmado=True)
        await hasta_en_el_bucle(lambda: len(productor.enviados) == 1)
        productor.responder(confirmado=True)
        assert await envio == [None] * 5


@pytest.mark.parametrize("primero", [True, False])
async def test_el_de_un_topico_sin_productor_no_se_lleva_a_los_de_otro(primero: bool) -> None:  # noqa: FBT001
    class SinConversiones(ClienteFalso):
        def productor(self, topico: str, **ajustes: Any) -> Productor:
            if topico == COMANDO_REGISTRAR_CONVERSION:
                raise FalloDelBroker
            return super().productor(topico, **ajustes)

    despachador = DespachadorPulsar(0.2, metricas_de_publicacion())
    cliente = SinConversiones(confirma_solo=True)
    await despachador.abrir(cliente)
    await hasta_en_el_bucle(lambda: TOPICO in cliente.productores)
    impresiones, conversion = _comandos(5), (replace(CONVERSION, id="conv"), "c-conv")
    causas = await despachador.publicar_varios(
        [conversion, *impresiones] if primero else [*impresiones, conversion], traza=None
    )
    await despachador.cerrar()
    if not primero:
        causas.reverse()
    assert [type(causa) for causa in causas] == [BrokerNoDisponible, *[type(None)] * 5]


async def test_al_vencer_el_plazo_de_todos_los_que_faltan_son_un_broker_no_disponible() -> None:
    async with despachando(ClienteFalso(), 1.0, maximo_en_curso=3) as (despachador, productor):
        envio = asyncio.create_task(despachador.publicar_varios(_comandos(5), traza=None))
        await hasta_en_el_bucle(lambda: len(productor.enviados) == 3)
        productor.responder(confirmado=True, cuantos=1)
        causas = await envio
        assert [causa is None for causa in causas] == [True, False, False, False, False]
        # Las tardías devuelven su turno.
        productor.responder(confirmado=True)
        otro = asyncio.create_task(despachador.publicar_varios(_comandos(3), traza=None))
        await hasta_en_el_bucle(lambda: len(productor.enviados) == 3)
        productor.responder(confirmado=True)
        await otro


async def test_lo_que_se_confirma_cuando_ya_no_hay_sitio_no_vale_para_ninguno() -> None:
    sitio = [True]
    async with despachando(ClienteFalso(hay_sitio=lambda: bool(sitio)), 5.0) as (despachador, productor):
        envio = asyncio.create_task(despachador.publicar_varios(_comandos(2), traza=None))
        await hasta_en_el_bucle(lambda: len(productor.enviados) == 2)
        sitio.clear()
        productor.responder(confirmado=True)
        assert [type(causa) for causa in await envio] == [AlmacenamientoLleno] * 2
        await hasta_en_el_bucle(lambda: not despachador.disponible)
        assert [type(causa) for causa in await despachador.publicar_varios(_comandos(1), traza=None)] == [
            AlmacenamientoLleno
        ]
        assert productor.enviados == []


async def test_sin_abrir_o_ya_cerrado_no_se_publica_ninguno() -> None:
    despachador = DespachadorPulsar(1.0, metricas_de_publicacion())
    causas = await despachador.publicar_varios(_comandos(2), traza=None)
    assert [type(causa) for causa in causas] == [BrokerNoDisponible] * 2


async def test_se_cuenta_cada_uno_por_lo_que_fue_de_el() -> None:
    registro = CollectorRegistry()
    ajustes = {"metricas": MetricasDePublicacion(registro)}
    async with despachando(ClienteFalso(), 5.0, **ajustes) as (despachador, productor):
        envio = asyncio.create_task(despachador.publicar_varios(_comandos(5), traza=None))
        await hasta_en_el_bucle(lambda: len(productor.enviados) == 5)
        productor.responder(confirmado=True, cuantos=3)
        productor.responder(confirmado=False)
        await envio

    def contados(nombre: str) -> float | None:
        return registro.get_sample_value(nombre, {"topico": TOPICO})

    assert contados("alpes_comandos_aceptados_total") == 3
    assert contados("alpes_confirmacion_segundos_count") == 3
    assert contados("alpes_comandos_sin_confirmar_total") == 2


async def test_reenviar_publica_los_sobres_tal_cual_y_dice_cuales_se_confirmaron() -> None:
    async with despachando(ClienteFalso(), 5.0) as (despachador, productor):
        sobres = [sobre_de_comando(comando, comando_id, None) for comando, comando_id in _comandos(3)]
        reenvio = asyncio.create_task(despachador.reenviar(sobres))
        await hasta_en_el_bucle(lambda: len(productor.enviados) == 3)
        assert [sobre for sobre, _ in productor.enviados] == sobres
        productor.responder(confirmado=True, cuantos=1)
        productor.responder(confirmado=False, cuantos=1)
        productor.responder(confirmado=True)
        assert await reenvio == [True, False, True]


async def test_lo_reenviado_no_cuenta_como_recien_aceptado() -> None:
    async with despachando(ClienteFalso(confirma_solo=True), 5.0) as (despachador, _):
        sobres = [sobre_de_comando(comando, comando_id, None) for comando, comando_id in _comandos(1)]
        assert await despachador.reenviar(sobres) == [True]
        assert despachador.aceptado_antes_de(AHORA + timedelta(seconds=1)) == {}
