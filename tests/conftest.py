"""Reglas que valen para todas las pruebas: sin red en las unitarias y, si se exige, sin saltarse ninguna."""

import os
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.apoyo.capturas import Guardar
    from tests.apoyo.postgresql import ServidorDePrueba
    from tests.apoyo.pulsar_apache import ServidorApache

# Una máquina ocupada no hace falsa una propiedad: sin plazo por ejemplo.
settings.register_profile("sin-plazo", deadline=None)
settings.load_profile("sin-plazo")

_UNITARIAS = Path(__file__).parent / "unidad"
_EXIGIR_TODO = os.environ.get("ALPES_EXIGIR_TODO") == "1"

# Los ajustes de quien ejecuta las pruebas no deben cambiar su resultado.
for _nombre in [nombre for nombre in os.environ if nombre.startswith("ALPES_")]:
    if _nombre != "ALPES_EXIGIR_TODO":
        del os.environ[_nombre]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Deja pedir lo que vieron las pruebas del panel: `--capturas carpeta`."""
    parser.addoption("--capturas", type=Path, help="carpeta en la que se guarda lo que se ve en cada vista")


@pytest.fixture
def guardar(request: pytest.FixtureRequest) -> "Guardar":
    """Guarda lo que se ve en una página, si se pide."""
    from tests.apoyo.capturas import Guardar  # noqa: PLC0415

    return Guardar(request.config.getoption("--capturas"))


@pytest.fixture(scope="session")
def servidor_postgresql() -> Generator["ServidorDePrueba"]:
    """Un PostgreSQL para todas las pruebas de este proceso; cada una crea en él su base de datos."""
    # Aquí dentro: quien no lo usa no necesita el resto de las pruebas ni el programa.
    from tests.apoyo.postgresql import servidor_de_prueba  # noqa: PLC0415

    with servidor_de_prueba() as servidor:
        yield servidor


@pytest.fixture(scope="session")
def pulsar_apache() -> Generator["ServidorApache"]:
    """Un Apache Pulsar para todas las pruebas de este proceso; cada una crea en él su espacio de nombres."""
    from tests.apoyo.pulsar_apache import servidor_apache  # noqa: PLC0415

    with servidor_apache() as servidor:
        yield servidor


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Cierra los sockets a toda prueba de `tests/unidad` (menos los de UNIX, que asyncio necesita)."""
    for item in items:
        if item.path.is_relative_to(_UNITARIAS):
            item.add_marker(pytest.mark.disable_socket)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Con `ALPES_EXIGIR_TODO=1`, una prueba saltada es una prueba que falla."""
    informe = yield
    _exigir(informe)
    return informe


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Lo mismo para un archivo que se salta entero al importarse."""
    informe = yield
    _exigir(informe)
    return informe


def _exigir(informe: pytest.TestReport | pytest.CollectReport) -> None:
    if _EXIGIR_TODO and informe.skipped:
        motivo = informe.longrepr[2] if isinstance(informe.longrepr, tuple) else str(informe.longrepr)
        informe.outcome = "failed"
        informe.longrepr = f"Con ALPES_EXIGIR_TODO=1 no se salta nada. {motivo}"
