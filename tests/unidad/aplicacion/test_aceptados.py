"""Hasta cuándo se aceptó: lo que ya debería tener destino, aunque no dejen de llegar otros."""

from datetime import timedelta

import pytest

from alpespartners.modulos.tracking.aplicacion.aceptados import UltimosAceptados
from tests.apoyo.eventos import AHORA

MEDIO_MINUTO = timedelta(seconds=30)


def test_sin_ninguno_no_hay_nada_que_decir() -> None:
    assert UltimosAceptados().antes_de(AHORA) == {}


def test_uno_solo_se_recuerda_cuando_ya_es_anterior_y_no_se_olvida() -> None:
    aceptados = UltimosAceptados()
    aceptados.anotar("impresiones", AHORA)
    assert aceptados.antes_de(AHORA) == {}
    assert aceptados.antes_de(AHORA + timedelta(days=1)) == {"impresiones": AHORA}


def test_el_primero_tras_una_pausa_no_tapa_al_de_antes_ni_a_los_de_otro_topico() -> None:
    aceptados = UltimosAceptados()
    aceptados.anotar("impresiones", AHORA)
    aceptados.anotar("conversiones", AHORA)
    aceptados.anotar("impresiones", AHORA + timedelta(hours=1, seconds=35))
    assert aceptados.antes_de(AHORA + timedelta(hours=1)) == {"impresiones": AHORA, "conversiones": AHORA}


@pytest.mark.parametrize("segundos", range(60, 95))
def test_si_no_dejan_de_llegar_se_queda_corto_diez_segundos_como_mucho(segundos: int) -> None:
    aceptados = UltimosAceptados()
    for decima in range(segundos * 10):
        aceptados.anotar("impresiones", AHORA + timedelta(seconds=decima / 10))
    instante = AHORA + timedelta(seconds=segundos) - MEDIO_MINUTO
    dicho = aceptados.antes_de(instante)["impresiones"]
    assert timedelta(0) < instante - dicho <= timedelta(seconds=10)
