"""El respiro: cuándo una tarea que calcula mucho deja paso a las demás."""

import asyncio

from alpespartners.seedwork.respiro import SEGUNDOS_SEGUIDOS, Respiro


async def test_solo_deja_paso_cuando_hace_un_rato_que_no_lo_hizo() -> None:
    hora, pasos = 0.0, 0

    async def otra() -> None:
        nonlocal pasos
        while True:
            pasos += 1
            await asyncio.sleep(0)

    tarea = asyncio.create_task(otra())
    respiro = Respiro(lambda: hora)
    try:
        await respiro.respirar()
        assert pasos == 0
        hora += 2 * SEGUNDOS_SEGUIDOS
        await respiro.respirar()
        assert pasos == 1
        await respiro.respirar()
        assert pasos == 1
    finally:
        tarea.cancel()
