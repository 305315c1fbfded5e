"""El programa de la meta k que mide lo que cuesta contar procedencias."""

from typing import TYPE_CHECKING

import pytest

from rendimiento.procedencias import medir

if TYPE_CHECKING:
    from tests.apoyo.postgresql import ServidorDePrueba

pytestmark = pytest.mark.rendimiento


def test_mide_una_campaña_y_muchas_sobre_sqlite() -> None:
    assert [medida.cifra > 0 for medida in medir(breve=True)] == [True] * 2


def test_mide_una_campaña_y_muchas_sobre_postgresql(servidor_postgresql: "ServidorDePrueba") -> None:
    medidas = medir(breve=True, postgresql=servidor_postgresql.url("postgres"))
    assert [medida.cifra > 0 for medida in medidas] == [True] * 2
