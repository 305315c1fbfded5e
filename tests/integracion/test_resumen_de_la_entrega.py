"""El resumen con el que termina `.ci/run`, sobre los informes de pruebas de verdad."""

import subprocess
import sys
from pathlib import Path

from tests.apoyo.repositorio import RAIZ

PRUEBAS = """
import pytest

def test_pasa(): pass

def test_falla(): assert 1 + 1 == 3, "la suma"

@pytest.mark.parametrize("caso", range(20))
def test_muchas(caso): pass

@pytest.fixture
def rota(): raise OSError("no hay broker")

def test_sin_preparar(rota): pass
"""


def resumir(carpeta: Path) -> str:
    return subprocess.run(
        [sys.executable, str(RAIZ / ".ci" / "resumen.py"), str(carpeta)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def test_nombra_las_diez_mas_lentas_y_cada_una_que_fallo_con_su_motivo_y_su_lugar(tmp_path: Path) -> None:
    (tmp_path / "test_de_prueba.py").write_text(PRUEBAS, encoding="utf-8")
    informes = tmp_path / "informes"
    subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null"),
            *("--rootdir", str(tmp_path), f"--junitxml={informes / 'un paso.xml'}", "test_de_prueba.py"),
        ],
        cwd=tmp_path,
        check=False,
        capture_output=True,
    )
    lentas, _, falladas = resumir(informes).partition("== pruebas que fallaron: 2\n")
    assert lentas.count(" s  test_de_prueba::test_") == 10
    assert "FALLA  test_de_prueba::test_falla (un paso)" in falladas
    assert "la suma" in falladas
    assert "test_de_prueba.py:6: AssertionError" in falladas
    assert "FALLA  test_de_prueba::test_sin_preparar (un paso)" in falladas
    assert "no hay broker" in falladas
    assert "test_pasa" not in falladas


def test_sin_informes_tambien_hay_resumen(tmp_path: Path) -> None:
    assert "== pruebas que fallaron: 0" in resumir(tmp_path)
