"""Un espacio de nombres propio, con el servidor en marcha, y un libro."""

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.apoyo.puesta import Puesta
from tests.apoyo.pulsar_apache import ApacheDePrueba, ServidorApache


@pytest.fixture
def apache(pulsar_apache: ServidorApache) -> ApacheDePrueba:
    pulsar_apache.arrancar_si_falta()
    apache = ApacheDePrueba(pulsar_apache)
    apache.arrancar()
    return apache


@pytest.fixture
def puesta(apache: ApacheDePrueba, tmp_path: Path) -> Generator[Puesta]:
    puesta = Puesta(apache, tmp_path / "libro")
    puesta.libro.abrir()
    yield puesta
    puesta.cerrar()
