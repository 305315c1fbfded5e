"""El registro de cada proceso: lo que nunca debe salir en él."""

import logging
import sys
from collections.abc import Generator

import pytest
import structlog

from alpespartners.seedwork.infraestructura.registro import configurar_registro


@pytest.fixture(autouse=True)
def registro_intacto() -> Generator[None]:
    raiz = logging.getLogger()
    manejadores, nivel = raiz.handlers, raiz.level
    yield
    raiz.handlers = manejadores
    raiz.setLevel(nivel)
    structlog.reset_defaults()


def _registrar_un_fallo(direccion: str) -> None:
    try:
        len(direccion) / 0
    except ZeroDivisionError:
        structlog.get_logger("prueba").exception("falló")
        raise


@pytest.mark.parametrize("en_terminal", [True, False], ids=["terminal", "json"])
def test_una_excepcion_se_registra_sin_las_variables_que_habia_alrededor(
    en_terminal: bool,  # noqa: FBT001 (lo da parametrize)
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: en_terminal)
    configurar_registro("INFO")
    with pytest.raises(ZeroDivisionError):
        _registrar_un_fallo("203.0.113.7")
    salida = capsys.readouterr().err
    assert "ZeroDivisionError" in salida
    assert "203.0.113.7" not in salida
