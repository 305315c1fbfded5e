"""Lo que un proceso importa antes de saber qué hará: se paga en cada arranque."""

import subprocess
import sys

import pytest

DE_LOS_HIJOS = ("alpespartners.api.aplicacion", "alembic", "fastavro", "pulsar", "sqlalchemy")


DE_OTRAS_FORMAS_DE_SERVIR = ("uvicorn", "prometheus_client.multiprocess")


def importados_con(modulo: str) -> set[str]:
    dicho = subprocess.run(
        [sys.executable, "-c", f"import sys, {modulo}; sys.stdout.write(' '.join(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(dicho.stdout.split())


@pytest.mark.parametrize("modulo", ["alpespartners.cli", "alpespartners.composicion.procesos"])
def test_el_supervisor_no_importa_lo_que_solo_usan_sus_procesos(modulo: str) -> None:
    assert set(DE_LOS_HIJOS) & importados_con(modulo) == set()


def test_la_api_no_importa_un_servidor_ni_lo_que_solo_usan_varios_procesos() -> None:
    assert set(DE_OTRAS_FORMAS_DE_SERVIR) & importados_con("alpespartners.composicion.api") == set()
