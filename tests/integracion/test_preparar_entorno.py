"""La preparación de `.venv` por `bin/iniciar`, de verdad pero sin red: con un registro de una sola rueda.

No prueba el servicio: el paquete instalado es un sustituto que repite sus argumentos.
"""

import base64
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from tests.apoyo.repositorio import RAIZ

# Escribe desde un proceso hijo, que como los de `alpespartners iniciar` vuelve a leer la orden que lo lanzó.
_CLI = """\
import multiprocessing
import sys

import pieza


def escribir(argumentos):
    sys.stdout.write(f"{pieza.VERSION} {argumentos}")


def principal():
    hijo = multiprocessing.get_context("spawn").Process(target=escribir, args=(sys.argv[1:],))
    hijo.start()
    hijo.join()
"""


class Repositorio:
    """Un repositorio de mentira, en una carpeta con espacios, cuyo único requisito es la rueda `pieza`."""

    def __init__(self, carpeta: Path) -> None:
        self.raiz = carpeta / "un repositorio"
        self._ruedas = carpeta / "ruedas"
        self._ruedas.mkdir()
        shutil.copytree(RAIZ / "bin", self.raiz / "bin", ignore=shutil.ignore_patterns("__pycache__"))
        (self.raiz / "src" / "alpespartners").mkdir(parents=True)
        (self.raiz / "src" / "alpespartners" / "cli.py").write_text(_CLI, encoding="utf-8")
        (self.raiz / "requisitos").mkdir()
        self.pedir("1.0")

    @property
    def entorno(self) -> Path:
        return self.raiz / ".venv"

    def pedir(self, version: str) -> None:
        """Publica `pieza` en esa versión y la bloquea en los requisitos."""
        rueda = self._ruedas / f"pieza-{version}-py3-none-any.whl"
        informacion = f"pieza-{version}.dist-info"
        contenido = {
            "pieza.py": f'VERSION = "{version}"\n',
            f"{informacion}/METADATA": f"Metadata-Version: 2.1\nName: pieza\nVersion: {version}\n",
            f"{informacion}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        registro = "".join(
            f"{nombre},sha256={base64.urlsafe_b64encode(hashlib.sha256(texto.encode()).digest()).rstrip(b'=').decode()},\n"
            for nombre, texto in contenido.items()
        )
        with zipfile.ZipFile(rueda, "w") as archivo:
            for nombre, texto in (contenido | {f"{informacion}/RECORD": registro}).items():
                archivo.writestr(nombre, texto)
        huella = hashlib.sha256(rueda.read_bytes()).hexdigest()
        self.bloquear(f"pieza=={version} \\\n    --hash=sha256:{huella}\n")

    def bloquear(self, requisitos: str) -> None:
        (self.raiz / "requisitos" / "servicio.txt").write_text(requisitos, encoding="utf-8")

    def quitar_ruedas(self) -> None:
        """Desde ahora todo lo que llame a pip falla."""
        shutil.rmtree(self._ruedas)

    def lanzar(self, *argumentos: str, orden: Path | None = None) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [orden or self.raiz / "bin" / "iniciar", *argumentos],
            cwd="/",
            env={**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": self._ruedas.as_uri()},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def iniciar(self, *argumentos: str, orden: Path | None = None) -> str:
        """Lo que el sustituto escribió.

        Raises:
            AssertionError: la orden falló; lleva lo que dijo.
        """
        proceso = self.lanzar(*argumentos, orden=orden)
        salida, errores = proceso.communicate()
        assert proceso.returncode == 0, errores
        return salida


@pytest.fixture
def repositorio(tmp_path: Path) -> Repositorio:
    return Repositorio(tmp_path)


@pytest.fixture(scope="module")
def entorno() -> ModuleType:
    ficha = importlib.util.spec_from_file_location("entorno", RAIZ / "bin" / "entorno.py")
    assert ficha is not None
    assert ficha.loader is not None
    modulo = importlib.util.module_from_spec(ficha)
    ficha.loader.exec_module(modulo)
    return modulo


def test_la_primera_vez_instala_y_despues_arranca_sin_tocar_nada_ni_por_un_enlace(
    repositorio: Repositorio, tmp_path: Path
) -> None:
    assert repositorio.iniciar("--puerto", "80 80") == "1.0 ['iniciar', '--puerto', '80 80']"
    repositorio.quitar_ruedas()
    enlace = tmp_path / "enlace"
    enlace.symlink_to(repositorio.raiz / "bin" / "iniciar")
    assert repositorio.iniciar(orden=enlace) == "1.0 ['iniciar']"


def test_un_bloqueo_que_cambia_se_instala(repositorio: Repositorio) -> None:
    repositorio.iniciar()
    repositorio.pedir("2.0")
    assert repositorio.iniciar() == "2.0 ['iniciar']"


def test_una_instalacion_que_quedo_a_medias_se_repara_sola(repositorio: Repositorio) -> None:
    repositorio.entorno.mkdir()
    (repositorio.entorno / "en-obra").touch()
    (repositorio.entorno / "bin").mkdir()
    (repositorio.entorno / "bin" / "python").symlink_to("/no/existe")
    assert repositorio.iniciar() == "1.0 ['iniciar']"


def test_dos_a_la_vez_acaban_las_dos_con_un_entorno_entero(repositorio: Repositorio) -> None:
    procesos = [repositorio.lanzar(cual) for cual in ("una", "otra")]
    salidas = {proceso.communicate()[0] for proceso in procesos}
    assert salidas == {"1.0 ['iniciar', 'una']", "1.0 ['iniciar', 'otra']"}


def test_una_rueda_con_otro_hash_no_se_instala(repositorio: Repositorio) -> None:
    repositorio.bloquear(f"pieza==1.0 \\\n    --hash=sha256:{'0' * 64}\n")
    proceso = repositorio.lanzar()
    errores = proceso.communicate()[1]
    assert proceso.returncode == 1
    assert "No se pudieron instalar los requisitos" in errores
    assert "Traceback" not in errores


def test_un_entorno_que_hizo_otro_no_se_toca(repositorio: Repositorio) -> None:
    repositorio.entorno.mkdir()
    (repositorio.entorno / "pyvenv.cfg").write_text("suyo", encoding="utf-8")
    proceso = repositorio.lanzar()
    assert "muévalo o bórrelo" in proceso.communicate()[1]
    assert proceso.returncode == 1
    assert (repositorio.entorno / "pyvenv.cfg").read_text(encoding="utf-8") == "suyo"


def test_si_ningun_python_sirve_lo_dice_en_una_frase(repositorio: Repositorio, tmp_path: Path) -> None:
    ordenes = tmp_path / "ordenes"
    ordenes.mkdir()
    for orden in ("cat", "cmp", "dirname", "readlink"):
        (ordenes / orden).symlink_to(shutil.which(orden) or orden)
    resultado = subprocess.run(
        [repositorio.raiz / "bin" / "iniciar"],
        env={"PATH": str(ordenes)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert resultado.returncode == 1
    assert resultado.stderr.count("\n") == 1
    assert "Hace falta Python 3.11" in resultado.stderr


def test_si_la_carpeta_no_se_puede_escribir_lo_dice_en_una_frase(
    repositorio: Repositorio,
    entorno: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def negarse(_carpeta: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", negarse)
    monkeypatch.setattr(sys, "argv", ["entorno.py", str(repositorio.raiz), "servicio"])
    assert entorno.principal() == 1
    assert f"No se puede escribir en {repositorio.raiz}" in capsys.readouterr().err


def test_donde_la_libc_no_es_glibc_se_instala_sin_broker_embebido(entorno: ModuleType) -> None:
    requisitos = (RAIZ / "requisitos" / "servicio.txt").read_text(encoding="utf-8")
    resto = entorno.sin_broker_embebido(requisitos)
    assert "\npulsar-lite==" not in resto
    assert "\npulsar-client==" in resto
    assert "\npydantic==" in resto
