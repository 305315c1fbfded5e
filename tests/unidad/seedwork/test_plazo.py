"""Un plazo termina lo que espera demasiado, y solo eso."""

import asyncio

import pytest

from alpespartners.seedwork.plazo import Plazo


async def test_lo_que_no_llega_a_tiempo_termina_con_timeout_y_la_tarea_sigue() -> None:
    with pytest.raises(TimeoutError), Plazo(0.001):
        await asyncio.Event().wait()
    assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]
    await asyncio.sleep(0)


async def test_lo_que_llega_a_tiempo_no_nota_el_plazo() -> None:
    with Plazo(0.001):
        await asyncio.sleep(0)
    await asyncio.wait((asyncio.create_task(asyncio.Event().wait()),), timeout=0.01)


async def test_si_otro_cancela_la_tarea_manda_el_otro() -> None:
    dentro = asyncio.Event()

    async def esperar() -> None:
        with Plazo(30):
            dentro.set()
            await asyncio.Event().wait()

    tarea = asyncio.create_task(esperar())
    await dentro.wait()
    tarea.cancel()
    with pytest.raises(asyncio.CancelledError):
        await tarea


async def test_si_vence_y_ademas_otro_la_cancela_manda_el_otro() -> None:
    async def esperar() -> None:
        with Plazo(0):
            # Los dos avisos llegan en la misma vuelta del bucle, antes de que la tarea despierte.
            asyncio.get_running_loop().call_later(0, tarea.cancel)
            await asyncio.Event().wait()

    tarea = asyncio.create_task(esperar())
    with pytest.raises(asyncio.CancelledError):
        await tarea
