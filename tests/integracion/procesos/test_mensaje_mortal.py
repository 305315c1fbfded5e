"""Un mensaje que mata al proceso no lo mata para siempre, y sus vecinos se registran."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.apoyo.base_datos import sql
from tests.apoyo.repositorio import RAIZ

CUANTOS = 1_000


@pytest.mark.parametrize(("donde", "mortal"), [("asentar", 333), ("abrir", 998)])
def test_entre_mil_mensajes_el_que_mata_al_proceso_acaba_ilegible_y_los_demas_se_registran(
    tmp_path: Path, donde: str, mortal: int
) -> None:
    muertes = 0
    while (codigo := vida(tmp_path, donde, mortal)) != 0:
        assert codigo == -signal.SIGKILL
        muertes += 1
        assert muertes <= 15
    assert muertes >= 3
    ((registradas,),) = sql(tmp_path, "SELECT count(*) FROM impresiones")
    assert registradas == CUANTOS - 1
    assert sql(tmp_path, "SELECT estado, evento_id, detalle FROM destinos") == [
        ("ILEGIBLE", f"imp-{mortal}", "hizo morir 3 veces al consumidor")
    ]
    cartas = "SELECT cuantos FROM balance WHERE topico = 'bandeja_salida' AND estado = 'DEPOSITADO'"
    assert sql(tmp_path, cartas) == [(1,)]
    assert sql(tmp_path, "SELECT count(*) FROM impresiones WHERE carril IS NOT NULL") == [(CUANTOS - 1,)]


def vida(datos: Path, donde: str, mortal: int) -> int:
    """Una vida del proceso; devuelve cómo acabó."""
    orden = [sys.executable, "-m", "tests.apoyo.consumidor_mortal", str(datos), donde, str(CUANTOS)]
    return subprocess.run(
        [*orden, str(mortal)], cwd=RAIZ, env=os.environ | {"PYTHONPATH": str(RAIZ)}, timeout=60, check=False
    ).returncode
