"""El registro de cada proceso: lo que nunca debe salir en él, y un solo formato y un solo idioma."""

import errno
import inspect
import json
import logging
import logging.config
import sys
from collections.abc import Generator
from datetime import UTC, datetime

import pytest
import structlog
from uvicorn import server
from uvicorn.config import LOGGING_CONFIG
from uvicorn.lifespan import on
from uvicorn.protocols.http import h11_impl, httptools_impl

from alpespartners.seedwork.observacion.mensajes_de_uvicorn import TRADUCCIONES
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
        assert all("petición" in linea and "2026-01-15T10:30:00Z" in linea for linea in lineas)
    else:
        comunes = {"event": "petición", "logger": "acceso", "level": "info"}
        assert [json.loads(linea) for linea in lineas] == [
            {**comunes, "estado": estado, "timestamp": "2026-01-15T10:30:00Z"} for estado in (202, 404)
        ]


@pytest.mark.parametrize("en_terminal", [True, False], ids=["terminal", "json"])
def test_lo_que_cuenta_la_orden_uvicorn_sale_en_español_y_con_el_formato_de_lo_demas(
    en_terminal: bool,  # noqa: FBT001 (lo da parametrize)
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: en_terminal)
    logging.config.dictConfig(LOGGING_CONFIG)
    configurar_registro("INFO")
    uvicorn = logging.getLogger("uvicorn.error")
    uvicorn.info("Started server process [%d]", 7)
    uvicorn.info("Uvicorn running on %s://%s:%d (Press CTRL+C to quit)", "http", "127.0.0.1", 8000)
    uvicorn.error(OSError(errno.EADDRINUSE, "address already in use"))
    uvicorn.error("La base de datos no se puede abrir.")
    uvicorn.warning("lo que no se conoce")
    logging.getLogger("uvicorn.access").info("GET /secreto")
    lineas = capsys.readouterr().err.splitlines()
    dichas = [
        "atiende en http://127.0.0.1:8000",
        "no puede escuchar: el puerto está ocupado; libérelo o elija otro con --port",
        "La base de datos no se puede abrir.",
        "lo que no se conoce",
    ]
    assert len(lineas) == len(dichas)
    assert all(dicha in linea for dicha, linea in zip(dichas, lineas, strict=True))


def test_todo_lo_que_se_traduce_lo_dice_esta_version_de_uvicorn() -> None:
    fuentes = "".join(inspect.getsource(modulo) for modulo in (server, on, httptools_impl, h11_impl))
    for plantilla, nuestra in TRADUCCIONES.items():
        # La de la dirección la compone con dos trozos.
        trozos = (
            plantilla.replace("\n", "\\n").replace("%s://%s:%d", "|").replace("%s://[%s]:%d", "|").split("|")
        )
        assert all(trozo in fuentes for trozo in trozos), plantilla
        assert plantilla.count("%") == nuestra.count("%"), plantilla
