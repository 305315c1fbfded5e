"""Adónde va cada microsegundo de un evento, de la petición a su evento publicado.

Qué es: API y consumidores con el cronómetro puesto, a tope como en la meta a, y dos tablas que cuadran:
las partes de cada proceso y lo que queda en cada hilo suman su CPU por evento.
Qué no es: la cifra de la meta a; envolver las partes la sube, y aunque su coste se descuenta, algo desordena.
Por qué existe: lo siguiente que hay que mejorar es la línea más larga.
"""

import json
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from alpespartners.medicion.atraso import pasar
from alpespartners.medicion.medida import Medida
from alpespartners.medicion.montaje import Proceso, esperar_a, montaje, parando
from alpespartners.medicion.nucleos import en_el_de_la_carga, en_el_de_los_servidores
from alpespartners.medicion.programa import ejecutar

_MICROSEGUNDOS: Final = 1e-3

_RESTO_DE_LA_API: Final = "bucle de asyncio, tareas y el núcleo en el envío y la recepción"
_RESTO_DEL_CONSUMIDOR: Final = "bucle de asyncio, hilos y esperas"
_CLIENTE: Final = "hilos del cliente de Pulsar: red, lotes y avisos"


class Gasto(NamedTuple):
    """Lo gastado por un proceso, en nanosegundos de CPU.

    Attributes:
        partes: por cada una de las medidas.
        hilos: por cada hilo de Python.
        proceso: todos sus hilos.
        medir: lo que costó medir, incluido en los anteriores salvo en `partes`.
    """

    partes: Mapping[str, int]
    hilos: Mapping[str, int]
    proceso: int
    medir: int

    def menos(self, otro: "Gasto") -> "Gasto":
        """Lo gastado desde entonces."""
        return Gasto(
            _resta(self.partes, otro.partes),
            _resta(self.hilos, otro.hilos),
            self.proceso - otro.proceso,
            self.medir - otro.medir,
        )


def medir(*, breve: bool) -> Sequence[Medida]:
    """Devuelve una fila por parte de cada proceso, y su total."""
    segundos = 1.5 if breve else 20.0
    with tempfile.TemporaryDirectory() as carpeta:
        orden = (sys.executable, "-m", "rendimiento.cronometrado", carpeta)
        with montaje(orden) as servicio:
            with en_el_de_los_servidores():
                api = servicio.api()
                consumidores = servicio.consumidores(api)
            with parando(consumidores, api), en_el_de_la_carga():
                pasar(api, 1.0)
                archivos = {Path(carpeta, "api.json"): api, Path(carpeta, "consumidores.json"): consumidores}
                antes = [_gastado(proceso, archivo) for archivo, proceso in archivos.items()]
                cuantos = pasar(api, segundos)
                despues = [_gastado(proceso, archivo) for archivo, proceso in archivos.items()]
    de_la_api, del_consumidor = (
        ahora.menos(entonces) for entonces, ahora in zip(antes, despues, strict=True)
    )
    return [
        *_filas("API", de_la_api, _RESTO_DE_LA_API, cuantos),
        *_filas("consumidor", del_consumidor, _RESTO_DEL_CONSUMIDOR, cuantos),
    ]


def repartir(gasto: Gasto, resto: str) -> dict[str, int]:
    """Las partes, de la mayor a la menor; con `resto` y los hilos ajenos suman la CPU, sin lo de medir."""
    de_python = sum(gasto.hilos.values())
    partes = Counter(gasto.partes)
    partes[resto] = de_python - gasto.medir - sum(gasto.partes.values())
    partes[_CLIENTE] = gasto.proceso - de_python
    return dict(partes.most_common())


def _filas(proceso: str, gasto: Gasto, resto: str, cuantos: int) -> list[Medida]:
    partes = repartir(gasto, resto)
    total = sum(partes.values())
    filas = [(f"{proceso}: {parte}", gastado) for parte, gastado in partes.items()]
    return [
        Medida(
            meta="",
            nombre=nombre,
            medido=f"{gastado / cuantos * _MICROSEGUNDOS:.1f} µs",
            cifra=gastado / total * 100,
            unidad="%",
        )
        for nombre, gastado in [*filas, (f"{proceso}, en total", total)]
    ]


def _gastado(proceso: Proceso, archivo: Path) -> Gasto:
    proceso.avisar(signal.SIGUSR1)
    esperar_a(archivo.exists)
    leido: dict[str, Any] = json.loads(archivo.read_bytes())
    archivo.unlink()
    return Gasto(**leido)


def _resta(despues: Mapping[str, int], antes: Mapping[str, int]) -> dict[str, int]:
    return {nombre: cuanto - antes.get(nombre, 0) for nombre, cuanto in despues.items()}


if __name__ == "__main__":
    ejecutar("Adónde va cada microsegundo de un evento.", medir)
