"""El programa de la meta k que mide lo que tardan exportar e importar."""

import pytest

from rendimiento.traspaso import medir

pytestmark = pytest.mark.rendimiento


def test_mide_cada_formato_y_la_importacion() -> None:
    medidas = medir(breve=True)

    assert len(medidas) == 4
    assert all(medida.cifra > 0 for medida in medidas)
