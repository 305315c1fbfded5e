"""Esperar a que se acabe un atraso: se vuelve cuando está todo publicado, y nunca se espera para siempre."""

from unittest.mock import Mock

import pytest

from alpespartners.medicion import atraso
from alpespartners.medicion.montaje import esperar_a


def test_se_espera_a_lo_asentado_y_a_lo_publicado(monkeypatch: pytest.MonkeyPatch) -> None:
    asentados, pendientes = Mock(side_effect=[3, 5, 5]), Mock(side_effect=[2, 0])
    monkeypatch.setattr(atraso, "asentados", asentados)
    monkeypatch.setattr(atraso, "pendientes", pendientes)
    atraso.esperar_a_todo(Mock(), 5)
    assert (asentados.call_count, pendientes.call_count) == (3, 2)


def test_si_nadie_asienta_nada_se_dice_cuantos_van(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atraso, "asentados", lambda _: 3)
    with pytest.raises(TimeoutError, match="nadie asentó nada: van 3 de 5"):
        atraso.esperar_a_todo(Mock(), 5, sin_avanzar=0.01)


def test_lo_que_no_ocurre_a_tiempo_se_dice_con_su_nombre() -> None:
    with pytest.raises(TimeoutError, match=r"en 0\.01 s no ocurrió que lloviera"):
        esperar_a(lambda: False, 0.01, "que lloviera")
