"""Lo que el broker embebido le dice a una persona cuando no puede arrancar."""

import sys
from pathlib import Path

import pytest

from alpespartners.broker_embebido import BrokerEmbebido, binario, usuario
from alpespartners.seedwork.arranque import ErrorDeArranque


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


def _falso(datos: Path, guion: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pone ese guion en el lugar del binario."""
    falso = datos / "falso"
    falso.write_text(guion, encoding="utf-8")
    falso.chmod(0o700)
    monkeypatch.setattr(usuario, "encontrar_binario", lambda: falso)


def test_un_broker_que_no_arranca_lo_dice_y_cita_su_registro(
    datos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _falso(datos, "#!/bin/sh\necho no puedo\nexit 3\n", monkeypatch)
    with pytest.raises(ErrorDeArranque) as error:
        BrokerEmbebido(datos, gracia=0.2, limite=1.5).abrir()
    assert "no arrancó en 1.5 s" in error.value.frase
    assert str(datos / "broker" / "registro.log") in error.value.frase


def test_que_alguien_conteste_en_el_puerto_no_basta_si_no_es_el_broker(
    datos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Podría ser el broker de otra carpeta, que ganó el puerto en el último instante."""
    guion = f"""#!{sys.executable}
import signal, socket, sys
direccion, puerto = sys.argv[4].split(":")
escucha = socket.create_server((direccion, int(puerto)))
signal.pause()
"""
    _falso(datos, guion, monkeypatch)
    with pytest.raises(ErrorDeArranque):
        BrokerEmbebido(datos, gracia=0.2, limite=1.5).abrir()
