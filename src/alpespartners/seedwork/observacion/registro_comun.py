"""El registro de métricas de varios procesos iguales: cada uno apunta en él lo suyo, y da la suma de todos.

Qué es: el modo de varios procesos de `prometheus_client`: los números viven en un archivo por puesto, en la
carpeta de la cuenta común, y sobreviven a quien los apuntó.
Qué no es: un registro como los demás; lo que no sea un contador, un histograma o un `Gauge` no sale de él.
Por qué existe: una suma que bajase porque un proceso murió sería para Prometheus una cuenta que volvió a
empezar, y contaría otra vez lo que queda.
"""

import os
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Metric, values
from prometheus_client.multiprocess import MultiProcessCollector

from alpespartners.seedwork.observacion.cuenta_comun import Puesto


class RegistroComun(CollectorRegistry):
    """El de un puesto; desde que existe, toda métrica que este proceso cree se guarda en la carpeta.

    Un `Gauge` dice con su `multiprocess_mode` cómo se junta con los de los demás.
    """

    def __init__(self, puesto: Puesto) -> None:
        super().__init__()
        # La biblioteca busca ahí la carpeta al crear cada archivo, y no la admite de otra manera.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(puesto.carpeta)
        # Con el pid, que es lo que pone si no, cada proceso que se repone dejaría otro archivo.
        values.ValueClass = values.MultiProcessValue(lambda: puesto.numero)  # type: ignore[no-untyped-call]
        self._todos = MultiProcessCollector(None, puesto.carpeta)  # type: ignore[no-untyped-call]

    def collect(self) -> Iterable[Metric]:
        """Las métricas de todos los puestos, ya juntas."""
        juntas: Iterable[Metric] = self._todos.collect()  # type: ignore[no-untyped-call]
        return juntas
