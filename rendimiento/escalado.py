"""Meta h: un atraso vaciado por uno, dos y cuatro consumidores a la vez.

Qué es: comandos por segundo, hasta que todos tienen fila y evento publicado, con dos API y 1, 2 y 4 procesos
de consumidores sobre PostgreSQL y Apache Pulsar, por turnos y sobre la misma base de datos; y cuántos
interbloqueos contó el servidor entre tanto.
Qué no es: una promesa de que cuatro van el cuádruple; comparten los núcleos de esta máquina.
Por qué existe: quien añade un consumidor porque va con retraso no puede ir más despacio por ello.
"""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import pairwise
from statistics import median
from typing import Final

from alpespartners.medicion.atraso import acumular, esperar_a_todo
from alpespartners.medicion.base_postgresql import base_postgresql, preguntar
from alpespartners.medicion.medida import Medida
from alpespartners.medicion.montaje import Montaje, Proceso, asentados, montaje, parando
from alpespartners.medicion.programa import Opcion, ejecutar

_APIS: Final = 2
_CONSUMIDORES: Final = (1, 2, 4)
_TANDA = 0.5


def medir(*, breve: bool, pulsar: str, postgresql: str, espacio: str | None = None) -> Sequence[Medida]:
    """Devuelve las filas de la meta h.

    Args:
        breve: unos segundos.
        pulsar: URL de un Apache Pulsar.
        postgresql: URL de un servidor donde crear y borrar una base de datos.
        espacio: el de los tópicos, que no debe usar nadie más; por omisión, `public/default`.
    """
    vueltas, atraso = (1, 1_000) if breve else (3, 20_000)
    with ExitStack() as pila:
        base = pila.enter_context(base_postgresql(postgresql))
        servicio = pila.enter_context(
            montaje(
                ALPES_PULSAR_URL=pulsar,
                ALPES_PULSAR_ESPACIO=espacio or "public/default",
                ALPES_BASE_DATOS=base,
            )
        )
        apis = [servicio.api() for _ in range(_APIS)]
        pila.enter_context(parando(*apis))
        _ritmo(servicio, apis, 1, atraso // 10)
        ritmos: dict[int, list[float]] = {cuantos: [] for cuantos in _CONSUMIDORES}
        for _ in range(vueltas):
            for cuantos, suyos in ritmos.items():
                suyos.append(_ritmo(servicio, apis, cuantos, atraso))
        interbloqueos = preguntar(
            base, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        )
    return [
        *(
            Medida(
                meta="h",
                nombre=f"Comandos por segundo con {mas} consumidores, contra {menos}",
                medido=f"{median(ritmos[mas]):.0f}/s",
                techo=f"{median(ritmos[menos]):.0f}/s con {menos}",
                cifra=median(m / n for m, n in zip(ritmos[mas], ritmos[menos], strict=True)),
                objetivo=0.95,
                como_minimo=True,
            )
            for menos, mas in pairwise(_CONSUMIDORES)
        ),
        Medida(
            meta="h",
            nombre="Interbloqueos en PostgreSQL",
            medido=f"en {vueltas * len(_CONSUMIDORES)} atrasos de {atraso} comandos",
            cifra=interbloqueos,
            objetivo=0,
            unidad="",
        ),
    ]


def _ritmo(servicio: Montaje, apis: Sequence[Proceso], cuantos: int, atraso: int) -> float:
    """Comandos por segundo con que tantos consumidores nuevos vacían un atraso nuevo."""
    consumidores: list[Proceso] = []
    with ExitStack() as pila:
        for _ in range(cuantos):
            consumidores.append(servicio.consumidores(apis[0]))
            pila.enter_context(parando(consumidores[-1]))
        previos = asentados(apis[0].puerto)
        with ExitStack() as suspendidos:
            for consumidor in consumidores:
                suspendidos.enter_context(consumidor.suspendido())
            acumulados = acumular(apis, atraso, _TANDA)
        comienzo = time.perf_counter()
        esperar_a_todo(apis[0], previos + acumulados)
        return acumulados / (time.perf_counter() - comienzo)


if __name__ == "__main__":
    ejecutar(
        "Un atraso vaciado por 1, 2 y 4 consumidores.",
        medir,
        Opcion("pulsar", "URL de un Apache Pulsar", obligatoria=True),
        Opcion("postgresql", "URL de un servidor donde crear bases de datos", obligatoria=True),
        Opcion("espacio", "donde están los tópicos; por omisión, public/default"),
    )
