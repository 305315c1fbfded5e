"""El olvido de lo enviado: de poco en poco, con su plazo, y aunque la base de datos falte un rato."""

import asyncio
from datetime import UTC, datetime, timedelta

from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible
from alpespartners.modulos.tracking.infraestructura.consumo.olvido import olvidando
from alpespartners.modulos.tracking.infraestructura.consumo.ritmo import RitmoDelOlvido
from tests.apoyo.espera import hasta_en_el_bucle

AHORA = datetime(2026, 5, 1, tzinfo=UTC)
DEPRISA = RitmoDelOlvido(tanda=10, entre_tandas=0.0, entre_rondas=0.0)


class LibroFalso:
    """Responde a cada petición lo que le pongan: cuántos olvidó, o por qué no pudo."""

    def __init__(self, *respuestas: int | Exception) -> None:
        self.respuestas = list(respuestas)
        self.pedidos: list[tuple[datetime, int]] = []

    async def olvidar_enviados(self, recibidos_antes_de: datetime, limite: int) -> int:
        self.pedidos.append((recibidos_antes_de, limite))
        respuesta = self.respuestas.pop(0) if self.respuestas else 0
        if isinstance(respuesta, Exception):
            raise respuesta
        return respuesta


async def test_se_olvida_lo_anterior_al_plazo_por_tandas_hasta_que_no_queda() -> None:
    libro = LibroFalso(10, 10, 3)
    sin_mas_rondas = RitmoDelOlvido(tanda=10, entre_tandas=0.0, entre_rondas=3_600.0)
    async with olvidando(libro, 90, lambda: AHORA, sin_mas_rondas):
        await hasta_en_el_bucle(lambda: len(libro.pedidos) == 3)
    assert libro.pedidos == [(AHORA - timedelta(days=90), 10)] * 3


async def test_lo_que_no_se_pudo_olvidar_se_intenta_en_la_ronda_siguiente() -> None:
    libro = LibroFalso(BaseDatosNoDisponible("se fue"), ZeroDivisionError(), 10, 0)
    async with olvidando(libro, 1, lambda: AHORA, DEPRISA):
        await hasta_en_el_bucle(lambda: not libro.respuestas)


async def test_al_salir_no_queda_nada_en_marcha() -> None:
    libro = LibroFalso()
    async with olvidando(libro, 1, lambda: AHORA, DEPRISA):
        await hasta_en_el_bucle(lambda: libro.pedidos)
    assert [tarea.get_name() for tarea in asyncio.all_tasks() if tarea.get_name() == "olvido"] == []
