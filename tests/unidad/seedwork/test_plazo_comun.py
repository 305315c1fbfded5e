"""Un plazo común a muchas esperas."""

import asyncio
import weakref
from collections.abc import Callable

import pytest

from alpespartners.seedwork.plazo_comun import PlazoComun
from tests.apoyo.espera import hasta_en_el_bucle

SEGUNDOS_DE_SOBRA = 60.0


async def test_lo_que_llega_a_tiempo_es_lo_que_vale() -> None:
    futuro = PlazoComun[str](SEGUNDOS_DE_SOBRA).futuro()
    futuro.set_result("a tiempo")
    assert await futuro == "a tiempo"


async def test_lo_que_no_llega_a_tiempo_vale_none() -> None:
    assert await PlazoComun[str](0.01).futuro() is None


async def test_cada_espera_tiene_su_plazo_entero_y_vencen_en_el_orden_en_que_empezaron() -> None:
    plazo, orden = PlazoComun[str](0.05), list[str]()
    bucle = asyncio.get_running_loop()

    async def esperar(cual: str) -> float:
        comienzo = bucle.time()
        assert await plazo.futuro() is None
        orden.append(cual)
        return bucle.time() - comienzo

    primera = asyncio.create_task(esperar("primera"))
    await asyncio.sleep(0.02)
    segunda = asyncio.create_task(esperar("segunda"))
    assert min(await primera, await segunda) >= 0.05 - 1e-6
    assert orden == ["primera", "segunda"]


async def test_lo_que_ya_acabo_no_estorba_a_lo_que_sigue_esperando() -> None:
    plazo = PlazoComun[str](0.01)
    contestada, cancelada, callada = plazo.futuro(), plazo.futuro(), plazo.futuro()
    contestada.set_result("sí")
    cancelada.cancel()
    assert await callada is None
    assert contestada.result() == "sí"
    assert cancelada.cancelled()


async def test_lo_que_ya_acabo_no_se_guarda_hasta_que_venza() -> None:
    plazo = PlazoComun[str](SEGUNDOS_DE_SOBRA)
    acabada = plazo.futuro()
    acabada.set_result("sí")
    guardada = weakref.ref(acabada)
    del acabada
    plazo.futuro()
    assert guardada() is None


async def test_tras_vencer_todas_se_puede_volver_a_esperar() -> None:
    plazo = PlazoComun[str](0.01)
    assert await plazo.futuro() is None
    assert await plazo.futuro() is None


async def test_hay_un_solo_temporizador_por_muchas_que_esperen(monkeypatch: pytest.MonkeyPatch) -> None:
    bucle = asyncio.get_running_loop()
    puestos: list[float] = []
    poner = bucle.call_at

    def anotando(cuando: float, que: Callable[[], None]) -> asyncio.TimerHandle:
        puestos.append(cuando)
        return poner(cuando, que)

    with monkeypatch.context() as puesto:
        puesto.setattr(bucle, "call_at", anotando)
        plazo = PlazoComun[str](0.05)
        esperas = [plazo.futuro() for _ in range(1_000)]
    assert len(puestos) == 1
    await hasta_en_el_bucle(lambda: all(espera.done() for espera in esperas))
