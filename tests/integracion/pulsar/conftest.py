"""Un broker, todavía sin arrancar, y un libro por prueba."""

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.apoyo.broker import BrokerDePrueba, broker_de_prueba
from tests.apoyo.puesta import Puesta


@pytest.fixture
def broker(tmp_path: Path) -> Generator[BrokerDePrueba]:
    with broker_de_prueba(tmp_path / "broker") as broker:
        yield broker


@pytest.fixture
def puesta(broker: BrokerDePrueba, tmp_path: Path) -> Generator[Puesta]:
    puesta = Puesta(broker, tmp_path / "libro")
    puesta.libro.abrir()
    yield puesta
    puesta.cerrar()
