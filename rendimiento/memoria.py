"""Meta g: la memoria de la API y de los consumidores mientras pasan millones de eventos.

Qué es: memoria residente por décimos de la pasada, tras un calentamiento que llena el caché; y la de un
proceso de consumidores nuevo que vacía un atraso grande, contra la que tenía el anterior al día. SQLite y
broker embebido, en los núcleos que haya: aquí no se mide el tiempo.
Qué no es: memoria virtual, ni la del sistema; el sistema guarda además en la suya los archivos que se leen.
Por qué existe: un proceso que crece un poco con cada evento acaba muerto de madrugada.

Lo que crece al calentar es el caché de páginas de SQLite del consumidor, que tiene un máximo
(`motores/sqlite/archivo.py`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from statistics import median
from typing import Final

from rich.console import Console

from alpespartners.medicion.atraso import acumular, pasar
from alpespartners.medicion.medida import Medida
from alpespartners.medicion.montaje import Montaje, Proceso, asentados, esperar_a, montaje, parando
from alpespartners.medicion.programa import Opcion, ejecutar
from rendimiento.muestreo import MEGA, Muestreo, muestreo

_DECIMOS: Final = 10
_CALENTAMIENTO: Final = 200_000
"""Eventos con que se llena el caché de páginas del consumidor, de 64 MB, y sobran."""
_TOLERANCIA: Final = 10
_LIMITE: Final = 3600.0

_API: Final = "API"
_CONSUMIDORES: Final = "consumidores"

Tramo = Mapping[str, list[int]]


def medir(
    *,
    breve: bool,
    eventos: int | None = None,
    atraso: int | None = None,
    avisar: Callable[[str], None] = lambda _: None,
) -> Sequence[Medida]:
    """Devuelve las filas de la meta g.

    Args:
        breve: unos segundos, y por omisión unos miles de eventos.
        eventos: cuántos pasan después del calentamiento.
        atraso: cuántos comandos se acumulan sin consumidores.
        avisar: recibe una frase por décimo.
    """
    eventos = eventos or (3_000 if breve else 5_000_000)
    atraso = atraso or (3_000 if breve else 1_000_000)
    tanda, cada = (0.1, 0.05) if breve else (20.0, 0.5)
    with montaje() as servicio, ExitStack() as pila:
        api = servicio.api()
        pila.enter_context(parando(api))
        with _mirados(servicio, api, cada) as vistas:
            _pasar(api, eventos // _DECIMOS if breve else _CALENTAMIENTO, tanda)
            avisar(_frase("calentamiento", vistas.cortar()))
            decimos = []
            for numero in range(1, _DECIMOS + 1):
                _pasar(api, eventos // _DECIMOS, tanda)
                decimos.append(vistas.cortar())
                avisar(_frase(f"eventos, décimo {numero}", decimos[-1]))
        previos = asentados(api.puerto)
        acumulados = acumular([api], atraso, tanda)
        with _mirados(servicio, api, cada) as vistas:
            vaciado = []
            for numero in range(1, _DECIMOS + 1):
                _esperar_a_asentar(api, previos + acumulados * numero // _DECIMOS)
                vaciado.append(vistas.cortar())
                avisar(_frase(f"atraso, décimo {numero}", vaciado[-1]))
    cuantos = f"de {_miles(eventos)} eventos"
    pendientes = f"de un atraso de {_miles(acumulados)}"
    return [
        _deriva(f"API, del primer décimo al último {cuantos}", _API, decimos),
        _deriva(f"Consumidores, del primer décimo al último {cuantos}", _CONSUMIDORES, decimos),
        _deriva(f"Consumidores, del segundo décimo al último {pendientes}", _CONSUMIDORES, vaciado[1:]),
        _contra_estar_al_dia(f"Consumidores, lo máximo {pendientes}", decimos, vaciado),
    ]


def _esperar_a_asentar(api: Proceso, cuantos: int) -> None:
    esperar_a(lambda: asentados(api.puerto) >= cuantos, _LIMITE)


@contextmanager
def _mirados(servicio: Montaje, api: Proceso, cada: float) -> Iterator[Muestreo]:
    """Un proceso de consumidores nuevo, y la memoria de los dos mientras dura el bloque."""
    consumidores = servicio.consumidores(api)
    with parando(consumidores), muestreo({_API: api, _CONSUMIDORES: consumidores}, cada) as vistas:
        yield vistas


def _deriva(nombre: str, proceso: str, decimos: Sequence[Tramo]) -> Medida:
    primero, ultimo = median(decimos[0][proceso]), median(decimos[-1][proceso])
    return Medida(
        meta="g",
        nombre=f"Memoria. {nombre}",
        medido=f"{ultimo / MEGA:.0f} MB",
        techo=f"{primero / MEGA:.0f} MB",
        cifra=abs(ultimo / primero - 1) * 100,
        objetivo=_TOLERANCIA,
        unidad="%",
    )


def _contra_estar_al_dia(nombre: str, decimos: Sequence[Tramo], vaciado: Sequence[Tramo]) -> Medida:
    al_dia, maxima = (max(max(decimo[_CONSUMIDORES]) for decimo in tramos) for tramos in (decimos, vaciado))
    return Medida(
        meta="g",
        nombre=f"Memoria. {nombre}",
        medido=f"{maxima / MEGA:.0f} MB",
        techo=f"{al_dia / MEGA:.0f} MB, lo máximo al día",
        cifra=maxima / al_dia,
        objetivo=1 + _TOLERANCIA / 100,
    )


def _frase(nombre: str, tramo: Tramo) -> str:
    return f"{nombre}: " + "; ".join(
        f"{proceso} {min(vistas) / MEGA:.0f}, {median(vistas) / MEGA:.0f}, {max(vistas) / MEGA:.0f} MB"
        for proceso, vistas in tramo.items()
    )


def _pasar(api: Proceso, cuantos: int, tanda: float) -> None:
    """Envía tantos eventos, por tandas, y espera cada vez a que estén registrados y publicados."""
    final = asentados(api.puerto) + cuantos
    while asentados(api.puerto) < final:
        pasar(api, tanda)


def _miles(cuantos: int) -> str:
    return f"{cuantos:,}".replace(",", ".")


if __name__ == "__main__":
    ejecutar(
        "La memoria mientras pasan eventos.",
        partial(medir, avisar=Console(stderr=True, log_path=False).log),
        Opcion("eventos", "cuántos pasan; por omisión, cinco millones", int),
        Opcion("atraso", "cuántos se acumulan; por omisión, un millón", int),
    )
