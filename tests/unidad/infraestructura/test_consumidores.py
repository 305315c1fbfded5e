"""El bucle de los consumidores: suscribirse, insistir y parar a tiempo."""

import asyncio
import threading
from dataclasses import replace
from typing import Any

import pytest

from alpespartners.modulos.tracking.aplicacion.topicos import COMANDO_REGISTRAR_IMPRESION
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import MensajeRecibido
from tests.apoyo.consumo_falso import RITMO, Consumo
from tests.apoyo.espera import hasta_en_el_bucle
from tests.apoyo.pulsar_falso import SuscripcionFalsa


@pytest.fixture
def prueba() -> Consumo:
    return Consumo()


async def test_dice_que_falta_la_base_de_datos_hasta_que_responde(prueba: Consumo) -> None:
    prueba.libro.fallos = 1_000_000
    prueba.llegan("a")
    async with prueba.consumiendo() as del_proceso:
        assert del_proceso.hay_base_datos()
        await hasta_en_el_bucle(lambda: not del_proceso.hay_base_datos())
        assert prueba.contadas.get_sample_value("alpes_base_datos_fallos_total")
        prueba.libro.fallos = 0
        await prueba.confirmados("a")
        assert del_proceso.hay_base_datos()
        prueba.relevo.hay_base_datos = False
        assert not del_proceso.hay_base_datos()


async def test_si_pierde_la_suscripcion_hace_otra(prueba: Consumo) -> None:
    async with prueba.consumiendo():
        otra = SuscripcionFalsa()
        prueba.cliente.suscripciones.append(otra)
        await hasta_en_el_bucle(lambda: len(prueba.cliente.suscripciones) == 1)
        prueba.suscripcion.rota = True
        await hasta_en_el_bucle(lambda: not prueba.cliente.suscripciones)
        assert prueba.suscripcion.cerrada.is_set()
        prueba.suscripcion = otra
        prueba.llegan("a")
        await prueba.confirmados("a")


async def test_una_suscripcion_que_no_recupera_la_conexion_se_cambia_por_otra(prueba: Consumo) -> None:
    prueba.ritmo = replace(RITMO, espera_ms=1, desconexion_tolerada=0.0)
    async with prueba.consumiendo() as del_proceso:
        await hasta_en_el_bucle(lambda: del_proceso.suscripciones() == {COMANDO_REGISTRAR_IMPRESION: True})
        perdida, prueba.suscripcion = prueba.suscripcion, SuscripcionFalsa()
        perdida.esta_conectada = False
        assert del_proceso.suscripciones() == {COMANDO_REGISTRAR_IMPRESION: False}
        prueba.cliente.suscripciones.append(prueba.suscripcion)
        await hasta_en_el_bucle(lambda: del_proceso.suscripciones() == {COMANDO_REGISTRAR_IMPRESION: True})
        assert perdida.cerrada.is_set()
        prueba.llegan("a")
        await prueba.confirmados("a")


async def test_si_el_broker_no_esta_insiste(prueba: Consumo) -> None:
    prueba.cliente.fallos = 3
    prueba.llegan("a")
    async with prueba.consumiendo():
        await prueba.confirmados("a")
    assert len(prueba.cliente.pedidos) == 4


async def test_al_parar_con_la_base_de_datos_caida_no_se_confirma_nada_y_se_vuelve_enseguida(
    prueba: Consumo,
) -> None:
    prueba.libro.fallos = 1_000_000
    prueba.llegan("a")
    async with prueba.consumiendo():
        await hasta_en_el_bucle(lambda: prueba.libro.fallos < 1_000_000)
    assert prueba.suscripcion.confirmados == []
    assert prueba.suscripcion.cerrada.is_set()


async def test_al_parar_no_se_espera_a_una_transaccion_que_no_termina(
    prueba: Consumo, monkeypatch: pytest.MonkeyPatch
) -> None:
    empezada = asyncio.Event()

    async def no_termina(_trabajo: Any) -> Any:
        empezada.set()
        await asyncio.Event().wait()

    prueba.ritmo = replace(RITMO, para_asentar=0.01)
    monkeypatch.setattr(prueba.libro, "ejecutar", no_termina)
    prueba.llegan("a")
    async with prueba.consumiendo():
        await empezada.wait()
    assert prueba.suscripcion.confirmados == []
    assert prueba.suscripcion.cerrada.is_set()
    assert prueba.relevo.cerrado_en is not None


async def test_al_parar_no_queda_ningun_hilo_esperando_a_que_termine_esa_transaccion(
    prueba: Consumo, monkeypatch: pytest.MonkeyPatch
) -> None:
    empezada = asyncio.Event()

    async def no_termina(_trabajo: Any) -> Any:
        empezada.set()
        await asyncio.Event().wait()

    def recibir_contando(espera_ms: int) -> MensajeRecibido | None:
        esperas.append(espera_ms)
        return recibir(espera_ms)

    esperas: list[int] = []
    recibir = prueba.suscripcion.recibir
    prueba.ritmo = replace(RITMO, para_asentar=0.01, para_cerrar=0.01)
    monkeypatch.setattr(prueba.suscripcion, "recibir", recibir_contando)
    monkeypatch.setattr(prueba.libro, "ejecutar", no_termina)
    prueba.llegan("a")
    async with prueba.consumiendo():
        await empezada.wait()
        # Los tres del primer lote, y el que precede a esperar el turno del segundo.
        await hasta_en_el_bucle(lambda: len(esperas) == 4)
    del_consumidor = f"consumidor-{COMANDO_REGISTRAR_IMPRESION}"
    await hasta_en_el_bucle(
        lambda: not [hilo for hilo in threading.enumerate() if hilo.name.startswith(del_consumidor)]
    )
