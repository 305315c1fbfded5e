"""Conciliar y reconstruir sobre el servicio de verdad: lo que dicen los tópicos contra lo que dice el libro."""

import json
import os
import subprocess
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from alpespartners.modulos.tracking.infraestructura.sqlite import archivo_de
from tests.apoyo.base_datos import sql
from tests.apoyo.espera import hasta
from tests.apoyo.servicio import BINARIOS, Instalacion, instalacion
from tests.muerte.ajeno import Ajeno
from tests.muerte.arbol import Arbol
from tests.muerte.auditoria import esperar_calma
from tests.muerte.carga import Carga


def orden(servicio: Instalacion, *argumentos: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(BINARIOS / "alpespartners"), *argumentos],
        env=os.environ | {"ALPES_DATOS": str(servicio.datos)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def conciliar(servicio: Instalacion, espera: str = "0", margen: str = "0") -> tuple[int, str]:
    dicho = orden(servicio, "conciliar", "--espera", espera, "--margen", margen)
    return dicho.returncode, dicho.stdout + dicho.stderr


@pytest.fixture
def servicio(tmp_path: Path) -> Generator[Instalacion]:
    """Un servicio por el que pasó de todo, en calma y parado."""
    with instalacion(tmp_path) as nuevo:
        arbol = Arbol(nuevo, 1)
        carga = Carga(arbol.puertos, semilla=7)
        ajeno = Ajeno(arbol.broker, arbol.espacio, semilla=7)
        carga.empezar()
        ajeno.empezar()
        hasta(lambda: len(carga.aceptados) >= 400 and len(ajeno.publicados) >= 20, 60)
        carga.terminar()
        ajeno.terminar()
        esperar_calma(arbol.auditado, carga)
        yield nuevo


def test_x(servicio: Instalacion) -> None:
    import time

    t = time.time()
    print(conciliar(servicio), time.time() - t)
    os.kill(servicio.numero_de("alpespartners iniciar"), 15)
    hasta(lambda: not [o for o in servicio.procesos().values() if "guardian" not in o], 20)
    t = time.time()
    print(conciliar(servicio), time.time() - t)
    archivo_de(servicio.datos).rename(servicio.datos / "antes.sqlite3")
    print(orden(servicio, "reconstruir"))
    print(conciliar(servicio))
    assert 0
