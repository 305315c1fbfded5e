"""Mientras no llega nada, ningún proceso gasta procesador: esperan, no preguntan sin parar."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.apoyo.espera import hasta
from tests.apoyo.procesos import procesador_gastado, procesos_de
from tests.apoyo.servicio import Instalacion, instalacion

VENTANA = 5.0
# Diez veces lo que se gasta en una máquina libre: una ocupada no la hace fallar, y un bucle sin espera sí.
MAXIMO_POR_VENTANA = 0.1


def _iniciar(servicio: Instalacion) -> None:
    servicio.iniciar()


def _dos_terminales(servicio: Instalacion) -> None:
    servicio.api("--reload")
    servicio.consumidores()


@pytest.mark.parametrize("arrancar", [_iniciar, _dos_terminales])
def test_en_reposo_ningun_proceso_gasta_procesador(
    tmp_path: Path, arrancar: Callable[[Instalacion], None]
) -> None:
    with instalacion(tmp_path) as servicio:
        arrancar(servicio)
        servicio.esperar_consumidores()
        ordenes = servicio.procesos() | procesos_de(servicio.datos)
        assert any("pulsar-lite" in orden for orden in ordenes.values())

        def gasto_de_una_ventana() -> dict[str, float]:
            antes = {pid: procesador_gastado(pid) for pid in ordenes}
            desde = time.monotonic()
            hasta(lambda: time.monotonic() - desde >= VENTANA, VENTANA + 5, 0.5)
            return {ordenes[pid]: procesador_gastado(pid) - previo for pid, previo in antes.items()}

        # Las primeras ventanas aún pueden llevar restos del arranque.
        hasta(lambda: max(gasto_de_una_ventana().values()) <= MAXIMO_POR_VENTANA, 60)
