"""Los turnos: cuántos caben, por qué orden, y quién pasa con prisa."""

import asyncio
import gc
import weakref
from functools import partial

import pytest

from alpespartners.seedwork.turnos import Turnos
from tests.apoyo.espera import hasta_en_el_bucle


async def varios(turnos: Turnos, cuantos: int, dentro: list[int]) -> list["asyncio.Task[None]"]:
    """Tareas que piden sitio en su orden y se apuntan al tenerlo; vuelve cuando todas lo han pedido."""

    async def pedir(cual: int) -> None:
        await turnos.tomar()
        dentro.append(cual)

    tareas = [asyncio.create_task(pedir(cual)) for cual in range(cuantos)]
    await asyncio.sleep(0)
    return tareas


def estan(dentro: list[int], cuantos: int) -> bool:
    """Si están los primeros, en su orden y ninguno más."""
    return dentro == list(range(cuantos))


async def test_caben_los_que_caben_y_los_demas_entran_por_orden_de_llegada() -> None:
    turnos, dentro = Turnos(2, 1, 1), list[int]()
    tareas = await varios(turnos, 5, dentro)
    assert dentro == [0, 1]
    for hasta in (3, 4, 5):
        turnos.soltar()
        await hasta_en_el_bucle(partial(estan, dentro, hasta))
    await asyncio.gather(*tareas)


async def test_nadie_se_adelanta_a_quien_espera() -> None:
    turnos = Turnos(1, 1, 1)
    assert turnos.tomar_si_hay()
    espera = asyncio.create_task(turnos.tomar())
    await asyncio.sleep(0)
    turnos.soltar()
    assert not turnos.tomar_si_hay()
    await espera


async def test_con_todo_lleno_pasa_quien_tiene_prisa() -> None:
    turnos = Turnos(1, 1, 1)
    assert turnos.tomar_si_hay()
    assert turnos.pasar()


async def test_mientras_pasa_alguien_con_prisa_caben_menos_y_todos_acaban_entrando() -> None:
    turnos, dentro = Turnos(10, 3, 1), list[int]()
    assert turnos.pasar()
    tareas = await varios(turnos, 6, dentro)
    assert dentro == [0, 1]
    for hasta in (3, 4, 5, 6):
        turnos.soltar()
        await hasta_en_el_bucle(partial(estan, dentro, hasta))
    await asyncio.gather(*tareas)


async def test_cuantos_mas_pasan_con_prisa_menos_caben_y_siempre_los_reservados() -> None:
    caben = []
    for con_prisa in range(6):
        turnos = Turnos(10, 4, 2)
        for _ in range(con_prisa):
            assert turnos.pasar()
        caben.append(sum(turnos.tomar_si_hay() for _ in range(20)))
    assert caben == [10, 3, 2, 2, 2, 2]


async def test_quien_se_va_mientras_espera_no_deja_nada(monkeypatch: pytest.MonkeyPatch) -> None:
    bucle, esperas = asyncio.get_running_loop(), list[weakref.ref[asyncio.Future[None]]]()
    crear = bucle.create_future

    def creada() -> asyncio.Future[None]:
        esperas.append(weakref.ref(futuro := crear()))
        return futuro

    turnos, dentro = Turnos(1, 1, 1), list[int]()
    monkeypatch.setattr(bucle, "create_future", creada)
    tareas = await varios(turnos, 4, dentro)
    monkeypatch.undo()
    for tarea in tareas[1:]:
        tarea.cancel()
    await asyncio.wait(tareas)
    tareas.clear()
    del tarea
    gc.collect()
    assert [espera() for espera in esperas] == [None] * 3


async def test_cuando_acaba_el_ultimo_con_prisa_entran_todos_los_que_caben() -> None:
    turnos, dentro = Turnos(5, 1, 1), list[int]()
    assert turnos.pasar()
    assert turnos.pasar()
    tareas = await varios(turnos, 6, dentro)
    turnos.salir()
    assert not turnos.tomar_si_hay()
    assert dentro == [0]
    turnos.salir()
    await hasta_en_el_bucle(lambda: dentro == [0, 1, 2, 3, 4])
    turnos.soltar()
    await asyncio.gather(*tareas)


async def test_con_prisa_tampoco_pasan_sin_fin() -> None:
    turnos = Turnos(2, 1, 1)
    assert [turnos.pasar() for _ in range(3)] == [True, True, False]
    turnos.salir()
    assert turnos.pasar()


async def test_quien_se_va_mientras_espera_no_ocupa_sitio() -> None:
    turnos, dentro = Turnos(1, 1, 1), list[int]()
    tareas = await varios(turnos, 3, dentro)
    tareas[1].cancel()
    await asyncio.wait({tareas[1]})
    turnos.soltar()
    await tareas[2]
    assert dentro == [0, 2]
    turnos.soltar()
    assert turnos.tomar_si_hay()


async def test_el_sitio_que_se_da_a_quien_ya_se_iba_pasa_al_siguiente() -> None:
    turnos, dentro = Turnos(1, 1, 1), list[int]()
    tareas = await varios(turnos, 3, dentro)
    # Se le da y se va antes de correr.
    turnos.soltar()
    tareas[1].cancel()
    await tareas[2]
    assert dentro == [0, 2]
    # Se va, y antes de correr le tocaría.
    otra = asyncio.create_task(turnos.tomar())
    ultima = asyncio.create_task(turnos.tomar())
    await asyncio.sleep(0)
    otra.cancel()
    turnos.soltar()
    await ultima
