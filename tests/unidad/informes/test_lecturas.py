"""Cuántas transacciones abre un informe, y cuántos leen a la vez."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from sqlalchemy import Connection

from alpespartners.modulos.informes.dominio.intervalos import Intervalo
from alpespartners.modulos.informes.infraestructura.lecturas import LecturaDeCuentasSQL
from alpespartners.modulos.informes.infraestructura.turnos import LECTURAS_A_LA_VEZ, LibroPorTurnos
from tests.apoyo.espera import hasta_en_el_bucle

T = TypeVar("T")

DESDE = datetime(2026, 3, 1, tzinfo=UTC)
UN_MES_DE_BOGOTA = [Intervalo(DESDE + timedelta(hours=5), DESDE + timedelta(days=30, hours=5))]


class LibroQueEspera:
    """Un libro sin tablas, cuyas transacciones no acaban hasta que se diga."""

    def __init__(self) -> None:
        self.abiertas = 0
        self.veces = 0
        self.seguir = asyncio.Event()

    async def en_transaccion(self, trabajo: Callable[[Connection | None], T]) -> T:
        self.veces += 1
        self.abiertas += 1
        await self.seguir.wait()
        self.abiertas -= 1
        return trabajo(None)


async def test_cada_informe_es_una_transaccion_y_solo_unos_pocos_leen_a_la_vez() -> None:
    libro = LibroQueEspera()
    lectura = LecturaDeCuentasSQL(LibroPorTurnos(libro), ())
    informes = [asyncio.create_task(lectura.contar("cmp-456", UN_MES_DE_BOGOTA, (), 10)) for _ in range(5)]
    await hasta_en_el_bucle(lambda: libro.abiertas == LECTURAS_A_LA_VEZ)
    for _ in range(100):
        await asyncio.sleep(0)
    assert libro.abiertas == LECTURAS_A_LA_VEZ
    libro.seguir.set()
    assert await asyncio.gather(*informes) == [[]] * len(informes)
    assert libro.veces == len(informes)
