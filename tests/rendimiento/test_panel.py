"""El programa de la meta o envía con el panel abierto en cincuenta pestañas y da sus filas."""

import pytest

from rendimiento.panel import medir

pytestmark = pytest.mark.rendimiento


def test_mide_lo_que_gasta_la_api_de_mas_con_el_panel_abierto() -> None:
    medidas = medir(breve=True)
    assert {medida.meta for medida in medidas} == {"o"}
    assert [medida.objetivo for medida in medidas] == [5, 5, None]
    assert all(medida.unidad == "%" and medida.medido and medida.techo for medida in medidas)
