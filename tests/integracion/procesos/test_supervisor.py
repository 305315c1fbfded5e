"""El supervisor y sus hijos, con procesos de verdad, cada grupo en su propia sesión."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.apoyo.espera import hasta

_PROGRAMA = Path(__file__).parents[2] / "apoyo" / "supervisado.py"


def _vive(pid: int) -> bool:
    try:
        estado = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return estado != "Z"


class Grupo:
    """Un supervisor en marcha."""

    def __init__(self, carpeta: Path, *trabajos: str) -> None:
        self._carpeta = carpeta
        self.proceso = subprocess.Popen(
            [sys.executable, _PROGRAMA, carpeta, *trabajos],
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def pid(self, trabajo: str, distinto_de: int = 0) -> int:
        """El pid del hijo que hace ese trabajo, cuando lo haya."""
        archivo = self._carpeta / f"{trabajo}.pid"
        return hasta(
            lambda: archivo.exists() and (pid := int(archivo.read_text("ascii"))) != distinto_de and pid
        )

    def terminar(self) -> tuple[int, str]:
        """Espera a que acabe: su código y lo que escribió."""
        _, errores = self.proceso.communicate(timeout=10)
        return self.proceso.returncode, errores


@pytest.fixture
def grupos() -> Iterator[list[Grupo]]:
    lanzados: list[Grupo] = []
    yield lanzados
    for grupo in lanzados:
        try:
            os.killpg(grupo.proceso.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue  # no queda ninguno, como debe ser
        finally:
            grupo.proceso.communicate(timeout=10)


def _lanzar(grupos: list[Grupo], carpeta: Path, *trabajos: str) -> Grupo:
    grupos.append(Grupo(carpeta, *trabajos))
    return grupos[-1]


def test_un_hijo_que_muere_se_repone_y_los_demas_siguen(tmp_path: Path, grupos: list[Grupo]) -> None:
    grupo = _lanzar(grupos, tmp_path, "obediente", "sordo")
    primero, sordo = grupo.pid("obediente"), grupo.pid("sordo")
    os.kill(primero, signal.SIGKILL)
    assert _vive(grupo.pid("obediente", distinto_de=primero))
    assert _vive(sordo)


def test_un_hijo_que_termina_una_y_otra_vez_se_repone_cada_vez_mas_despacio(
    tmp_path: Path, grupos: list[Grupo]
) -> None:
    _lanzar(grupos, tmp_path, "fugaz")
    archivo = tmp_path / "fugaz.veces"
    hasta(lambda: archivo.exists() and len(archivo.read_text("ascii").splitlines()) >= 4, segundos=20)
    veces = [float(linea) for linea in archivo.read_text("ascii").splitlines()]
    for pausa, antes, despues in zip((0.2, 0.4, 0.8), veces, veces[1:], strict=False):
        assert despues - antes >= pausa


@pytest.mark.parametrize("señal", [signal.SIGTERM, signal.SIGINT])
def test_una_señal_al_supervisor_detiene_a_todos_hasta_al_que_no_hace_caso(
    tmp_path: Path, grupos: list[Grupo], señal: signal.Signals
) -> None:
    grupo = _lanzar(grupos, tmp_path, "obediente", "sordo")
    hijos = [grupo.pid("obediente"), grupo.pid("sordo")]
    grupo.proceso.send_signal(señal)
    codigo, errores = grupo.terminar()
    assert codigo == 0
    assert "Traceback" not in errores
    assert not any(map(_vive, hijos))


def test_ctrl_c_llega_a_toda_la_terminal_y_nadie_muestra_una_traza(
    tmp_path: Path, grupos: list[Grupo]
) -> None:
    grupo = _lanzar(grupos, tmp_path, "sordo", "fugaz")
    sordo = grupo.pid("sordo")
    os.killpg(grupo.proceso.pid, signal.SIGINT)
    codigo, errores = grupo.terminar()
    assert codigo == 0
    assert "Traceback" not in errores
    assert not _vive(sordo)


def test_un_hijo_que_no_puede_arrancar_detiene_todo_con_su_frase_una_sola_vez(
    tmp_path: Path, grupos: list[Grupo]
) -> None:
    grupo = _lanzar(grupos, tmp_path, "obediente", "imposible")
    codigo, errores = grupo.terminar()
    assert codigo == 1
    assert errores == "Falta la base de datos.\n"
    assert not _vive(grupo.pid("obediente"))


def test_un_hijo_que_ya_vivio_y_no_puede_volver_se_intenta_otra_vez_sin_detener_a_nadie(
    tmp_path: Path, grupos: list[Grupo]
) -> None:
    grupo = _lanzar(grupos, tmp_path, "intermitente")
    assert _vive(grupo.pid("obediente"))
    assert (tmp_path / "intermitente.veces").read_text(encoding="ascii") == "xxx"


def test_si_matan_al_supervisor_sus_hijos_terminan_solos(tmp_path: Path, grupos: list[Grupo]) -> None:
    grupo = _lanzar(grupos, tmp_path, "obediente")
    obediente = grupo.pid("obediente")
    grupo.proceso.kill()
    hasta(lambda: not _vive(obediente))


def test_un_hijo_cuyo_padre_muere_y_no_hace_caso_de_sigterm_acaba_tras_la_gracia(
    tmp_path: Path, grupos: list[Grupo]
) -> None:
    grupo = _lanzar(grupos, tmp_path, "--solo")
    sordo = grupo.pid("sordo")
    grupo.proceso.kill()
    hasta(lambda: not _vive(sordo))
