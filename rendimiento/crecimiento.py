"""Cómo crece el coste con lo guardado: CPU y octetos por comando con pocas filas en el libro y con millones.

Qué es: un atraso de impresiones de mil campañas, vaciado por un proceso de consumidores sobre una base de
datos que ya tiene tantas filas. CPU del consumidor y, en PostgreSQL, la de su servidor; y lo que se escribe:
en SQLite, lo que escribe el proceso y lo que crece el archivo; en PostgreSQL, su WAL.
Qué no es: lo que tarda una lectura, que es la meta f; ni una base de datos que no cabe en memoria.
Por qué existe: lo que se encarece al crecer la tabla no se ve en una vacía, ni con una sola campaña, que
escribe siempre en la misma página.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from http import HTTPStatus
from itertools import count
from statistics import median
from typing import Final, NamedTuple

import uuid_utils
from rich.console import Console

from alpespartners.api.tracking.ejemplos import EJEMPLOS
from alpespartners.medicion.atraso import esperar_a_todo
from alpespartners.medicion.base_postgresql import base_postgresql, preguntar
from alpespartners.medicion.carga import Fabrica, a_tope, correr, envio
from alpespartners.medicion.eventos import RUTAS
from alpespartners.medicion.medida import Medida
from alpespartners.medicion.montaje import Montaje, Proceso, asentados, montaje, parando
from alpespartners.medicion.nucleos import en_el_de_la_carga, en_el_de_los_servidores
from alpespartners.medicion.programa import Opcion, ejecutar
from alpespartners.medicion.servidor_postgresql import cpu_del_servidor, servidor_postgresql
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.archivo import archivo_de
from rendimiento.llenado import en_campañas, llenar_postgresql, llenar_sqlite

_MENOS: Final = 10_000
_PASO: Final = 10
_CAMPAÑAS: Final = 1_000
_RECURSO: Final = "impresiones"
_MICROSEGUNDOS: Final = 1e6

Cuentas = Mapping[str, Callable[[], float]]
"""Lo que se suma aparte, por su nombre: CPU en segundos, y octetos."""


class _Lleno(NamedTuple):
    """Un servicio sobre una base de datos con tantas filas.

    Attributes:
        servicio: sus procesos, por arrancar.
        cuentas: lo que se mira además de la CPU del consumidor; recibe su proceso.
    """

    servicio: Montaje
    cuentas: Callable[[Proceso], Cuentas]


def medir(
    *,
    breve: bool,
    filas: int | None = None,
    motor: str | None = None,
    avisar: Callable[[str], None] = lambda _: None,
) -> Sequence[Medida]:
    """Devuelve, por cada motor instalado y cada cantidad de filas, una fila por cuenta.

    Args:
        breve: unos segundos, y por omisión hasta 100.000 filas.
        filas: las más que habrá; se mide cada potencia de diez desde diez mil.
        motor: `SQLite` o `PostgreSQL`; si falta, los dos.
        avisar: recibe una frase por cada base de datos, cuando está medida.

    Raises:
        ValueError: no hay tal motor.
    """
    if motor not in {None, *_MOTORES}:
        raise ValueError(f"el motor es {' o '.join(_MOTORES)}")
    maximo = filas or (100_000 if breve else 10_000_000)
    vueltas, atraso = (1, 500) if breve else (3, 20_000)
    medidas: list[Medida] = []
    for nombre in [motor] if motor else _MOTORES:
        cuantas = _MENOS
        while cuantas <= maximo:
            comienzo = time.monotonic()
            with _MOTORES[nombre](cuantas) as lleno:
                if lleno is None:
                    break
                llenado = time.monotonic() - comienzo
                suyas = list(
                    _filas(f"{nombre} con {_miles(cuantas)} filas", _por_comando(lleno, vueltas, atraso))
                )
            medidas += suyas
            avisar(
                f"{nombre}, {_miles(cuantas)} filas: {llenado:.0f} s de llenado; "
                + "; ".join(f"{medida.cifra:.0f} {medida.unidad}" for medida in suyas)
            )
            cuantas *= _PASO
    return medidas


def _filas(donde: str, cuentas: Mapping[str, float]) -> Iterator[Medida]:
    for que, cuanto in cuentas.items():
        es_cpu = que.startswith("CPU")
        yield Medida(
            meta="",
            nombre=f"{que} por comando, {donde}",
            medido="",
            cifra=cuanto * _MICROSEGUNDOS if es_cpu else cuanto,
            unidad="µs" if es_cpu else "octetos",
        )


def _por_comando(lleno: _Lleno, vueltas: int, atraso: int) -> dict[str, float]:
    """Vacía tantas veces un atraso, y devuelve la mediana de cada cuenta por comando."""
    with ExitStack() as pila:
        with en_el_de_los_servidores():
            api = lleno.servicio.api()
            consumidores = lleno.servicio.consumidores(api)
        pila.enter_context(parando(consumidores, api))
        pila.enter_context(en_el_de_la_carga())
        cuentas: Cuentas = {
            "CPU del consumidor": lambda: consumidores.cpu,
            **lleno.cuentas(consumidores),
        }
        _vaciar(api, consumidores, cuentas, atraso // 10)
        hechas = [_vaciar(api, consumidores, cuentas, atraso) for _ in range(vueltas)]
    return {nombre: median(hecha[nombre] for hecha in hechas) for nombre in cuentas}


def _vaciar(api: Proceso, consumidores: Proceso, cuentas: Cuentas, atraso: int) -> dict[str, float]:
    previos, acumulados = asentados(api.puerto), 0
    with consumidores.suspendido():
        fabrica = _impresiones(api.puerto)
        while acumulados < atraso:
            resultado = correr(a_tope(api.puerto, fabrica, 0.5))
            resultado.exigir(HTTPStatus.ACCEPTED)
            acumulados += len(resultado.demoras)
        antes = {nombre: cuenta() for nombre, cuenta in cuentas.items()}
    esperar_a_todo(api, previos + acumulados)
    return {nombre: (cuenta() - antes[nombre]) / acumulados for nombre, cuenta in cuentas.items()}


def _impresiones(puerto: int) -> Fabrica:
    """Impresiones del ejemplo, cada una de la campaña siguiente."""
    modelo = json.loads(EJEMPLOS[_RECURSO])
    numeros = count()

    def fabricar() -> bytes:
        campaña = f"cmp-{next(numeros) % _CAMPAÑAS}"
        cuerpo = modelo | {"id": str(uuid_utils.uuid7()), "campaña_id": campaña}
        return envio(puerto, RUTAS[_RECURSO], json.dumps(cuerpo).encode())

    return fabricar


@contextmanager
def _sqlite(filas: int) -> Iterator[_Lleno]:
    with montaje() as servicio:
        llenar_sqlite(servicio.datos, en_campañas(filas))
        archivo = archivo_de(servicio.datos)

        def cuentas(consumidores: Proceso) -> Cuentas:
            return {
                "Lo que escribe el consumidor": lambda: consumidores.escritos,
                "Lo que crece el archivo": lambda: archivo.stat().st_size,
            }

        yield _Lleno(servicio, cuentas)


@contextmanager
def _postgresql(filas: int) -> Iterator[_Lleno | None]:
    with servidor_postgresql() as servidor:
        if servidor is None:
            yield None
            return
        with base_postgresql(servidor) as url, montaje(ALPES_BASE_DATOS=url) as servicio:
            llenar_postgresql(url, en_campañas(filas))
            cuentas: Cuentas = {
                "CPU del servidor de PostgreSQL": partial(cpu_del_servidor, servidor),
                "WAL": lambda: float(preguntar(url, "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")),
            }
            yield _Lleno(servicio, lambda _: cuentas)


_MOTORES: Final[Mapping[str, Callable[[int], AbstractContextManager[_Lleno | None]]]] = {
    "SQLite": _sqlite,
    "PostgreSQL": _postgresql,
}


def _miles(cuantas: int) -> str:
    return f"{cuantas:,}".replace(",", ".")


if __name__ == "__main__":
    ejecutar(
        "Cómo crece el coste de un comando con las filas guardadas.",
        partial(medir, avisar=Console(stderr=True, log_path=False).log),
        Opcion("filas", "las más que habrá; por omisión, diez millones", int),
        Opcion("motor", "SQLite o PostgreSQL; por omisión, los dos"),
    )
