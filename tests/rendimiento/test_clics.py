"""El programa de la meta q sigue un enlace junto a la entrada llena y da sus filas."""

import pytest

from rendimiento.clics import medir

pytestmark = pytest.mark.rendimiento


def test_mide_lo_que_tarda_en_irse_quien_sigue_un_enlace() -> None:
    medidas = medir(breve=True)
    assert [(medida.meta, medida.objetivo) for medida in medidas] == [("q", 50), ("q", None)]
    assert all(medida.unidad == "ms" and medida.medido and medida.cifra > 0 for medida in medidas)
