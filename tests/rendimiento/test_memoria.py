"""El programa de la meta g: mira la memoria mientras pasan eventos y mientras se vacía un atraso."""

import pytest

from rendimiento.memoria import medir

pytestmark = pytest.mark.rendimiento


def test_mide_la_api_los_consumidores_y_un_atraso() -> None:
    frases: list[str] = []

    medidas = medir(breve=True, eventos=200, atraso=200, avisar=frases.append)

    assert [medida.objetivo for medida in medidas] == [10, 10, 10, 1.1]
    assert all("MB" in medida.medido for medida in medidas)
    assert [frase.partition(":")[0] for frase in frases] == [
        "calentamiento",
        *(f"eventos, décimo {numero}" for numero in range(1, 11)),
        *(f"atraso, décimo {numero}" for numero in range(1, 11)),
    ]
