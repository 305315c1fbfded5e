"""El programa de la meta l: mide lo que tarda y lo que ocupa cada descarga."""

from typing import TYPE_CHECKING

import pytest

from rendimiento.descargas import medir

if TYPE_CHECKING:
    from tests.apoyo.postgresql import ServidorDePrueba

MEDIDAS = 4

pytestmark = pytest.mark.rendimiento


def test_mide_cada_formato_sobre_sqlite() -> None:
    medidas = medir(breve=True)

    assert len(medidas) == MEDIDAS
    assert all(medida.cifra > 0 for medida in medidas)


def test_mide_cada_formato_sobre_postgresql(servidor_postgresql: "ServidorDePrueba") -> None:
    medidas = medir(breve=True, postgresql=servidor_postgresql.url("postgres"))

    assert len(medidas) == MEDIDAS
    assert all(medida.cifra > 0 for medida in medidas)
