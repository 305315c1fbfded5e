"""Qué mensajes están confirmados, según lo que dice Pulsar de cada partición."""

import pytest

from alpespartners.modulos.tracking.infraestructura.pulsar.confirmado import Confirmado, ConfirmadoDeParticion

CONFIRMADO = ConfirmadoDeParticion.de_pulsar(
    {"markDeletePosition": "3:5", "individuallyDeletedMessages": "[(3:7..3:8],(3:9..4:0]]"}
)


@pytest.mark.parametrize("posicion", ["2:90:-1:0", "3:5:-1:-1", "3:8:-1:7", "3:10:-1:0", "4:0:-1:0"])
def test_esta_confirmado_lo_anterior_a_la_marca_y_lo_de_un_tramo_suelto(posicion: str) -> None:
    assert Confirmado([CONFIRMADO]).confirmo(posicion)


@pytest.mark.parametrize("posicion", ["3:6:-1:0", "3:7:-1:0", "3:9:-1:0", "4:1:-1:0"])
def test_lo_demas_no(posicion: str) -> None:
    assert not Confirmado([CONFIRMADO]).confirmo(posicion)


def test_cada_particion_tiene_lo_suyo_confirmado() -> None:
    confirmado = Confirmado([CONFIRMADO, ConfirmadoDeParticion((9, 0), ())])
    assert confirmado.confirmo("8:3:1:0")
    assert not confirmado.confirmo("8:3:0:0")


@pytest.mark.parametrize("estado", [{}, {"markDeletePosition": "x", "individuallyDeletedMessages": "[]"}])
def test_uno_que_no_se_entiende_se_dice(estado: dict[str, str]) -> None:
    with pytest.raises((LookupError, ValueError)):
        ConfirmadoDeParticion.de_pulsar(estado)
