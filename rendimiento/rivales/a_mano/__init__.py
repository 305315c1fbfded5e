"""El que escribiría uno mismo: `aplicacion.py`, con uvicorn, en un entorno de Python aparte.

Qué es: cómo se instala su entorno y cómo se arranca; la aplicación no se importa aquí.
Por qué existe: lo que se mide no puede usar, ni por descuido, nada nuestro.
"""

import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from alpespartners.medicion.eventos import mezcla
from rendimiento.rivales.con_broker import ConBroker, con_broker
from rendimiento.rivales.rival import NoSePuede, Rival

_AQUI: Final = Path(__file__).parent
_REQUISITOS: Final = _AQUI.parents[2] / "requisitos" / "rivales.txt"


def _instalar(carpeta: Path) -> None:
    entorno = _entorno(carpeta)
    sello = entorno / "sello"
    if sello.exists() and sello.read_bytes() == _REQUISITOS.read_bytes():
        return
    instalar = (str(entorno / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check")
    try:
        subprocess.run((sys.executable, "-m", "venv", "--clear", str(entorno)), check=True)
        subprocess.run(
            (*instalar, "--require-hashes", "--only-binary=:all:", "-r", str(_REQUISITOS)), check=True
        )
    except subprocess.CalledProcessError as error:
        raise NoSePuede("pip no pudo instalar requisitos/rivales.txt; arriba dice por qué") from error
    sello.write_bytes(_REQUISITOS.read_bytes())


def _arrancar(carpeta: Path) -> AbstractContextManager[ConBroker]:
    uvicorn = (str(_entorno(carpeta) / "bin" / "python"), "-m", "uvicorn", "--app-dir", str(_AQUI))
    return con_broker(
        lambda puerto, broker: (
            (*uvicorn, "aplicacion:app", "--port", str(puerto), "--no-access-log"),
            {"PULSAR_URL": broker},
        ),
        "impresiones",
        "conversiones",
    )


def _entorno(carpeta: Path) -> Path:
    return carpeta / "a-mano"


A_MANO: Final = Rival(
    nombre="FastAPI, a mano",
    estado=202,
    al_responder="confirmado por el broker",
    destino="no hay a quién preguntar",
    instalar=_instalar,
    arrancar=_arrancar,
    fabrica=mezcla,
)
