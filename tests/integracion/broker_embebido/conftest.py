"""Una carpeta de datos por prueba, que al acabar no deja ningún proceso."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.apoyo.espera import hasta
from tests.apoyo.procesos import avisar, procesos_de
from tests.apoyo.puertos import reservar_puerto_del_broker


@pytest.fixture
def datos(tmp_path: Path) -> Iterator[Path]:
    carpeta = tmp_path / "datos con espacios y ñ"
    reservar_puerto_del_broker(carpeta)
    yield carpeta
    for pid, orden in procesos_de(tmp_path).items():
        if "broker_embebido.guardian" in orden:  # que no espere a su próximo latido
            avisar(pid, signal.SIGTERM)
    try:
        hasta(lambda: not procesos_de(tmp_path))
    finally:
        for pid in procesos_de(tmp_path):
            avisar(pid, signal.SIGKILL)
