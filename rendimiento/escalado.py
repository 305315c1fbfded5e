"""Meta h: un atraso vaciado por uno, dos y cuatro consumidores a la vez.

Qué es: comandos por segundo, hasta que todos tienen fila y evento publicado, con dos API y 1, 2 y 4 procesos
de consumidores sobre PostgreSQL y Apache Pulsar, por turnos y sobre la misma base de datos; la CPU que gasta
cada comando entre todos; y cuántos interbloqueos contó el servidor mientras.
Qué no es: una promesa de que cuatro van el cuádruple; comparten los núcleos de esta máquina.
Por qué existe: quien añade un consumidor porque va con retraso no puede ir más despacio por ello.
"""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import pairwise
from statistics import median
from typing import Final, NamedTuple

from alpespartners.medicion.atraso import acumular, esperar_a_todo
from alpespartners.medicion.base_postgresql import base_postgresql, preguntar
from alpespartners.medicion.medida import Medida
from alpespartners.medicion.montaje import Montaje, Proceso, asentados, montaje, parando
from alpespartners.medicion.programa import Opcion, ejecutar

_APIS: Final = 2
_CONSUMIDORES: Final = (1, 2, 4)
_TANDA = 0.5
_MICROSEGUNDOS: Final = 1e6


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
        _vaciar(servicio, apis, 1, atraso // 10)
        hechos: dict[int, list[_Vaciado]] = {cuantos: [] for cuantos in _CONSUMIDORES}
        for _ in range(vueltas):
            for cuantos, suyos in hechos.items():
                suyos.append(_vaciar(servicio, apis, cuantos, atraso))
        interbloqueos = preguntar(
            base, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        )
    ritmos = {cuantos: [hecho.por_segundo for hecho in suyos] for cuantos, suyos in hechos.items()}
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
        *(
            Medida(
                meta="h",
                nombre=f"CPU por comando, de {cuantos} consumidores juntos",
                medido="",
                cifra=median(hecho.cpu for hecho in suyos) * _MICROSEGUNDOS,
                unidad="µs",
            )
            for cuantos, suyos in hechos.items()
        ),
    ]


class _Vaciado(NamedTuple):
    """Comandos por segundo, y segundos de CPU de todos los consumidores por comando."""

    por_segundo: float
    cpu: float


def _vaciar(servicio: Montaje, apis: Sequence[Proceso], cuantos: int, atraso: int) -> _Vaciado:
    """Vacía un atraso nuevo con tantos consumidores nuevos."""
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
        comienzo, cpu = time.perf_counter(), sum(consumidor.cpu for consumidor in consumidores)
        esperar_a_todo(apis[0], previos + acumulados)
        duro = time.perf_counter() - comienzo
        gastado = sum(consumidor.cpu for consumidor in consumidores) - cpu
        return _Vaciado(acumulados / duro, gastado / acumulados)


if __name__ == "__main__":
    ejecutar(
        "Un atraso vaciado por 1, 2 y 4 consumidores.",
        medir,
        Opcion("pulsar", "URL de un Apache Pulsar", obligatoria=True),
        Opcion("postgresql", "URL de un servidor donde crear bases de datos", obligatoria=True),
        Opcion("espacio", "donde están los tópicos; por omisión, public/default"),
    )
