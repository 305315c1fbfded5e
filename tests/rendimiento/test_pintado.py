"""El programa de la meta p pide la página de una campaña y envía con doce abiertas, y da sus filas."""

import pytest

from rendimiento.pintado import medir

pytestmark = pytest.mark.rendimiento


def test_mide_la_pagina_de_una_campaña_y_lo_que_espera_quien_envia_con_ella_abierta() -> None:
    medidas = medir(breve=True)
    assert {medida.meta for medida in medidas} == {"p"}
    assert [medida.objetivo for medida in medidas] == [300, 300, None]
    assert all(medida.unidad == "ms" and medida.cifra > 0 and medida.techo for medida in medidas)
