"""Lo que falla por fuera: disco, broker y base de datos. Nada se acepta en falso y nada se pierde."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import httpx2

from tests.apoyo.base_datos import sql
from tests.apoyo.discos import disco_pequeño
from tests.apoyo.espera import hasta
from tests.apoyo.procesos import dueño_del_cerrojo
from tests.apoyo.puertos import reservar_puerto_del_broker
from tests.apoyo.servicio import Instalacion, instalacion
from tests.muerte.auditoria import auditar, embebida, esperar_calma
from tests.muerte.broker_ausente import ejecutar as dejar_sin_broker
from tests.muerte.carga import Carga

_MEGA: Final = 1024 * 1024
_CERROJO_AJENO: Final = Path(__file__).parents[1] / "apoyo" / "cerrojo_ajeno.py"


def _enviar(servicio: Instalacion, id_evento: str) -> httpx2.Response:
    return servicio.http.post("/tracking/impresiones", json={"id": id_evento, "campaña_id": "cmp-1"})


def test_con_el_disco_lleno_nada_se_acepta_y_al_haber_sitio_todo_sigue_solo(tmp_path: Path) -> None:
    with disco_pequeño(tmp_path / "datos", megas=256) as disco, instalacion(tmp_path) as servicio:
        reservar_puerto_del_broker(servicio.datos)
        servicio.iniciar()
        servicio.esperar_consumidores()
        carga = Carga([servicio.puerto], semilla=1)
        carga.empezar()
        try:
            hasta(lambda: len(carga.aceptados) > 200, 60)
            disco.llenar()
            negado = hasta(partial(_negado, servicio))
            aceptados = len(carga.aceptados)
            assert negado.json()["type"] == "urn:alpespartners:error:almacenamiento_lleno"
            assert negado.headers["Retry-After"]
            salud = hasta(lambda: _salud_si_no_lista(servicio))
            assert salud["broker"] == "no_disponible"
            assert servicio.http.get("/tracking/campañas/cmp-1/impresiones").status_code == 200
            # El guardián ya detuvo al broker: lo que se acepte desde aquí no estaría en ningún sitio.
            hasta(lambda: "sin ellos no hay broker" in _registro_del_broker(servicio))
            assert all(_negado(servicio) for _ in range(20))
            assert len(carga.aceptados) == aceptados
            disco.vaciar()
            hasta(lambda: len(carga.aceptados) > aceptados + 100, 60)
        finally:
            carga.terminar()
        esperar_calma(embebida(servicio), carga)
        assert auditar(embebida(servicio), carga).discrepancias == []
        assert sql(servicio.datos, "PRAGMA integrity_check") == [("ok",)]


def _negado(servicio: Instalacion) -> httpx2.Response | None:
    respuesta = _enviar(servicio, "sin-sitio")
    return respuesta if respuesta.status_code == 503 else None


def _salud_si_no_lista(servicio: Instalacion) -> dict[str, object] | None:
    respuesta = servicio.http.get("/salud/lista")
    cuerpo: dict[str, object] = respuesta.json()
    return cuerpo if respuesta.status_code == 503 else None


def _registro_del_broker(servicio: Instalacion) -> str:
    return (servicio.datos / "broker" / "registro.log").read_text(encoding="utf-8", errors="replace")


def test_sin_broker_no_se_acepta_nada_ni_crece_la_memoria_y_al_volver_todo_sigue_solo(tmp_path: Path) -> None:
    ausencia = dejar_sin_broker(tmp_path, segundos=8)
    estado, salud = ausencia.salud
    assert (estado, salud["broker"], salud["base_datos"]) == (503, "no_disponible", "disponible")
    assert ausencia.aceptados == 0
    assert all(octetos <= 150 * _MEGA for octetos in ausencia.crecimiento.values())
    assert ausencia.auditoria.discrepancias == []


def test_sin_base_de_datos_se_sigue_aceptando_y_al_volver_todo_se_registra_solo(tmp_path: Path) -> None:
    with instalacion(tmp_path) as servicio:
        principal = servicio.iniciar()
        servicio.esperar_consumidores()
        assert _enviar(servicio, "antes").status_code == 202
        hasta(lambda: _visibles(servicio) == {"antes"})

        ids = {"antes"}
        with _base_de_datos_tomada(servicio.datos):
            for numero in range(20):
                ids.add(f"durante-{numero}")
                assert _enviar(servicio, f"durante-{numero}").status_code == 202
            # SQLite insiste unos diez segundos antes de rendirse: se pregunta a la vez.
            with ThreadPoolExecutor() as hilos:
                pedir = partial(servicio.http.get, timeout=30)
                consulta, lista = hilos.map(pedir, ("/tracking/impresiones/antes", "/salud/lista"))
            assert consulta.status_code == 503
            assert consulta.json()["type"] == "urn:alpespartners:error:base_de_datos_no_disponible"
            salud = lista.json()
            assert (lista.status_code, salud["estado"]) == (200, "degradada")
            assert (salud["broker"], salud["base_datos"]) == ("disponible", "no_disponible")
            hasta(lambda: len(_pausas(servicio.salida(principal))) >= 2, 60)
            # Quien muere ahora tampoco puede abrirla al volver: insiste, y no arrastra a la API.
            consumidores = hasta(lambda: dueño_del_cerrojo(servicio.datos / "consumidor.lock"))
            os.kill(consumidores, signal.SIGKILL)
            hasta(lambda: "consumidores no pudo arrancar" in servicio.salida(principal), 60)
            assert _enviar(servicio, "sin consumidores").status_code == 202
            ids.add("sin consumidores")

        assert _pausas(servicio.salida(principal))[:2] == [0.5, 1.0]
        hasta(lambda: _visibles(servicio) == ids, 60)
        assert principal.poll() is None
        assert sql(servicio.datos, "SELECT count(*) FROM destinos") == [(0,)]
        assert sql(servicio.datos, "PRAGMA integrity_check") == [("ok",)]


@contextmanager
def _base_de_datos_tomada(datos: Path) -> Iterator[None]:
    with subprocess.Popen(
        [sys.executable, _CERROJO_AJENO, datos], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as ajeno:
        assert ajeno.stdout is not None
        assert ajeno.stdout.readline() == b"tomados\n"
        try:
            yield
        finally:
            ajeno.communicate()


def _visibles(servicio: Instalacion) -> set[str]:
    respuesta = servicio.http.get("/tracking/campañas/cmp-1/impresiones?limite=1000", timeout=30)
    return {elemento["id"] for elemento in respuesta.json().get("elementos", ())}


def _pausas(salida: str) -> list[float]:
    """Las pausas que anunciaron los consumidores de impresiones, por orden."""
    avisos = [
        json.loads(linea) for linea in salida.splitlines() if "la base de datos no está disponible" in linea
    ]
    return [aviso["pausa"] for aviso in avisos if aviso.get("topico") == "comando-registrar-impresion"]
