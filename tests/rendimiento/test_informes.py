"""El programa de la meta k que mide lo que tarda un informe."""

from typing import TYPE_CHECKING

import pytest

from rendimiento.informes import medir

if TYPE_CHECKING:
    from tests.apoyo.postgresql import ServidorDePrueba

INFORMES = 6

pytestmark = pytest.mark.rendimiento


def test_mide_cada_informe_y_frente_a_las_filas_sobre_sqlite() -> None:
    medidas = medir(breve=True)

    assert len(medidas) == INFORMES + 1
    assert all(medida.cifra > 0 for medida in medidas)


def test_mide_cada_informe_y_frente_a_las_filas_sobre_postgresql(
    servidor_postgresql: "ServidorDePrueba",
) -> None:
    medidas = medir(breve=True, postgresql=servidor_postgresql.url("postgres"))

    assert len(medidas) == INFORMES + 1
    assert all(medida.cifra > 0 for medida in medidas)
