"""El programa de la meta j: uno y dos procesos de la API, y la respuesta sin trabajo al lado."""

import pytest

from rendimiento.procesos import medir

pytestmark = pytest.mark.rendimiento


def test_mide_dos_procesos_contra_uno_y_los_dos_trabajan() -> None:
    con_un_nucleo, tal_cual, menor = medir(breve=True)

    assert min(con_un_nucleo.cifra, tal_cual.cifra) > 0
    assert 0 < menor.cifra <= 50
