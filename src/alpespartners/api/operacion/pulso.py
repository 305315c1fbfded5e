"""El pulso de un proceso de la API: si tiene broker, qué aceptó, cuántas peticiones esperan y cuántos miran.

Qué es: unos medidores que se ponen al día al preguntar y, si hay más procesos en el puerto, cada tanto; con
ellos, lo que quienes miran no llegaron a ver.
Por qué existe: un contador se suma aunque quien lo lleva calle; lo que es de ahora lo tiene que decir cada
uno, porque quien responde a `/metricas` no puede averiguarlo de los demás.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from alpespartners.modulos.tracking.aplicacion.en_vivo.difusion import EnVivo
from alpespartners.modulos.tracking.aplicacion.esperas import Esperas
from alpespartners.modulos.tracking.aplicacion.puertos import DespachadorComandos

ESPERA_NORMAL: Final = timedelta(seconds=30)
"""Lo que un comando aceptado puede esperar a su destino sin que sea raro."""
_ACEPTADO_HASTA: Final = "alpes_aceptado_hasta_segundos"


class Pulso:
    """El de un proceso; donde varios se juntan, se suma todo, y hay broker si lo tienen todos.

    Args:
        registro: el del proceso.
        despachador: quien sabe si hay broker.
        esperas: las del proceso.
        en_vivo: quienes miran en el proceso.
        reloj: la hora, en UTC con zona.
    """

    def __init__(
        self,
        registro: CollectorRegistry,
        despachador: DespachadorComandos,
        esperas: Esperas,
        en_vivo: EnVivo,
        reloj: Callable[[], datetime],
    ) -> None:
        self._registro = registro
        self._reloj = reloj
        self._despachador = despachador
        self._esperas = esperas
        self._en_vivo = en_vivo
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
        self._espectadores = Gauge(
            "alpes_espectadores",
            "Conexiones que miran una campaña en vivo.",
            registry=registro,
            multiprocess_mode="sum",
        )
        self._aceptado_hasta = Gauge(
            _ACEPTADO_HASTA,
            "Cuándo se recibió lo más nuevo que se aceptó hace más de 30 segundos (tiempo Unix).",
            ["topico"],
            registry=registro,
            multiprocess_mode="max",
        )
        self._saltados = Counter(
            "alpes_en_vivo_saltados", "Eventos que quien miraba en vivo no llegó a ver.", registry=registro
        )
        self._ya_contados = 0

    def apuntar(self) -> None:
        """Lo deja dicho en el registro."""
        self._hay_broker.set(self._despachador.disponible)
        self._cuantas.set(self._esperas.cuantas)
        self._espectadores.set(self._en_vivo.cuantos)
        for topico, recibido_en in self._despachador.aceptado_antes_de(self._reloj() - ESPERA_NORMAL).items():
            self._aceptado_hasta.labels(topico).set(recibido_en.timestamp())
        self._saltados.inc(self._en_vivo.saltados - self._ya_contados)
        self._ya_contados = self._en_vivo.saltados

    def aceptado_hasta(self) -> Mapping[str, datetime]:
        """Por tópico, cuándo se recibió lo más nuevo que se aceptó en el puerto hace `ESPERA_NORMAL`."""
        self.apuntar()
        return {
            muestra.labels["topico"]: datetime.fromtimestamp(muestra.value, UTC)
            for metrica in self._registro.collect()
            if metrica.name == _ACEPTADO_HASTA
            for muestra in metrica.samples
        }

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
