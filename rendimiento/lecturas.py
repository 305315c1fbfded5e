"""Meta f: lo que tarda una lectura con la tabla casi vacía y con diez millones de filas.

Qué es: tres lecturas por HTTP (un evento por su `id`, la primera página de una campaña y la página 1.000)
sobre dos bases de datos iguales menos en su tamaño, cada una con su API, por turnos y por una sola conexión.
Lo que se pide se pidió ya una vez: se mide con las páginas en memoria.
Qué no es: lo que tarda el disco en traer una página fría, ni un caudal.
Por qué existe: una lectura que se encarece al crecer la tabla acaba sin responder, y se nota tarde.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import cycle
from statistics import median
from typing import Final

from alpespartners.medicion.base_postgresql import base_postgresql
from alpespartners.medicion.carga import a_tope, correr
from alpespartners.medicion.medida import Medida
from alpespartners.medicion.montaje import Proceso, montaje, parando, pedir
from alpespartners.medicion.nucleos import en_el_de_la_carga, en_el_de_los_servidores
from alpespartners.medicion.programa import POSTGRESQL, Opcion, ejecutar
from rendimiento.llenado import POR_CAMPAÑA, campaña_de, en_campañas, id_de, llenar_postgresql, llenar_sqlite

_PAGINA = 10
"""La página 1.000 de diez eventos es la última de una campaña, también con la tabla casi vacía."""
_PAGINAS = 1_000
_SALTO = 1_000
_SEMILLA = 1
_MICROSEGUNDOS = 1e6


def medir(*, breve: bool, filas: int | None = None, postgresql: str | None = None) -> Sequence[Medida]:
    """Devuelve las filas de la meta f.

    Args:
        breve: unos segundos, y por omisión 200.000 filas.
        filas: las de la tabla llena.
        postgresql: URL de un servidor donde crear y borrar bases de datos; si falta, SQLite.
    """
    muchas = filas or (200_000 if breve else 10_000_000)
    vueltas, segundos, lugares = (3, 0.1, 10) if breve else (30, 0.2, 100)
    with _api(POR_CAMPAÑA, postgresql) as pocas, _api(muchas, postgresql) as llena, en_el_de_la_carga():
        medidas = []
        for nombre, rutas in _LECTURAS.items():
            caso = [
                (api, [_lectura(api.puerto, ruta) for ruta in rutas(api, cuantas, lugares)])
                for api, cuantas in ((pocas, POR_CAMPAÑA), (llena, muchas))
            ]
            medidas.append(_fila(nombre, muchas, postgresql, _demoras(caso, vueltas, segundos)))
    return medidas


def _lectura(puerto: int, ruta: str) -> bytes:
    """Una petición GET, entera; la ruta va ya codificada."""
    return f"GET {ruta} HTTP/1.1\r\nHost: 127.0.0.1:{puerto}\r\n\r\n".encode()


def _fila(nombre: str, muchas: int, postgresql: str | None, demoras: Sequence[Sequence[float]]) -> Medida:
    pocas, llena = map(median, demoras)
    motor = "SQLite" if postgresql is None else "PostgreSQL"
    return Medida(
        meta="f",
        nombre=f"{nombre}, con {motor}",
        medido=f"{llena * _MICROSEGUNDOS:.0f} µs con {_miles(muchas)} filas",
        techo=f"{pocas * _MICROSEGUNDOS:.0f} µs con {_miles(POR_CAMPAÑA)}",
        cifra=llena / pocas,
        objetivo=1.3,
    )


def _demoras(
    caso: Sequence[tuple[Proceso, list[bytes]]], vueltas: int, segundos: float
) -> Sequence[list[float]]:
    """Lo que tardó cada petición a cada API, por turnos y tras pedirlo todo una vez."""
    demoras: list[list[float]] = [[] for _ in caso]
    fabricas = [cycle(peticiones).__next__ for _, peticiones in caso]
    for vuelta in range(vueltas + 1):
        for (api, _), fabrica, suyas in zip(caso, fabricas, demoras, strict=True):
            resultado = correr(a_tope(api.puerto, fabrica, segundos, conexiones=1))
            resultado.exigir(200)
            if vuelta:
                suyas.extend(resultado.demoras)
    return demoras


@contextmanager
def _api(filas: int, postgresql: str | None) -> Iterator[Proceso]:
    """Una API sobre una base de datos con tantas filas."""
    with ExitStack() as pila:
        ajustes = {}
        if postgresql is not None:
            ajustes["ALPES_BASE_DATOS"] = pila.enter_context(base_postgresql(postgresql))
            llenar_postgresql(ajustes["ALPES_BASE_DATOS"], en_campañas(filas))
        servicio = pila.enter_context(montaje(**ajustes))
        if postgresql is None:
            llenar_sqlite(servicio.datos, en_campañas(filas))
        with en_el_de_los_servidores():
            api = servicio.api()
        pila.enter_context(parando(api))
        yield api


def _por_id(_api: Proceso, filas: int, lugares: int) -> list[str]:
    return [f"/tracking/impresiones/{id_de(numero)}" for numero in _al_azar(filas, lugares)]


def _primera_pagina(_api: Proceso, filas: int, lugares: int) -> list[str]:
    return [_lista(campaña_de(numero, filas)) for numero in _al_azar(filas, lugares)]


def _pagina_mil(api: Proceso, filas: int, lugares: int) -> list[str]:
    """El cursor no depende del tamaño de la página: a la 1.000 se llega antes de mil en mil."""
    return [_tras(api, lista) for lista in set(_primera_pagina(api, filas, lugares // 4 + 1))]


def _tras(api: Proceso, lista: str) -> str:
    saltados, cursor = 0, ""
    while saltados < _PAGINA * (_PAGINAS - 1):
        salto = min(_SALTO, _PAGINA * (_PAGINAS - 1) - saltados)
        cursor = "&cursor=" + pedir(api.puerto, f"{lista}?limite={salto}{cursor}")["siguiente"]
        saltados += salto
    return f"{lista}?limite={_PAGINA}{cursor}"


def _lista(campaña: str) -> str:
    return f"/tracking/campanas/{campaña}/impresiones"


def _al_azar(filas: int, lugares: int) -> list[int]:
    """Los mismos números en cada ejecución, repartidos por toda la tabla."""
    return random.Random(_SEMILLA).sample(range(filas), lugares)  # noqa: S311 (no es un secreto)


_LECTURAS: Final[dict[str, Callable[[Proceso, int, int], list[str]]]] = {
    "Un evento por su id": _por_id,
    "Primera página de una campaña": _primera_pagina,
    "Página 1.000 de una campaña": _pagina_mil,
}


def _miles(cuantas: int) -> str:
    return f"{cuantas:,}".replace(",", ".")


if __name__ == "__main__":
    ejecutar(
        "Lo que tarda una lectura al crecer la tabla.",
        medir,
        Opcion("filas", "las de la tabla llena; por omisión, diez millones", int),
        POSTGRESQL,
    )
