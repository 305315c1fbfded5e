"""El programa de la meta k que mide lo que cuesta contar."""

import pytest

from rendimiento.cuentas import medir

pytestmark = pytest.mark.rendimiento


def test_compara_contar_con_no_contar_en_los_dos_motores() -> None:
    medidas = medir(breve=True)

    lugares = ["con SQLite", "con PostgreSQL", "el servidor de PostgreSQL"]
    assert [medida.nombre.partition("cada evento, ")[2] for medida in medidas] == lugares
    assert all(medida.cifra > 0 for medida in medidas)
