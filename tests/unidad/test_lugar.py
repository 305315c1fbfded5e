"""Dónde está la base de datos, dicho a una persona: nunca con su contraseña."""

from pathlib import Path

import pytest

from alpespartners.config import Configuracion


@pytest.mark.parametrize(
    ("url", "lugar"),
    [
        ("postgresql://usuario:secreto@a:5433/b?sslmode=require&password=secreto", "postgresql://a:5433/b"),
        ("postgresql:///b?host=/var/run/postgresql&password=secreto", "postgresql:///b"),
        ("postgresql://usuario:secr@eto@a,c:1/b", "postgresql://a,c:1/b"),
        ("postgresql://a", "postgresql://a"),
    ],
)
def test_de_una_url_se_dice_el_servidor_y_el_nombre(url: str, lugar: str) -> None:
    assert Configuracion(base_datos=url).lugar == lugar


def test_sin_url_se_dice_la_carpeta(tmp_path: Path) -> None:
    assert Configuracion(datos=tmp_path, base_datos=None).lugar == str(tmp_path)
