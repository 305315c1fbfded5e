"""Lo que el broker embebido le dice a una persona cuando no puede arrancar."""

from pathlib import Path

import pytest

from alpespartners.seedwork.arranque import ErrorDeArranque
from alpespartners.seedwork.infraestructura.broker_embebido import BrokerEmbebido, binario, usuario


def test_una_carpeta_en_la_que_no_se_puede_escribir_lo_dice_en_una_frase(tmp_path: Path) -> None:
    archivo = tmp_path / "archivo"
    archivo.touch()
    with pytest.raises(ErrorDeArranque) as error:
        BrokerEmbebido(archivo / "datos").abrir()
    assert str(archivo / "datos") in error.value.frase
    assert "ALPES_DATOS" in error.value.frase


def test_sin_broker_para_esta_plataforma_dice_que_hacer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binario, "find_spec", lambda _: None)
    with pytest.raises(ErrorDeArranque, match=r"para esta plataforma \(.+\): defina ALPES_PULSAR_URL o use"):
        BrokerEmbebido(tmp_path / "datos").abrir()
    assert not (tmp_path / "datos").exists()


def test_un_broker_que_no_arranca_lo_dice_y_cita_su_registro(
    datos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    falso = datos / "falso"
    falso.write_text("#!/bin/sh\necho no puedo\nexit 3\n", encoding="ascii")
    falso.chmod(0o700)
    monkeypatch.setattr(usuario, "encontrar_binario", lambda: falso)
    with pytest.raises(ErrorDeArranque) as error:
        BrokerEmbebido(datos, gracia=0.2, limite=1.5).abrir()
    assert "no arrancó en 1.5 s" in error.value.frase
    assert str(datos / "broker" / "registro.log") in error.value.frase
