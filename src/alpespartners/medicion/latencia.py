"""Meta c: lo que tarda el 202, que espera la confirmación del broker, a la décima parte de la carga máxima.

Qué es: percentiles de la demora de cada envío, contada desde que debía salir, a un décimo del caudal hallado
en la misma pasada; sobre el broker embebido o, con `--pulsar`, sobre Apache Pulsar.
Qué no es: la demora a plena carga, que es la cola que uno deje crecer.
Por qué existe: quien envía espera el 202.
"""

from collections.abc import Sequence
from statistics import median, quantiles

from alpespartners.medicion.carga import a_un_ritmo, correr
from alpespartners.medicion.caudal import ritmo_de
from alpespartners.medicion.eventos import mezcla
from alpespartners.medicion.medida import Medida
from alpespartners.medicion.montaje import montaje, parando
from alpespartners.medicion.nucleos import en_el_de_la_carga, en_el_de_los_servidores
from alpespartners.medicion.programa import PULSAR, ejecutar

_PARTE = 0.1
_MILISEGUNDOS = 1e3


def medir(*, breve: bool, pulsar: str | None = None) -> Sequence[Medida]:
    """Devuelve las filas de la meta c.

    Args:
        breve: unos segundos.
        pulsar: URL de un Apache Pulsar; si falta, el broker embebido.
    """
    vueltas, segundos = (1, 2.0) if breve else (5, 6.0)
    ajustes = {} if pulsar is None else {"ALPES_PULSAR_URL": pulsar}
    medianas, colas = [], []
    with montaje(**ajustes) as servicio:
        with en_el_de_los_servidores():
            api = servicio.api()
            consumidores = servicio.consumidores(api)
        with parando(consumidores, api), en_el_de_la_carga():
            ritmo_de(api, 0.5)
            ritmo = _PARTE * ritmo_de(api, segundos / 2)
            for _ in range(vueltas):
                resultado = correr(a_un_ritmo(api.puerto, mezcla(api.puerto), ritmo, segundos))
                resultado.exigir(202)
                medianas.append(median(resultado.demoras) * _MILISEGUNDOS)
                colas.append(quantiles(resultado.demoras, n=100)[98] * _MILISEGUNDOS)
    broker = "el broker embebido" if pulsar is None else "Apache Pulsar"
    return [
        Medida(
            meta="c",
            nombre=f"Demora del 202 con {broker}, mediana",
            medido=f"a {ritmo:.0f}/s",
            cifra=median(medianas),
            objetivo=4 if pulsar is None else 8,
            normal=25,
            unidad="ms",
        ),
        Medida(
            meta="c",
            nombre=f"Demora del 202 con {broker}, percentil 99",
            medido=f"a {ritmo:.0f}/s",
            cifra=median(colas),
            objetivo=20 if pulsar is None else None,
            normal=250,
            unidad="ms",
        ),
    ]


if __name__ == "__main__":
    ejecutar("Lo que tarda el 202.", medir, PULSAR)
