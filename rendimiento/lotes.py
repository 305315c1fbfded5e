"""Meta n: lo que cuesta un evento que llega con otros noventa y nueve, frente a uno que llega solo.

Qué es: lotes de cien por ocho conexiones, con la API, los consumidores y el broker embebido en un núcleo y la
carga en otro, sobre SQLite: la CPU por evento, de la petición a su evento publicado, contra una respuesta
vacía; y los eventos por segundo que se aceptan, contra los mismos de uno en uno. Todo por turnos.
Qué no es: lo que tarda un lote; uno de cien responde cuando el broker confirmó el último.
Por qué existe: un lote solo merece la pena si cada evento cuesta mucho menos.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from statistics import median
from typing import Final

from alpespartners.medicion.atraso import esperar_a_todo
from alpespartners.medicion.carga import Fabrica, Resultado, a_tope, correr, envio
from alpespartners.medicion.eventos import mezcla
from alpespartners.medicion.medida import Medida
from alpespartners.medicion.montaje import Proceso, asentados, montaje, parando, techo
from alpespartners.medicion.nucleos import en_el_de_la_carga, en_el_de_los_servidores
from alpespartners.medicion.programa import ejecutar

_POR_LOTE: Final = 100
_CONEXIONES: Final = 8
_CLASES: Final = {b"/tracking/impresiones": b"impresion", b"/tracking/conversiones": b"conversion"}
_MICROSEGUNDOS: Final = 1e6


def medir(*, breve: bool) -> Sequence[Medida]:
    """Devuelve las filas de la meta n."""
    vueltas, segundos = (1, 1.5) if breve else (5, 5.0)
    return [*_caudal(vueltas, segundos), *_costo(vueltas, segundos)]


def _caudal(vueltas: int, segundos: float) -> Sequence[Medida]:
    with montaje() as servicio, ExitStack() as pila:
        with en_el_de_los_servidores():
            api = servicio.api()
        pila.enter_context(parando(api))
        pila.enter_context(en_el_de_la_carga())
        _por_lotes(api, 1.0)
        ritmos = [
            (_de_uno_en_uno(api, segundos).por_segundo, _por_lotes(api, segundos).por_segundo * _POR_LOTE)
            for _ in range(vueltas)
        ]
    return [
        Medida(
            meta="n",
            nombre=f"Eventos por segundo aceptados en lotes de {_POR_LOTE}, en un núcleo",
            medido=f"{median(juntos for _, juntos in ritmos):.0f}/s",
            techo=f"{median(solos for solos, _ in ritmos):.0f}/s de uno en uno",
            cifra=median(juntos / solos for solos, juntos in ritmos),
            objetivo=3,
            como_minimo=True,
        )
    ]


def _costo(vueltas: int, segundos: float) -> Sequence[Medida]:
    with techo("responder") as sin_trabajo, montaje() as servicio, ExitStack() as pila:
        with en_el_de_los_servidores():
            api = servicio.api()
            consumidores = servicio.consumidores(api)
        pila.enter_context(parando(consumidores, api))
        pila.enter_context(en_el_de_la_carga())
        _por_lotes(api, 0.5)
        esperar_a_todo(api, asentados(api.puerto))
        bases, gastos = [], []
        for _ in range(vueltas):
            antes = sin_trabajo.cpu
            cuantas = len(_de_uno_en_uno(sin_trabajo, segundos).demoras)
            bases.append((sin_trabajo.cpu - antes) / cuantas)
            gastos.append(_gasto(api, consumidores, segundos))
    base = median(bases)
    de_api, de_consumidores = (median(parte) for parte in zip(*gastos, strict=True))
    frente_a = f"{_us(base)} una respuesta sin trabajo"
    return [
        Medida(
            meta="n",
            nombre=f"CPU por evento en lotes de {_POR_LOTE}, de la petición al evento publicado, SQLite",
            medido=(
                f"{_us(de_api + de_consumidores)} (API {_us(de_api)} + consumidores {_us(de_consumidores)})"
            ),
            techo=frente_a,
            cifra=(de_api + de_consumidores) / base,
            objetivo=4.5,
        ),
        Medida(
            meta="n",
            nombre=f"CPU por evento en lotes de {_POR_LOTE}, solo aceptarlo",
            medido=_us(de_api),
            techo=frente_a,
            cifra=de_api / base,
        ),
    ]


def _gasto(api: Proceso, consumidores: Proceso, segundos: float) -> tuple[float, float]:
    """Los segundos de CPU por evento de la API y de los consumidores, hasta que todo está publicado."""
    previos, antes = asentados(api.puerto), (api.cpu, consumidores.cpu)
    cuantos = len(_por_lotes(api, segundos).demoras) * _POR_LOTE
    esperar_a_todo(api, previos + cuantos)
    return (api.cpu - antes[0]) / cuantos, (consumidores.cpu - antes[1]) / cuantos


def _de_uno_en_uno(servidor: Proceso, segundos: float) -> Resultado:
    resultado = correr(a_tope(servidor.puerto, mezcla(servidor.puerto), segundos))
    resultado.exigir(202)
    return resultado


def _por_lotes(api: Proceso, segundos: float) -> Resultado:
    """Cada respuesta es la de un lote.

    Raises:
        RuntimeError: alguno no se aceptó entero.
    """
    enteros = f'{{"aceptados":{_POR_LOTE},'.encode()
    a_medias = []

    def al_responder(respuesta: bytes, _instante: float) -> None:
        if enteros not in respuesta:
            a_medias.append(respuesta)

    carga = a_tope(api.puerto, _lotes(api.puerto), segundos, _CONEXIONES, al_responder)
    resultado = correr(carga)
    resultado.exigir(200)
    if a_medias:
        raise RuntimeError(f"{len(a_medias)} lotes no se aceptaron enteros")
    return resultado


def _lotes(puerto: int) -> Fabrica:
    """Los mismos eventos que de uno en uno, de cien en cien y uno por línea."""
    uno = mezcla(puerto)

    def elemento() -> bytes:
        cabeceras, _, cuerpo = uno().partition(b"\r\n\r\n")
        return b'{"clase":"' + _CLASES[cabeceras.split(b" ", 2)[1]] + b'",' + cuerpo[1:]

    def fabricar() -> bytes:
        lote = envio(puerto, "/tracking/lotes", b"\n".join(elemento() for _ in range(_POR_LOTE)))
        return lote.replace(b"application/json", b"application/x-ndjson", 1)

    return fabricar


def _us(segundos: float) -> str:
    return f"{segundos * _MICROSEGUNDOS:.1f} µs"


if __name__ == "__main__":
    ejecutar("Lo que cuesta un evento en un lote.", medir)
