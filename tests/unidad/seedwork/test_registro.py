"""El registro de cada proceso: lo que nunca debe salir en él."""

import json
import logging
import sys
from collections.abc import Generator
from datetime import UTC, datetime

import pytest
import structlog

from alpespartners.seedwork.observacion.registro import Tanda, configurar_registro


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


@pytest.mark.parametrize("en_terminal", [True, False], ids=["terminal", "json"])
def test_una_tanda_se_escribe_con_una_linea_por_hecho_y_la_forma_de_los_demas(
    en_terminal: bool,  # noqa: FBT001 (lo da parametrize)
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: en_terminal)
    configurar_registro("INFO")
    hora = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)
    hechos: list[dict[str, object]] = [
        {"event": "petición", "estado": estado, "logger": "acceso", "level": "info", "timestamp": hora}
        for estado in (202, 404)
    ]
    logging.getLogger("acceso").info(Tanda(hechos))
    lineas = capsys.readouterr().err.splitlines()
    assert len(lineas) == 2
    if en_terminal:
        assert all("petición" in linea and "2026-01-15 10:30:00" in linea for linea in lineas)
    else:
        comunes = {"event": "petición", "logger": "acceso", "level": "info"}
        assert [json.loads(linea) for linea in lineas] == [
            {**comunes, "estado": estado, "timestamp": "2026-01-15T10:30:00Z"} for estado in (202, 404)
        ]
