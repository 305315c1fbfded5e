"""Puertos para pruebas que corren a la vez que otras."""

import json
import random
import socket
from pathlib import Path


def puerto_libre() -> int:
    """Un puerto TCP de 127.0.0.1 libre en este momento."""
    with socket.socket() as enchufe:
        enchufe.bind(("127.0.0.1", 0))
        puerto: int = enchufe.getsockname()[1]
        return puerto


def reservar_puerto_del_broker(datos: Path) -> int:
    """Da a una carpeta de datos nueva un puerto propio para su broker embebido.

    Sin él, todas las pruebas que corren a la vez querrían el 6650, y la que mata a su broker podría perderlo
    justo antes de que se reponga.
    """
    datos.mkdir(mode=0o700, parents=True, exist_ok=True)
    while True:
        puerto = random.randrange(10_000, 20_000)  # noqa: S311 (no guarda ningún secreto)
        with socket.socket() as enchufe:
            try:
                enchufe.bind(("127.0.0.1", puerto))
            except OSError:
                continue
        (datos / "broker.json").write_text(json.dumps({"puerto": puerto}), encoding="ascii")
        return puerto
