"""El cerrojo entre procesos."""

import subprocess
import sys
from pathlib import Path

from alpespartners.seedwork.procesos.cerrojos import Cerrojo


def test_el_exclusivo_excluye_a_todos_y_soltarlo_lo_deja_libre(tmp_path: Path) -> None:
    uno, otro = Cerrojo(tmp_path / "a.lock"), Cerrojo(tmp_path / "a.lock")
    assert uno.tomar()
    assert not otro.tomar()
    assert not otro.tomar(compartido=True)
    assert not otro.tomar(limite=0.05)
    uno.soltar()
    assert otro.tomar(limite=None)
    uno.cerrar()
    otro.cerrar()


def test_los_compartidos_conviven_y_excluyen_al_exclusivo(tmp_path: Path) -> None:
    uno, otro, exclusivo = (Cerrojo(tmp_path / "a.lock") for _ in range(3))
    assert uno.tomar(compartido=True)
    assert otro.tomar(compartido=True)
    assert not exclusivo.tomar()
    uno.cerrar()
    assert not exclusivo.tomar()
    otro.cerrar()
    assert exclusivo.tomar()
    exclusivo.cerrar()


def test_el_hijo_que_hereda_el_descriptor_tiene_el_cerrojo_hasta_morir(tmp_path: Path) -> None:
    entregado, otro = Cerrojo(tmp_path / "a.lock"), Cerrojo(tmp_path / "a.lock")
    assert entregado.tomar()
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"],
        stdin=subprocess.PIPE,
        pass_fds=(entregado.descriptor,),
    ) as hijo:
        entregado.cerrar()
        assert not otro.tomar()
        hijo.kill()
        assert otro.tomar(limite=10)
    otro.cerrar()
