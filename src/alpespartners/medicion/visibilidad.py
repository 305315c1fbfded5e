"""Meta e: lo que tarda un evento aceptado en poder leerse, y en publicarse.

Qué es: desde que llega el 202, cuánto pasa hasta que un GET de su `id` da 200 y hasta que un lector recibe
su evento de dominio, a la mitad de la carga que el servicio entero sostiene, hallada en la misma pasada. La
API y los consumidores comparten un núcleo.
Qué no es: la demora del 202, que es la meta c.
Por qué existe: quien acaba de registrar algo lo busca.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from statistics import median, quantiles
from typing import Final

from alpespartners.medicion.atraso import pasar
from alpespartners.medicion.base_postgresql import base_postgresql
from alpespartners.medicion.carga import a_un_ritmo, correr
from alpespartners.medicion.eventos import mezcla
from alpespartners.medicion.medida import Medida
from alpespartners.medicion.montaje import Proceso, esperar_a, montaje, parando
from alpespartners.medicion.nucleos import en_el_de_la_carga, en_el_de_los_servidores
from alpespartners.medicion.programa import POSTGRESQL, PULSAR, ejecutar
from alpespartners.medicion.testigos import Testigos, mirando

_PARTE: Final = 0.5
_MILISEGUNDOS: Final = 1e3


def medir(*, breve: bool, pulsar: str | None = None, postgresql: str | None = None) -> Sequence[Medida]:
    """Devuelve las filas de la meta e.

    Args:
        breve: unos segundos.
        pulsar: URL de un Apache Pulsar, en cuyo espacio por omisión no publica nadie más; si falta, el broker
            embebido.
        postgresql: URL de un servidor donde crear y borrar una base de datos; si falta, SQLite.
    """
    segundos = 2.0 if breve else 30.0
    ajustes = {} if pulsar is None else {"ALPES_PULSAR_URL": pulsar}
    testigos = Testigos()
    with ExitStack() as pila:
        if postgresql is not None:
            ajustes["ALPES_BASE_DATOS"] = pila.enter_context(base_postgresql(postgresql))
        servicio = pila.enter_context(montaje(**ajustes))
        with en_el_de_los_servidores():
            api = servicio.api()
            consumidores = servicio.consumidores(api)
        pila.enter_context(parando(consumidores, api))
        pila.enter_context(en_el_de_la_carga())
        sostenido(api, 1.0)
        maximo = sostenido(api, segundos / 3)
        ritmo = _PARTE * maximo
        fabrica = mezcla(api.puerto)
        correr(a_un_ritmo(api.puerto, fabrica, ritmo, segundos / 10))
        with mirando(testigos, api.puerto, pulsar or servicio.url_del_broker()):
            resultado = correr(
                a_un_ritmo(api.puerto, fabrica, ritmo, segundos, al_responder=testigos.aceptado)
            )
            resultado.exigir(202)
            esperar_a(testigos.estan_todos)
    broker = "el broker embebido" if pulsar is None else "Apache Pulsar"
    donde = f"{broker} y {'SQLite' if postgresql is None else 'PostgreSQL'}"
    carga = f"a {ritmo:.0f}/s, la mitad de {maximo:.0f}/s"
    return [
        *_filas(f"que un GET lo lee, con {donde}", carga, testigos.lecturas),
        *_filas(f"que llega su evento, con {donde}", carga, testigos.publicaciones),
    ]


def _filas(que: str, carga: str, demoras: Sequence[float]) -> Iterator[Medida]:
    medido = f"{len(demoras)} eventos {carga}"
    yield Medida(
        meta="e",
        nombre=f"Del 202 a {que}, mediana",
        medido=medido,
        cifra=median(demoras) * _MILISEGUNDOS,
        unidad="ms",
    )
    yield Medida(
        meta="e",
        nombre=f"Del 202 a {que}, percentil 99",
        medido=medido,
        cifra=quantiles(demoras, n=100)[98] * _MILISEGUNDOS,
        objetivo=100,
        normal=500,
        unidad="ms",
    )


def sostenido(api: Proceso, segundos: float) -> float:
    """Eventos por segundo que acaban la API y los consumidores juntos: registrados y publicados."""
    comienzo = time.perf_counter()
    cuantos = pasar(api, segundos)
    return cuantos / (time.perf_counter() - comienzo)


if __name__ == "__main__":
    ejecutar("Del 202 a poder leerlo y a su evento.", medir, PULSAR, POSTGRESQL)
