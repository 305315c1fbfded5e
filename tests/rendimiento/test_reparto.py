"""El programa del reparto: las partes de cada proceso suman el total."""

import pytest

from rendimiento.reparto import medir

pytestmark = pytest.mark.rendimiento


def test_mide_las_partes_de_los_dos_procesos_y_todas_gastan_algo() -> None:
    medidas = medir(breve=True)

    totales = [medida.nombre for medida in medidas if medida.nombre.endswith("en total")]
    assert totales == ["API, en total", "consumidor, en total"]
    assert sum(medida.cifra for medida in medidas) == pytest.approx(400)
    assert all(medida.cifra > 0 for medida in medidas)
