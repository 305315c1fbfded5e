"""Lo que un proceso importa antes de saber qué hará: se paga en cada arranque."""

import subprocess
import sys

import pytest

DE_LOS_HIJOS = ("alpespartners.api.aplicacion", "alembic", "fastavro", "pulsar", "sqlalchemy")


@pytest.mark.parametrize("modulo", ["alpespartners.cli", "alpespartners.composicion.procesos"])
def test_el_supervisor_no_importa_lo_que_solo_usan_sus_procesos(modulo: str) -> None:
    dicho = subprocess.run(
        [sys.executable, "-c", f"import sys, {modulo}; sys.stdout.write(' '.join(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(DE_LOS_HIJOS) & set(dicho.stdout.split()) == set()
