"""Contadores e histogramas de un solo hilo, para lo que se cuenta miles de veces por segundo.

Qué es: sumas sin cerrojos, que `prometheus_client` lee y presenta cuando alguien pregunta.
Qué no es: seguro entre hilos; quien cuenta y quien pregunta están en el mismo bucle de asyncio.
Por qué existe: los de la biblioteca toman un cerrojo por suma, y un histograma suma dos veces: contar una
respuesta costaba más que encontrar su ruta.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

Etiquetas = tuple[str, ...]


class Contador(Collector):
    """Cuántas veces pasó algo, por etiquetas.

    Attributes:
        cuentas: por los valores de las etiquetas, en su orden.
    """

    def __init__(
        self, nombre: str, ayuda: str, etiquetas: Sequence[str], registro: CollectorRegistry
    ) -> None:
        self._nombre, self._ayuda, self._etiquetas = nombre, ayuda, etiquetas
        self.cuentas: Counter[Etiquetas] = Counter()
        registro.register(self)

    def collect(self) -> Iterable[Metric]:
        """Lo contado hasta ahora."""
        familia = CounterMetricFamily(self._nombre, self._ayuda, labels=self._etiquetas)
        for valores, cuantos in self.cuentas.items():
            familia.add_metric(valores, cuantos)
        yield familia


class Tramos:
    """Las observaciones de unas etiquetas, repartidas en tramos."""

    __slots__ = ("_limites", "cuentas", "suma")

    def __init__(self, limites: Sequence[float]) -> None:
        self._limites = limites
        self.cuentas = [0] * (len(limites) + 1)
        self.suma = 0.0

    def observar(self, valor: float) -> None:
        """Cuenta una observación en el primer tramo cuyo límite no pasa."""
        self.cuentas[bisect_left(self._limites, valor)] += 1
        self.suma += valor


class Histograma(Collector):
    """Cuántas observaciones hay en cada tramo, por etiquetas."""

    def __init__(
        self,
        nombre: str,
        ayuda: str,
        etiquetas: Sequence[str],
        limites: Sequence[float],
        registro: CollectorRegistry,
    ) -> None:
        self._nombre, self._ayuda, self._etiquetas = nombre, ayuda, etiquetas
        self._limites = limites
        self._nombres = [*map(floatToGoString, limites), "+Inf"]
        self._series: dict[Etiquetas, Tramos] = {}
        registro.register(self)

    def de(self, *valores: str) -> Tramos:
        """Los tramos de esas etiquetas."""
        tramos = self._series.get(valores)
        if tramos is None:
            tramos = self._series[valores] = Tramos(self._limites)
        return tramos

    def collect(self) -> Iterable[Metric]:
        """Lo observado hasta ahora."""
        familia = HistogramMetricFamily(self._nombre, self._ayuda, labels=self._etiquetas)
        for valores, tramos in self._series.items():
            acumuladas = zip(self._nombres, accumulate(tramos.cuentas), strict=True)
            familia.add_metric(valores, list(acumuladas), tramos.suma)
        yield familia
