"""La prueba de muerte, con las rondas que caben en cada entrega."""

from pathlib import Path

import pytest

from tests.muerte.__main__ import resumen
from tests.muerte.arbol import PAPELES
from tests.muerte.rondas import ejecutar


@pytest.mark.timeout(400)
def test_veinte_muertes_bajo_carga_no_pierden_ni_repiten_nada(tmp_path: Path) -> None:
    dicho: list[str] = []
    informe = ejecutar(tmp_path, rondas=20, semilla=20, apis=1, decir=dicho.append)
    assert informe.auditoria.discrepancias == [], resumen(informe)
    assert all(informe.ocupadas[papel] >= 3 for papel in PAPELES), resumen(informe)
    assert len(dicho) == 20
