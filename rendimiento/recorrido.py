"""El recorrido de un evento: en qué archivos y funciones entra, de su petición a su evento publicado.

Qué es: `python -m rendimiento.recorrido [--detalle]`. Las dos órdenes de la semilla en un solo proceso, sobre
el broker embebido y SQLite, y las funciones de `alpespartners` en que se entra desde que sale un POST hasta
que su evento se lee en su tópico. Se repite, y cuenta lo que estuvo en todas las vueltas: lo demás es trabajo
de fondo.
Qué no es: tiempo (`reparto.py`). Lo que corre en los hilos propios del cliente de Pulsar no se ve.
Por qué existe: un recorrido largo cuesta de leer y de cambiar, y si se alarga se ve contándolo.
"""

import argparse
import os
import runpy
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

import pulsar
import uvicorn

import alpespartners
from alpespartners.medicion.eventos import envios
from alpespartners.medicion.montaje import esperar_a, montaje, pedir, pendientes

_PAQUETE: Final = f"{Path(alpespartners.__file__).parent}{os.sep}"
_TOPICOS: Final = {
    "impresiones": "evento-impresion-registrada",
    "conversiones": "evento-conversion-registrada",
}
_CALENTAMIENTO: Final = 3
_LIMITE_MS: Final = 10_000

Entradas = set[tuple[str, str]]
"""Archivo, dentro del paquete, y función."""


class Huella:
    """Las funciones del paquete en que entran los hilos de Python mientras se mira."""

    def __init__(self) -> None:
        self._entradas: Entradas | None = None

    @contextmanager
    def mirando(self) -> Iterator[Entradas]:
        """Da el conjunto donde quedan las de mientras dura el bloque."""
        entradas: Entradas = set()
        self._entradas = entradas
        try:
            yield entradas
        finally:
            self._entradas = None

    def anotar(self, marco: FrameType, suceso: str, _: object) -> None:
        """Sirve de `sys.setprofile`."""
        entradas = self._entradas
        if entradas is not None and suceso == "call":
            codigo = marco.f_code
            # Una comprensión o una `lambda` es parte de la función que la escribe.
            if codigo.co_filename.startswith(_PAQUETE) and not codigo.co_name.startswith("<"):
                entradas.add((codigo.co_filename.removeprefix(_PAQUETE), codigo.co_qualname))


def recorrer(vueltas: int) -> Mapping[str, Entradas]:
    """Lo que recorre un evento de cada clase. Solo en el hilo principal."""
    huella = Huella()
    with montaje() as servicio, ThreadPoolExecutor(1) as aparte:
        os.environ |= {"ALPES_DATOS": str(servicio.datos), "ALPES_REGISTRO": "ERROR"}
        threading.setprofile(huella.anotar)
        sys.setprofile(huella.anotar)
        try:
            mirado = aparte.submit(_mirar, huella, vueltas, servicio.url_del_broker())
            # Vuelve con la señal que envía quien mira.
            runpy.run_module("alpespartners.modulos.tracking.infraestructura", run_name="__main__")
        finally:
            sys.setprofile(None)
            threading.setprofile(None)
        return mirado.result()


def _mirar(huella: Huella, vueltas: int, broker: str) -> Mapping[str, Entradas]:
    # Lo que hace quien pregunta no es del servicio.
    sys.setprofile(None)
    with ExitStack() as pila:
        pila.callback(os.kill, os.getpid(), signal.SIGTERM)
        puerto = pila.enter_context(_api())
        esperar_a(lambda: (pedir(puerto, "/salud/lista") or {}).get("consumidores"))
        cliente = pila.enter_context(
            closing(pulsar.Client(broker, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error)))
        )
        return {
            recurso: _de_todas(huella, vueltas, puerto, recurso, _lector(cliente, topico))
            for recurso, topico in _TOPICOS.items()
        }


@contextmanager
def _api() -> Iterator[int]:
    """Da el puerto de una API en un hilo de este proceso."""
    with socket.create_server(("127.0.0.1", 0)) as enchufe:
        servidor = uvicorn.Server(uvicorn.Config("alpespartners.main:app", log_config=None, access_log=False))
        hilo = threading.Thread(target=servidor.run, args=([enchufe],))
        hilo.start()
        try:
            yield enchufe.getsockname()[1]
        finally:
            servidor.should_exit = True
            hilo.join()


def _lector(cliente: pulsar.Client, topico: str) -> Callable[[], str]:
    """Da el `id` del evento siguiente de ese tópico, de los que lleguen desde ahora."""
    lector = cliente.create_reader(f"persistent://public/default/{topico}", pulsar.MessageId.latest)
    return lambda: str(lector.read_next(_LIMITE_MS).properties()["ce_subject"])


def _de_todas(
    huella: Huella, vueltas: int, puerto: int, recurso: str, siguiente: Callable[[], str]
) -> Entradas:
    """Lo que estuvo en todas las vueltas, después de unas de calentamiento."""
    ids: list[str] = []
    fabricar = envios(puerto, recurso, ids.append)
    vistas: list[Entradas] = []
    with socket.create_connection(("127.0.0.1", puerto)) as conexion:
        for _ in range(_CALENTAMIENTO + vueltas):
            with huella.mirando() as entradas:
                conexion.sendall(fabricar())
                conexion.recv(65_536)
                while siguiente() != ids[-1]:
                    pass
            vistas.append(entradas)
            esperar_a(lambda: not pendientes(puerto))
    return set.intersection(*vistas[_CALENTAMIENTO:])


if __name__ == "__main__":
    lector = argparse.ArgumentParser(description="Lo que recorre un evento, en archivos y funciones.")
    lector.add_argument("--vueltas", type=int, default=7, help="eventos de cada clase; por omisión, 7")
    lector.add_argument("--detalle", action="store_true", help="también, cuáles")
    dado = lector.parse_args()
    for recurso, entradas in recorrer(dado.vueltas).items():
        archivos = len({archivo for archivo, _ in entradas})
        sys.stdout.write(f"{recurso}: {archivos} archivos, {len(entradas)} funciones\n")
        for archivo, funcion in sorted(entradas) if dado.detalle else ():
            sys.stdout.write(f"  {archivo}: {funcion}\n")
