"""Olvidar lo enviado en los comandos que no se registraron, cuando pasan los días que se guarda.

Qué es: una tarea al lado de los consumidores, que borra de poco en poco.
Qué no es: borrar un destino; qué fue de cada comando se sabe para siempre.
Por qué existe: lo enviado lleva datos de personas, y lo que no llegó a ser un evento no tiene por qué
quedarse.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible
from alpespartners.modulos.tracking.infraestructura.consumo.ritmo import RitmoDelOlvido
from alpespartners.seedwork.pausas import con_azar

_registro: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)


class LibroQueOlvida(Protocol):
    """Lo que se pide al libro; cada llamada es una transacción."""

    async def olvidar_enviados(self, recibidos_antes_de: datetime, limite: int) -> int:
        """Olvida lo que se envió en hasta `limite` comandos anteriores a ese instante, y dice en cuántos."""


@asynccontextmanager
async def olvidando(
    libro: LibroQueOlvida, dias: int, reloj: Callable[[], datetime], ritmo: RitmoDelOlvido
) -> AsyncGenerator[None]:
    """Mientras dura el bloque, olvida lo recibido hace más de esos días."""
    tarea = asyncio.create_task(_siempre(libro, timedelta(days=dias), reloj, ritmo), name="olvido")
    try:
        yield
    finally:
        tarea.cancel()
        await asyncio.gather(tarea, return_exceptions=True)


async def _siempre(
    libro: LibroQueOlvida, plazo: timedelta, reloj: Callable[[], datetime], ritmo: RitmoDelOlvido
) -> None:
    """Repite rondas mientras viva; un fallo solo retrasa la siguiente."""
    while True:
        olvidados = 0
        try:
            while (cuantos := await libro.olvidar_enviados(reloj() - plazo, ritmo.tanda)) == ritmo.tanda:
                olvidados += cuantos
                await asyncio.sleep(con_azar(ritmo.entre_tandas))
            olvidados += cuantos
        except BaseDatosNoDisponible as fallo:
            _registro.warning("no se pudo olvidar lo enviado", fallo=str(fallo))
        except Exception:  # noqa: BLE001 (queda en el registro, y sin este bucle no se olvidaría nada más)
            _registro.exception("falló el olvido de lo enviado")
        if olvidados:
            _registro.info("se olvidó lo enviado en comandos que no se registraron", cuantos=olvidados)
        await asyncio.sleep(con_azar(ritmo.entre_rondas))
