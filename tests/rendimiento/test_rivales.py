"""La comparación con los rivales, con los que no hay que descargar: nosotros, antes y después del libro."""

from pathlib import Path

import pytest

from rendimiento.rivales.comparacion import comparar
from rendimiento.rivales.nuestro import ENTERO, SOLO_LA_API

pytestmark = pytest.mark.rendimiento


def test_compara_por_turnos_y_comprueba_lo_que_prometemos(tmp_path: Path) -> None:
    sola, entero = comparar([SOLO_LA_API, ENTERO], tmp_path, breve=True)

    assert entero.mediana.cpu > sola.mediana.cpu > 0
    for comparado in (sola, entero):
        assert comparado.mediana.por_segundo > 0
        assert comparado.comprobado.respondidos
        assert comparado.comprobado.perdidos == 0
        assert comparado.comprobado.contados_de_mas == 0
        assert comparado.comprobado.rechaza
