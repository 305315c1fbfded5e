"""La orden `alpespartners medir`: todas las metas que caben en un par de minutos, en una tabla."""

import psutil
import pytest
from typer.testing import CliRunner

from alpespartners.cli import principal
from alpespartners.medicion import arranque, caudal, consumo, costo, latencia, visibilidad
from alpespartners.medicion.medida import Medida
from alpespartners.medicion.montaje import entorno

PROGRAMAS = {"a": costo, "b": caudal, "c": latencia, "d": consumo, "e": visibilidad, "i": arranque}


def test_reune_en_una_tabla_lo_que_mide_cada_programa(monkeypatch: pytest.MonkeyPatch) -> None:
    pedidos: list[bool] = []
    for meta, programa in PROGRAMAS.items():
        fila = Medida(meta=meta, nombre=f"meta {meta}", medido="", cifra=1, normal=2)

        def medir(*, breve: bool, fila: Medida = fila) -> list[Medida]:
            pedidos.append(breve)
            return [fila]

        monkeypatch.setattr(programa, "medir", medir)
    resultado = CliRunner().invoke(principal, ["medir"], env={"COLUMNS": "80"})
    assert resultado.exit_code == 0
    assert pedidos == [True] * len(PROGRAMAS)
    assert all(f"meta {meta}" in resultado.stdout for meta in PROGRAMAS)
    assert "núcleos" in resultado.stdout
    assert "Todo es lo normal en una instalación sana." in resultado.stdout


@pytest.mark.parametrize(("carga", "se_dice"), [(1_000.0, True), (0.0, False)])
def test_dice_si_la_maquina_esta_ocupada_con_otras_cosas(
    monkeypatch: pytest.MonkeyPatch, carga: float, *, se_dice: bool
) -> None:
    monkeypatch.setattr(psutil, "getloadavg", lambda: (carga, 0.0, 0.0))
    for programa in PROGRAMAS.values():
        monkeypatch.setattr(programa, "medir", lambda *, breve: [] if breve else None)
    resultado = CliRunner().invoke(principal, ["medir"])
    assert ("está ocupada con otras cosas" in resultado.stdout) is se_dice


def test_lo_que_se_mide_no_hereda_los_ajustes_de_un_servicio_de_verdad(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ALPES_BASE_DATOS", "postgresql://produccion/ventas")
    monkeypatch.setenv("ALPES_PULSAR_URL", "pulsar://produccion:6650")
    monkeypatch.setenv("PATH", "/bin")
    monkeypatch.delenv("ALPES_EXIGIR_TODO", raising=False)
    medido = entorno({"ALPES_DATOS": "/tmp/x"})  # noqa: S108 (no se usa)
    assert {nombre for nombre in medido if nombre.startswith("ALPES_") and medido[nombre]} == {"ALPES_DATOS"}
    assert medido["PATH"] == "/bin"
