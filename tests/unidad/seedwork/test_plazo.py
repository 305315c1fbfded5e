"""Un plazo termina lo que espera demasiado, y solo eso."""

import asyncio
import weakref

import pytest

from alpespartners.seedwork.plazo import Plazo, PlazoComun, en_el_plazo


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


async def test_una_espera_que_no_espera_devuelve_su_valor_o_su_error_sin_temporizador() -> None:
    async def valor() -> int:
        return 7

    async def fallo() -> None:
        raise ValueError("roto")

    assert await en_el_plazo(valor(), 0) == 7
    with pytest.raises(ValueError, match="roto"):
        await en_el_plazo(fallo(), 0)


async def test_una_espera_que_espera_varias_veces_acaba_a_tiempo_con_su_valor() -> None:
    futuro = asyncio.get_running_loop().create_future()

    async def espera() -> str:
        await asyncio.sleep(0)
        return f"{await futuro} y fin"

    asyncio.get_running_loop().call_soon(lambda: asyncio.get_running_loop().call_soon(futuro.set_result, 1))
    assert await en_el_plazo(espera(), 30) == "1 y fin"


async def test_una_espera_que_pasa_del_plazo_termina_con_timeout_y_por_dentro_se_entera() -> None:
    enterada = False

    async def espera() -> None:
        nonlocal enterada
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            enterada = True
            raise

    with pytest.raises(TimeoutError):
        await en_el_plazo(espera(), 0.001)
    assert enterada
    assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]


async def test_quien_cancela_una_espera_en_el_plazo_la_cancela_y_no_hay_timeout() -> None:
    dentro = asyncio.Event()

    async def espera() -> None:
        dentro.set()
        await asyncio.Event().wait()

    tarea = asyncio.create_task(en_el_plazo(espera(), 30))
    await dentro.wait()
    tarea.cancel()
    with pytest.raises(asyncio.CancelledError):
        await tarea


async def test_en_un_plazo_comun_cada_futuro_sin_resultado_recibe_el_de_vencido_a_su_hora() -> None:
    bucle = asyncio.get_running_loop()
    plazo: PlazoComun[str | None] = PlazoComun(0.02, None)
    contestado, mudo, tardio = (bucle.create_future() for _ in range(3))
    comienzo = bucle.time()
    plazo.vigilar(contestado)
    plazo.vigilar(mudo)
    contestado.set_result("sí")
    await asyncio.sleep(0.01)
    plazo.vigilar(tardio)
    assert await mudo is None
    assert await tardio is None
    assert bucle.time() - comienzo >= 0.03
    assert contestado.result() == "sí"


async def test_un_plazo_comun_que_se_quedo_sin_nada_que_vigilar_sirve_otra_vez() -> None:
    bucle = asyncio.get_running_loop()
    plazo: PlazoComun[str | None] = PlazoComun(0.005, None)
    for _ in range(2):
        futuro = bucle.create_future()
        plazo.vigilar(futuro)
        assert await futuro is None
        await asyncio.sleep(0)


async def test_un_plazo_comun_no_guarda_los_futuros_que_ya_tienen_resultado() -> None:
    bucle = asyncio.get_running_loop()
    plazo: PlazoComun[str | None] = PlazoComun(30, None)
    futuro = bucle.create_future()
    olvidado = weakref.ref(futuro)
    plazo.vigilar(futuro)
    futuro.set_result("ya")
    plazo.vigilar(bucle.create_future())
    del futuro
    assert olvidado() is None
