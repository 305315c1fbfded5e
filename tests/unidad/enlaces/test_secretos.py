"""Los secretos de un proceso: cuándo se lee el guardado."""

import asyncio

import pytest

from alpespartners.modulos.enlaces.aplicacion.secretos import Secretos
from alpespartners.modulos.enlaces.dominio.secreto import Secreto
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible


class Base:
    """Una base de datos que responde, o falla, cuando la prueba quiere."""

    def __init__(self) -> None:
        self.lecturas: list[asyncio.Future[bytes]] = []

    async def leer(self) -> bytes:
        self.lecturas.append(asyncio.get_running_loop().create_future())
        return await self.lecturas[-1]


async def test_quienes_preguntan_a_la_vez_esperan_a_una_sola_lectura_y_no_se_lee_mas() -> None:
    base = Base()
    secretos = Secretos((), base.leer)
    preguntas = [asyncio.ensure_future(secretos.todos()) for _ in range(5)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    # Quien se va no deja sin ella a los demás.
    preguntas.pop(0).cancel()
    (lectura,) = base.lecturas
    lectura.set_result(b"guardado")
    assert await asyncio.gather(*preguntas) == [(Secreto(b"guardado"),)] * 4
    assert await secretos.todos() == (Secreto(b"guardado"),)
    assert len(base.lecturas) == 1


async def test_si_no_se_puede_leer_lo_saben_todos_y_se_vuelve_a_intentar() -> None:
    base = Base()
    secretos = Secretos((), base.leer)
    preguntas = [asyncio.ensure_future(secretos.todos()) for _ in range(2)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    base.lecturas[0].set_exception(BaseDatosNoDisponible())
    fallos = await asyncio.gather(*preguntas, return_exceptions=True)
    assert [type(fallo) for fallo in fallos] == [BaseDatosNoDisponible] * 2
    otra = asyncio.ensure_future(secretos.todos())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    base.lecturas[1].set_result(b"guardado")
    assert await otra == (Secreto(b"guardado"),)


async def test_con_los_de_los_ajustes_no_se_lee_ninguno() -> None:
    async def no_se_lee() -> bytes:
        pytest.fail("se leyó")

    assert await Secretos(("uno", "otro"), no_se_lee).todos() == (Secreto(b"uno"), Secreto(b"otro"))
