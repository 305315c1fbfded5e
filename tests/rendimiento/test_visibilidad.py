"""El programa de la meta e: ve leerse y publicarse lo que se acaba de aceptar."""

import pytest

from alpespartners.medicion.visibilidad import medir

pytestmark = pytest.mark.rendimiento


def test_mide_la_demora_hasta_leerlo_y_hasta_su_evento() -> None:
    medidas = medir(breve=True)

    assert [medida.objetivo for medida in medidas] == [None, 100, None, 100]
    assert all(medida.cifra > 0 for medida in medidas)
