"""El programa de la meta n carga el servicio de verdad con lotes y da sus filas."""

import pytest

from rendimiento.lotes import medir

pytestmark = pytest.mark.rendimiento


def test_mide_los_eventos_por_segundo_y_la_cpu_por_evento_en_lotes() -> None:
    caudal, entera, admision = medir(breve=True)
    assert {medida.meta for medida in (caudal, entera, admision)} == {"n"}
    assert [medida.objetivo for medida in (caudal, entera, admision)] == [3, 4.5, None]
    assert caudal.como_minimo
    assert caudal.cifra > 1
    assert 0 < admision.cifra < entera.cifra
