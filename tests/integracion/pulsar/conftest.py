"""Un broker de cada clase, todavía sin arrancar, y un libro por prueba."""

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.apoyo.broker import Broker, broker_de_prueba
from tests.apoyo.puesta import Puesta
from tests.apoyo.pulsar_apache import ApacheDePrueba, ServidorApache


@pytest.fixture(params=["embebido", "apache"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Broker]:
    if request.param == "apache":
        servidor: ServidorApache = request.getfixturevalue("pulsar_apache")
        servidor.arrancar_si_falta()
        yield ApacheDePrueba(servidor)
    else:
        with broker_de_prueba(tmp_path / "broker") as embebido:
            yield embebido


@pytest.fixture
def puesta(broker: Broker, tmp_path: Path) -> Generator[Puesta]:
    puesta = Puesta(broker, tmp_path / "libro")
    puesta.libro.abrir()
    yield puesta
    puesta.cerrar()
