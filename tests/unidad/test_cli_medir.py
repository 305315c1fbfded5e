"""La orden `alpespartners medir`: todas las metas que caben en un par de minutos, en una tabla."""

import pytest
from typer.testing import CliRunner

from alpespartners.cli import principal
from alpespartners.medicion import arranque, caudal, consumo, costo, latencia, visibilidad
from alpespartners.medicion.medida import Medida

PROGRAMAS = {"a": costo, "b": caudal, "c": latencia, "d": consumo, "e": visibilidad, "i": arranque}


def test_reune_en_una_tabla_lo_que_mide_cada_programa(monkeypatch: pytest.MonkeyPatch) -> None:
    pedidos: list[bool] = []
    for meta, programa in PROGRAMAS.items():
        fila = Medida(meta=meta, nombre=f"meta {meta}", medido="", cifra=1, objetivo=2)

        def medir(*, breve: bool, fila: Medida = fila) -> list[Medida]:
            pedidos.append(breve)
            return [fila]

        monkeypatch.setattr(programa, "medir", medir)
    resultado = CliRunner().invoke(principal, ["medir"], env={"COLUMNS": "160"})
    assert resultado.exit_code == 0
    assert pedidos == [True] * len(PROGRAMAS)
    assert all(f"meta {meta}" in resultado.stdout for meta in PROGRAMAS)
    assert "núcleos" in resultado.stdout
