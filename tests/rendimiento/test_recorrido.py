"""El programa del recorrido: lo que un evento entra, en un proceso que no deja nada en marcha."""

import re
import subprocess
import sys

import pytest

pytestmark = pytest.mark.rendimiento


def test_dice_los_archivos_y_las_funciones_de_cada_clase_y_con_detalle_cuales() -> None:
    dicho = subprocess.run(
        [sys.executable, "-m", "rendimiento.recorrido", "--vueltas", "2", "--detalle"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    cuentas = re.findall(r"^(\w+): (\d+) archivos, (\d+) funciones$", dicho, re.MULTILINE)
    assert [clase for clase, *_ in cuentas] == ["impresiones", "conversiones"]
    assert dicho.count("\n  ") == sum(int(funciones) for *_, funciones in cuentas)
    for de_cada_mitad in ("DespachadorPulsar.publicar", "TransaccionSQL.__init__", "Relevo.entregar"):
        assert dicho.count(f": {de_cada_mitad}\n") == len(cuentas)
