"""El programa de la curva: una fila por ritmo."""

import pytest

from rendimiento.curva import medir

pytestmark = pytest.mark.rendimiento


def test_mide_la_cpu_por_evento_a_cada_ritmo() -> None:
    menor, mayor = medir(breve=True)

    assert menor.nombre != mayor.nombre
    assert min(menor.cifra, mayor.cifra) > 0
