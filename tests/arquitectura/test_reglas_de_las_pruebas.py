"""Lo que `tests/conftest.py` promete, comprobado sobre un puñado de pruebas escritas al vuelo.

No son pruebas del producto: existen porque un conftest que dejara de actuar no haría fallar nada.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_CONFTEST = Path(__file__).parents[1] / "conftest.py"
_SALTADAS = {
    "la prueba": 'import pytest\ndef test_algo():\n    pytest.skip("falta PostgreSQL")\n',
    "el archivo": 'import pytest\npytest.skip("falta PostgreSQL", allow_module_level=True)\n',
}
_CON_SOCKET = """
import socket, pytest, pytest_socket
def test_algo():
    with pytest.warns(UserWarning), pytest.raises(pytest_socket.SocketBlockedError):
        socket.socket(socket.AF_INET)
"""


def _pytest(carpeta: Path, **ajustes: str) -> subprocess.CompletedProcess[str]:
    shutil.copy(_CONFTEST, carpeta / "conftest.py")
    (carpeta / "pytest.ini").write_text("[pytest]\naddopts = --allow-unix-socket\n", encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "pytest_socket", "-p", "no:cacheprovider"],
        cwd=carpeta,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "ALPES_EXIGIR_TODO": "", **ajustes},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("que", _SALTADAS)
def test_una_prueba_saltada_falla_si_se_exige_todo_y_dice_que_falta(tmp_path: Path, que: str) -> None:
    (tmp_path / "test_saltada.py").write_text(_SALTADAS[que], encoding="utf-8")
    resultado = _pytest(tmp_path, ALPES_EXIGIR_TODO="1")
    assert resultado.returncode not in (0, 5)
    assert "falta PostgreSQL" in resultado.stdout


def test_una_prueba_saltada_no_falla_si_no_se_exige(tmp_path: Path) -> None:
    (tmp_path / "test_saltada.py").write_text(_SALTADAS["la prueba"], encoding="utf-8")
    assert _pytest(tmp_path).returncode == 0


def test_una_prueba_unitaria_no_puede_abrir_un_socket(tmp_path: Path) -> None:
    (tmp_path / "unidad").mkdir()
    (tmp_path / "unidad" / "test_con_socket.py").write_text(_CON_SOCKET, encoding="utf-8")
    resultado = _pytest(tmp_path)
    assert resultado.returncode == 0, resultado.stdout
