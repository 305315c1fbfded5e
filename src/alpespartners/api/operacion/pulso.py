"""El pulso de un proceso de la API: si tiene broker y cuántas peticiones esperan, en este instante.

Qué es: dos medidores que se ponen al día al preguntar y, si hay más procesos en el puerto, cada tanto.
Por qué existe: un contador se suma aunque quien lo lleva calle; lo que es de ahora lo tiene que decir cada
uno, porque quien responde a `/metricas` no puede averiguarlo de los demás.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from prometheus_client import CollectorRegistry, Gauge

from alpespartners.modulos.tracking.aplicacion.esperas import Esperas
from alpespartners.modulos.tracking.aplicacion.puertos import DespachadorComandos


class Pulso:
    """El de un proceso; donde varios se juntan, las esperas se suman, y hay broker si lo tienen todos.

    Args:
        registro: el del proceso.
        despachador: quien sabe si hay broker.
        esperas: las del proceso.
    """

    def __init__(
        self, registro: CollectorRegistry, despachador: DespachadorComandos, esperas: Esperas
    ) -> None:
        self._despachador = despachador
        self._esperas = esperas
        self._hay_broker = Gauge(
            "alpes_broker_disponible",
            "Si el broker acepta comandos.",
            registry=registro,
            multiprocess_mode="min",
        )
        self._cuantas = Gauge(
            "alpes_esperas",
            "Peticiones que esperan su destino (`Prefer: wait`).",
            registry=registro,
            multiprocess_mode="sum",
        )

    def apuntar(self) -> None:
        """Lo deja dicho en el registro."""
        self._hay_broker.set(self._despachador.disponible)
        self._cuantas.set(self._esperas.cuantas)

    @asynccontextmanager
    async def latiendo(self, cada: float) -> AsyncGenerator[None]:
        """Lo apunta cada tantos segundos mientras dura el bloque: otro puede responder por él."""

        async def latir() -> None:
            while True:
                self.apuntar()
                await asyncio.sleep(cada)

        latido = asyncio.create_task(latir(), name="pulso")
        try:
            yield
        finally:
            latido.cancel()
            await asyncio.gather(latido, return_exceptions=True)
