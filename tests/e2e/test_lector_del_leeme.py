"""El lector en Python que el README da a los equipos de otros módulos, tal cual está escrito."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.apoyo.lector import puerto_del_broker
from tests.apoyo.repositorio import RAIZ
from tests.apoyo.servicio import instalacion


@pytest.mark.parametrize("leeme", ["README.md", "README.en.md"])
def test_el_lector_en_python_del_leeme_lee_una_conversion(tmp_path: Path, leeme: str) -> None:
    (programa,) = re.findall(
        r"^```python\n(.*?)^```", (RAIZ / leeme).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    with instalacion(tmp_path) as servicio:
        servicio.iniciar()
        servicio.esperar_consumidores()
        venta = {"id": "venta-1", "campaña_id": "cmp-1", "tipo_conversion": "VENTA", "valor": "12.50"}
        servicio.http.post("/tracking/conversiones", json=venta | {"moneda": "COP"}).raise_for_status()
        leido = subprocess.run(
            [sys.executable, "-c", programa.replace(":6650", f":{puerto_del_broker(servicio.datos)}")],
            cwd=RAIZ,
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert "'id': 'venta-1'" in leido.stdout
    assert "Decimal('12.5000')" in leido.stdout
