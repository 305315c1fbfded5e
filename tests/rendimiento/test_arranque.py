"""El programa de la meta i: arranca el servicio de las dos maneras y no deja nada en marcha."""

import pytest

from alpespartners.medicion.arranque import medir

pytestmark = pytest.mark.rendimiento


def test_mide_los_dos_arranques_y_lo_que_cuesta_importarlo() -> None:
    medidas = medir(breve=True)

    assert [medida.objetivo for medida in medidas] == [3, 3, 0.6, None]
    assert all(medida.cifra > 0 for medida in medidas)
