"""Meta i: lo que tarda en estar listo, y lo que cuesta importarlo.

Qué es: segundos desde la orden hasta que `/salud/lista` dice que sí, con la API de la semilla (`uvicorn`) y
con `alpespartners iniciar` (que además tiene consumidores); y los de `import alpespartners.main`. Cada vez
arranca también el broker embebido. La base de datos existe y todo se leyó ya una vez del disco.
Qué no es: la primera vez de todas, que crea las tablas.
Por qué existe: se arranca muchas veces al día, y cada segundo se espera mirando.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any, Final

import psutil

from alpespartners.medicion.medida import Medida
from alpespartners.medicion.montaje import (
    ORDEN,
    Proceso,
    broker_de,
    entorno,
    esperar_a,
    parando,
    pedir,
    puerto_libre,
)
from alpespartners.medicion.programa import ejecutar

_UVICORN: Final = (sys.executable, "-m", "uvicorn", "alpespartners.main:app", "--port")
_IMPORTAR: Final = (
    "import sys, time; antes = time.perf_counter(), time.process_time(); import alpespartners.main;"
    "sys.stdout.write(f'{time.perf_counter() - antes[0]} {time.process_time() - antes[1]}')"
)


def medir(*, breve: bool) -> Sequence[Medida]:
    """Devuelve las filas de la meta i."""
    veces = 1 if breve else 9
    datos = Path(tempfile.mkdtemp(prefix="alpes-rendimiento-"))
    try:
        importar = [_importar(datos) for _ in range(veces + 1)][1:]
        uvicorn, iniciar = [], []
        for _ in range(veces + 1):
            uvicorn.append(_arrancar(datos, lambda puerto: (*_UVICORN, str(puerto)), _lista))
            iniciar.append(_arrancar(datos, lambda _: (*ORDEN, "iniciar"), _con_consumidores))
    finally:
        shutil.rmtree(datos, ignore_errors=True)
    return [
        _fila("`uvicorn alpespartners.main:app`, hasta estar lista", uvicorn[1:], objetivo=3, normal=6),
        _fila(
            "`alpespartners iniciar`, hasta estar listo y con consumidores", iniciar[1:], objetivo=3, normal=6
        ),
        _fila("`import alpespartners.main`", [reloj for reloj, _ in importar], objetivo=0.6, normal=1.5),
        Medida(
            meta="i",
            nombre="`import alpespartners.main`, su CPU",
            medido=f"mediana de {veces}",
            cifra=median(cpu for _, cpu in importar),
            unidad="s",
        ),
    ]


def _fila(nombre: str, segundos: Sequence[float], *, objetivo: float, normal: float) -> Medida:
    return Medida(
        meta="i",
        nombre=nombre,
        medido=f"mediana de {len(segundos)}, de {min(segundos):.2f} a {max(segundos):.2f} s",
        cifra=median(segundos),
        objetivo=objetivo,
        normal=normal,
        unidad="s",
    )


def _importar(datos: Path) -> tuple[float, float]:
    """Segundos de reloj y de CPU."""
    hecho = subprocess.run(
        [sys.executable, "-c", _IMPORTAR],
        env=_entorno(datos),
        check=True,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    reloj, cpu = map(float, hecho.stdout.split())
    return reloj, cpu


def _arrancar(datos: Path, orden: Callable[[int], Sequence[str]], listo: Callable[[Any], bool]) -> float:
    """Segundos de una orden hasta que la API dice lo que se espera de ella; al salir no queda nada vivo."""
    puerto = puerto_libre()
    comienzo = time.perf_counter()
    proceso = Proceso(
        subprocess.Popen(
            orden(puerto),
            env={**_entorno(datos), "ALPES_PUERTO": str(puerto)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ),
        puerto,
    )
    with parando(proceso):
        esperar_a(lambda: listo(pedir(puerto, "/salud/lista")))
        segundos = time.perf_counter() - comienzo
    _parar_el_broker(datos)
    return segundos


def _parar_el_broker(datos: Path) -> None:
    """Se lo pide a su guardián, que si no lo tendría vivo unos segundos más por si alguien vuelve."""
    with suppress(psutil.NoSuchProcess):
        guardian = broker_de(datos).parent()
        if guardian is not None:
            guardian.terminate()
            guardian.wait()


def _lista(estado: Any) -> bool:
    return estado is not None


def _con_consumidores(estado: Any) -> bool:
    return bool(estado and estado["consumidores"])


def _entorno(datos: Path) -> dict[str, str]:
    return entorno({"ALPES_DATOS": str(datos)})


if __name__ == "__main__":
    ejecutar("Lo que tarda en arrancar.", medir)
