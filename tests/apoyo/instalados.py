"""Lo que una prueba instala de un registro de paquetes, con sus versiones bloqueadas, y cómo lo ejecuta.

Queda en `.venv/clientes`; se instala otra vez solo si su bloqueo cambia.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from alpespartners.seedwork.procesos.cerrojos import Cerrojo
from tests.apoyo.espera import hasta

_INSTALADOS: Final = Path(sys.prefix) / "clientes"


def paquetes_de_python(bloqueo: Path, nombre: str) -> Path:
    """La carpeta de órdenes de un entorno propio, con ese nombre y lo que bloquea ese archivo."""
    binarios = _INSTALADOS / nombre / "bin"

    def instalar(carpeta: Path) -> None:
        ejecutar([sys.executable, "-m", "venv", carpeta], carpeta)
        ejecutar(
            [
                *(binarios / "python", "-m", "pip", "install", "--quiet", "--require-hashes"),
                *("--only-binary", ":all:", "-r", bloqueo),
            ],
            carpeta,
        )

    _instalado(nombre, bloqueo, instalar)
    return binarios


def paquetes_de_npm(origen: Path, nombre: str) -> Path:
    """El `node_modules` de lo que bloquea esa carpeta, instalado con ese nombre."""

    def instalar(carpeta: Path) -> None:
        for archivo in ("package.json", "package-lock.json"):
            shutil.copy(origen / archivo, carpeta)
        ejecutar(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], carpeta)

    return _instalado(nombre, origen / "package-lock.json", instalar) / "node_modules"


def _instalado(nombre: str, bloqueo: Path, instalar: Callable[[Path], None]) -> Path:
    """La carpeta con lo que dice ese bloqueo, que instala de nuevo si cambió; de uno en uno."""
    carpeta = _INSTALADOS / nombre
    sello = carpeta / "sello"
    cerrojo = Cerrojo(bloqueo)
    hasta(cerrojo.tomar, 200, 0.2)
    try:
        if not sello.exists() or sello.read_bytes() != bloqueo.read_bytes():
            shutil.rmtree(carpeta, ignore_errors=True)
            carpeta.mkdir(parents=True)
            instalar(carpeta)
            sello.write_bytes(bloqueo.read_bytes())
    finally:
        cerrojo.cerrar()
    return carpeta


def ejecutar(orden: Sequence[str | Path], carpeta: Path, **ambiente: str) -> str:
    """Lo que escribe esa orden, que debe acabar bien."""
    hecho = subprocess.run(
        list(map(str, orden)),
        cwd=carpeta,
        env=os.environ | ambiente,
        capture_output=True,
        text=True,
        check=False,
    )
    assert hecho.returncode == 0, hecho.stdout + hecho.stderr
    return hecho.stdout + hecho.stderr if not hecho.stdout.startswith("{") else hecho.stdout
