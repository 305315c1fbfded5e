"""Cuánto se espera entre intentos."""

import asyncio

import pytest

from alpespartners.seedwork.pausas import Pausas, con_azar, dormir

PAUSAS = Pausas(minima=0.5, maxima=3.0)


def test_cada_fallo_seguido_dobla_la_pausa_hasta_la_maxima() -> None:
    pausas = [PAUSAS.minima]
    for _ in range(4):
        pausas.append(PAUSAS.siguiente(pausas[-1]))
    assert pausas == [0.5, 1.0, 2.0, 3.0, 3.0]
    assert [PAUSAS.tras(fallos) for fallos in (1, 2, 3, 4, 2_000)] == [0.5, 1.0, 2.0, 3.0, 3.0]


def test_el_azar_nunca_alarga_una_pausa_ni_la_deja_en_menos_de_la_mitad() -> None:
    assert all(5.0 <= con_azar(10.0) <= 10.0 for _ in range(1_000))


@pytest.mark.parametrize(("pausa", "parada"), [(0.0, False), (3_600.0, True)])
async def test_se_duerme_la_pausa_o_hasta_que_haya_que_parar(pausa: float, parada: bool) -> None:  # noqa: FBT001
    parar = asyncio.Event()
    sueño = asyncio.create_task(dormir(pausa, parar))
    await asyncio.wait((sueño,), timeout=0.01 if parada else None)
    assert sueño.done() != parada
    if parada:
        parar.set()
        await sueño
