"""El programa de la meta i: arranca el servicio de las dos maneras y no deja nada en marcha."""

import pytest

from rendimiento.arranque import medir

pytestmark = pytest.mark.rendimiento


def test_mide_los_dos_arranques_y_lo_que_cuesta_importarlo() -> None:
    uvicorn, iniciar, importar, cpu = medir(breve=True)

    assert min(uvicorn.cifra, iniciar.cifra) > importar.cifra > 0
    assert cpu.cifra > 0
