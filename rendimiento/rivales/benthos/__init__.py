"""Benthos 4.27, el de licencia MIT: una tubería de HTTP a Pulsar que se configura y no se programa.

Qué es: su versión, bloqueada en `go.mod` y `go.sum`, con las piezas que usa (`main.go`), y su configuración
(`tuberia.yaml`), de dos maneras: una responde cuando el broker confirma; la otra pone en medio su búfer de
memoria y responde en cuanto lo tiene.
Por qué existe: es lo que elegiría quien no quiere escribir nada, y lo segundo es lo que hacen por omisión
muchos recolectores.
"""

import shutil
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Final

from alpespartners.medicion.eventos import mezcla
from rendimiento.rivales.con_broker import ConBroker, con_broker
from rendimiento.rivales.rival import NoSePuede, Rival

_AQUI: Final = Path(__file__).parent


def _instalar(carpeta: Path) -> None:
    go = shutil.which("go")
    if go is None:
        raise NoSePuede("se compila con Go 1.24 o posterior, y no está en el PATH")
    try:
        subprocess.run(
            (go, "build", "-mod=readonly", "-o", str(_programa(carpeta)), "."), check=True, cwd=_AQUI
        )
    except subprocess.CalledProcessError as error:
        raise NoSePuede("go no pudo compilarlo; arriba dice por qué") from error


def _arrancar(bufer: str, carpeta: Path) -> AbstractContextManager[ConBroker]:
    orden = (str(_programa(carpeta)), "-c", str(_AQUI / "tuberia.yaml"))
    return con_broker(
        lambda puerto, broker: (orden, {"PUERTO": str(puerto), "PULSAR_URL": broker, "BUFER": bufer}),
        "eventos",
    )


def _programa(carpeta: Path) -> Path:
    return carpeta / "benthos"


def _rival(nombre: str, bufer: str, al_responder: str) -> Rival:
    arrancar: Callable[[Path], AbstractContextManager[ConBroker]] = partial(_arrancar, bufer)
    return Rival(
        nombre=nombre,
        estado=200,
        al_responder=al_responder,
        destino="no hay a quién preguntar",
        instalar=_instalar,
        arrancar=arrancar,
        fabrica=mezcla,
    )


BENTHOS: Final = _rival("Benthos", "none", "confirmado por el broker")
CON_BUFER: Final = _rival("Benthos con búfer", "memory", "en la memoria del proceso")
