"""El cronómetro cuenta a cada parte lo suyo, y lo que envuelve hace lo de siempre."""

import asyncio
import time
from functools import partial
from types import SimpleNamespace

import pytest

from rendimiento.cronometro import Cronometro
from rendimiento.reparto import Gasto, repartir


def gastar(segundos: float) -> None:
    final = time.thread_time() + segundos
    while time.thread_time() < final:
        pass


def test_lo_que_gasta_una_funcion_no_se_cuenta_a_quien_la_llama() -> None:
    cronometro = Cronometro()
    modulo = SimpleNamespace()

    def fuera() -> None:
        gastar(0.01)
        modulo.dentro()
        gastar(0.01)

    modulo.dentro, modulo.fuera = partial(gastar, 0.03), fuera
    cronometro.envolver("dentro", modulo, "dentro")
    cronometro.envolver("fuera", modulo, "fuera")

    modulo.fuera()

    assert cronometro.partes["dentro"] > cronometro.partes["fuera"] >= 0.02 * 1e9
    assert cronometro.envueltas == 2


async def test_de_una_corrutina_no_cuenta_lo_que_hacen_otros_mientras_espera() -> None:
    cronometro = Cronometro()
    listo = asyncio.Event()

    async def espera() -> str:
        gastar(0.005)
        await listo.wait()
        return "fin"

    async def otra() -> None:
        gastar(0.05)
        listo.set()

    modulo = SimpleNamespace(espera=espera)
    cronometro.envolver("espera", modulo, "espera")
    resultado, _ = await asyncio.gather(modulo.espera(), otra())

    assert resultado == "fin"
    assert 0.005 * 1e9 <= cronometro.partes["espera"] < 0.05 * 1e9


async def test_los_errores_y_las_cancelaciones_atraviesan_lo_envuelto() -> None:
    cronometro = Cronometro()
    enterada = False

    async def espera() -> None:
        nonlocal enterada
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            enterada = True
            raise

    def rompe() -> None:
        raise ValueError("roto")

    modulo = SimpleNamespace(espera=espera, rompe=rompe)
    cronometro.envolver("x", modulo, "espera", "rompe")
    with pytest.raises(ValueError, match="roto"):
        modulo.rompe()
    tarea = asyncio.create_task(modulo.espera())
    await asyncio.sleep(0)
    tarea.cancel()
    with pytest.raises(asyncio.CancelledError):
        await tarea
    assert enterada


def test_las_partes_el_resto_y_los_hilos_ajenos_suman_la_cpu_del_proceso_sin_lo_de_medir() -> None:
    gasto = Gasto(partes={"a": 30, "b": 10}, hilos={"MainThread": 60, "otro": 20}, proceso=100, medir=5)

    partes = repartir(gasto, "resto")

    assert sum(partes.values()) == 95
    assert partes["resto"] == 35
    assert list(partes) == ["resto", "a", *(parte for parte in partes if partes[parte] == 20), "b"]
