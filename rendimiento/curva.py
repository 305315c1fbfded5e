"""Cómo crece el coste con el trabajo: CPU por segundo y por evento a distintos ritmos.

Qué es: el servicio entero, al ritmo que se le pide, desde casi parado hasta cerca de lo que sostiene en un
núcleo. De aquí sale la gráfica de docs/rendimiento.md.
Qué no es: una meta; dice si el doble de trabajo cuesta el doble.
Por qué existe: lo que se mide a tope no dice lo que cuesta un servicio con poco que hacer.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final

from alpespartners.medicion.atraso import esperar_a_todo
from alpespartners.medicion.carga import a_un_ritmo, correr
from alpespartners.medicion.eventos import mezcla
from alpespartners.medicion.medida import Medida
from alpespartners.medicion.montaje import asentados, montaje, parando
from alpespartners.medicion.nucleos import en_el_de_la_carga, en_el_de_los_servidores
from alpespartners.medicion.programa import ejecutar
from alpespartners.medicion.visibilidad import sostenido

_PARTES: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_MILISEGUNDOS: Final = 1e3
_MICROSEGUNDOS: Final = 1e6


def medir(*, breve: bool) -> Sequence[Medida]:
    """Devuelve una fila por ritmo: la CPU por evento de la API y los consumidores juntos."""
    partes, segundos = (_PARTES[-2:], 1.5) if breve else (_PARTES, 12.0)
    medidas = []
    with montaje() as servicio, ExitStack() as pila:
        with en_el_de_los_servidores():
            api = servicio.api()
            consumidores = servicio.consumidores(api)
        pila.enter_context(parando(consumidores, api))
        pila.enter_context(en_el_de_la_carga())
        sostenido(api, 1.0)
        maximo = sostenido(api, segundos / 3)
        for parte in partes:
            ritmo = parte * maximo
            previos, antes = asentados(api.puerto), api.cpu + consumidores.cpu
            resultado = correr(a_un_ritmo(api.puerto, mezcla(api.puerto), ritmo, segundos))
            resultado.exigir(202)
            cuantos = len(resultado.demoras)
            esperar_a_todo(api, previos + cuantos)
            gastado = api.cpu + consumidores.cpu - antes
            medidas.append(
                Medida(
                    meta="",
                    nombre=f"A {ritmo:.0f} eventos por segundo, el {parte:.0%} de {maximo:.0f}",
                    medido=f"{gastado / resultado.segundos * _MILISEGUNDOS:.0f} ms de CPU por segundo",
                    cifra=gastado / cuantos * _MICROSEGUNDOS,
                    unidad="µs",
                )
            )
    return medidas


if __name__ == "__main__":
    ejecutar("Cómo crece el coste con el trabajo.", medir)
