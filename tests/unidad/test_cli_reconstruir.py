"""`alpespartners reconstruir` en la terminal: qué dice si no puede terminar."""

from typing import NoReturn

import pytest
from typer.testing import CliRunner

from alpespartners.cli import principal
from alpespartners.composicion import ordenes
from alpespartners.modulos.tracking.aplicacion.puertos import EsquemaDesconocido


def test_ante_lo_escrito_por_una_version_posterior_termina_con_dos_y_dice_que_hacer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def reconstruir(_configuracion: object, **_ajustes: object) -> NoReturn:
        raise EsquemaDesconocido("EventoConversionRegistrada", "0123456789abcdef")

    monkeypatch.setattr(ordenes, "reconstruir", reconstruir)
    dicho = CliRunner().invoke(principal, ["reconstruir"])
    assert dicho.exit_code == 2
    assert (
        "Hay mensajes de EventoConversionRegistrada escritos por una versión posterior "
        "(esquema 0123456789abcdef): actualice y repita la orden." in dicho.stderr
    )
