"""Terminar por las buenas, con carga: pronto, sin trazas y sin perder nada de lo aceptado."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from subprocess import Popen
from typing import Any

import httpx2
import pytest

from alpespartners.modulos.tracking.infraestructura.motores.sqlite.archivo import (
    archivo_de,
    biblioteca_sqlite,
)
from tests.apoyo.espera import hasta
from tests.apoyo.procesos import procesos_de
from tests.apoyo.servicio import Instalacion, instalacion

CLIENTES = 8
SEGUNDOS = 10.0


class Carga:
    """Clientes que envían impresiones sin parar y recuerdan las aceptadas."""

    def __init__(self, servicio: Instalacion) -> None:
        self._servicio = servicio
        self._fin = threading.Event()
        self.aceptadas: set[str] = set()
        self.estados: set[int] = set()
        self._hilos = [threading.Thread(target=self._enviar, args=(numero,)) for numero in range(CLIENTES)]

    def empezar(self) -> None:
        for hilo in self._hilos:
            hilo.start()
        hasta(lambda: len(self.aceptadas) > 300, 60)

    def terminar(self) -> None:
        self._fin.set()
        for hilo in self._hilos:
            hilo.join()

    def _enviar(self, cliente: int) -> None:
        direccion = f"http://127.0.0.1:{self._servicio.puerto}"
        with httpx2.Client(base_url=direccion, timeout=SEGUNDOS, trust_env=False) as http:
            numero = 0
            while not self._fin.is_set():
                numero += 1
                id_evento = f"imp-{cliente}-{numero}"
                try:
                    respuesta = http.post(
                        "/tracking/impresiones", json={"id": id_evento, "campaña_id": "cmp-456"}
                    )
                except httpx2.TransportError:
                    # La API se fue: no prometió nada.
                    self._fin.wait(0.05)
                    continue
                self.estados.add(respuesta.status_code)
                if respuesta.status_code == httpx2.codes.ACCEPTED:
                    self.aceptadas.add(id_evento)


@contextmanager
def todo_en_su_sitio(servicio: Instalacion) -> Iterator[None]:
    """Nada falla."""
    del servicio
    yield


@contextmanager
def broker_detenido(servicio: Instalacion) -> Iterator[None]:
    """El broker no responde, pero sus conexiones siguen abiertas."""
    (broker,) = [n for n, orden in procesos_de(servicio.datos).items() if "--db-path" in orden]
    os.kill(broker, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(broker, signal.SIGCONT)


@contextmanager
def base_de_datos_bloqueada(servicio: Instalacion) -> Iterator[None]:
    """Otro programa retiene el turno de escritura."""
    biblioteca = biblioteca_sqlite()
    with closing(biblioteca.connect(archivo_de(servicio.datos), isolation_level=None)) as ajena:
        hasta(lambda: _bloquea(ajena, biblioteca.OperationalError))
        hasta(lambda: "la base de datos no está disponible" in _salidas(servicio))
        yield


def _bloquea(ajena: Any, ocupada: type[Exception]) -> bool:
    try:
        ajena.execute("BEGIN IMMEDIATE")
    except ocupada:
        return False
    return True


def _salidas(servicio: Instalacion) -> str:
    return "".join(ruta.read_text(encoding="utf-8") for ruta in servicio.salidas.glob("salida-*.log"))


def parar(proceso: "Popen[bytes]") -> int:
    """Pide terminar y devuelve cómo acabó; más tarde de lo prometido es un fallo."""
    inicio = time.monotonic()
    proceso.send_signal(signal.SIGTERM)
    codigo = proceso.wait(60)
    assert time.monotonic() - inicio < SEGUNDOS
    return codigo


def todas_registradas(servicio: Instalacion, aceptadas: set[str]) -> bool:
    direccion: str | None = "/tracking/campañas/cmp-456/impresiones?limite=1000"
    registradas: set[str] = set()
    while direccion is not None:
        respuesta = servicio.http.get(direccion)
        registradas |= {elemento["id"] for elemento in respuesta.json()["elementos"]}
        direccion = respuesta.links["next"]["url"] if "next" in respuesta.links else None
    return registradas >= aceptadas


@pytest.mark.parametrize("estorbo", [todo_en_su_sitio, broker_detenido, base_de_datos_bloqueada])
def test_con_carga_la_api_y_los_consumidores_terminan_en_diez_segundos_y_no_se_pierde_nada(
    tmp_path: Path, estorbo: Callable[[Instalacion], AbstractContextManager[None]]
) -> None:
    with instalacion(tmp_path) as servicio:
        api, consumidores = servicio.api(), servicio.consumidores()
        servicio.esperar_consumidores()
        carga = Carga(servicio)
        try:
            carga.empezar()
            with estorbo(servicio):
                assert parar(consumidores) == 0
                # uvicorn, tras terminar por las buenas, se envía otra vez la señal que recibió.
                assert parar(api) == -signal.SIGTERM
        finally:
            carga.terminar()
        assert carga.estados <= {202, 503}
        salidas = _salidas(servicio)
        assert "Traceback" not in salidas
        assert "never retrieved" not in salidas
        assert "terminate called" not in salidas

        servicio.api()
        servicio.consumidores()
        servicio.esperar_consumidores()
        hasta(lambda: todas_registradas(servicio, carga.aceptadas), 60, 0.2)


def test_con_carga_el_servicio_entero_termina_con_una_señal_y_codigo_cero(tmp_path: Path) -> None:
    with instalacion(tmp_path) as servicio:
        principal = servicio.iniciar()
        servicio.esperar_consumidores()
        carga = Carga(servicio)
        try:
            carga.empezar()
            assert parar(principal) == 0
        finally:
            carga.terminar()
        assert "Traceback" not in servicio.salida(principal)
        servicio.iniciar()
        servicio.esperar_consumidores()
        hasta(lambda: todas_registradas(servicio, carga.aceptadas), 60, 0.2)
