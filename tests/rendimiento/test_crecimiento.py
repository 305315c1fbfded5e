"""El programa del crecimiento: vacía un atraso con pocas filas guardadas y con más."""

import pytest

from rendimiento.crecimiento import medir

pytestmark = pytest.mark.rendimiento


def test_mide_cada_cuenta_por_motor_y_por_cuantas_filas_hay() -> None:
    frases: list[str] = []

    medidas = medir(breve=True, avisar=frases.append)

    assert [frase.partition(":")[0] for frase in frases] == [
        f"{motor}, {filas} filas" for motor in ("SQLite", "PostgreSQL") for filas in ("10.000", "100.000")
    ]
    assert len({medida.nombre for medida in medidas}) == len(medidas) == 3 * len(frases)
    assert all(medida.cifra > 0 for medida in medidas if "crece el archivo" not in medida.nombre)


def test_un_motor_que_no_hay_se_dice() -> None:
    with pytest.raises(ValueError, match="SQLite o PostgreSQL"):
        medir(breve=True, motor="mysql")
