"""El programa de la meta h: vacía un atraso con 1, 2 y 4 consumidores y cuenta los interbloqueos."""

from typing import TYPE_CHECKING

import pytest

from rendimiento.escalado import medir

if TYPE_CHECKING:
    from tests.apoyo.postgresql import ServidorDePrueba
    from tests.apoyo.pulsar_apache import ServidorApache

pytestmark = pytest.mark.rendimiento


def test_mide_dos_consumidores_contra_uno_cuatro_contra_dos_y_los_interbloqueos(
    servidor_postgresql: "ServidorDePrueba", pulsar_apache: "ServidorApache"
) -> None:
    dos, cuatro, interbloqueos, *cpu = medir(
        breve=True,
        pulsar=pulsar_apache.url,
        postgresql=servidor_postgresql.url("postgres"),
        espacio=pulsar_apache.espacio_nuevo(),
    )

    assert min(dos.cifra, cuatro.cifra) > 0
    assert interbloqueos.cifra == 0
    assert [medida.unidad for medida in cpu] == ["µs"] * 3
    assert all(medida.cifra > 0 for medida in cpu)
