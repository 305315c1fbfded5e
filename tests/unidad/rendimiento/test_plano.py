"""El plano de un paquete: habitaciones, flechas, pisos y círculos, contados en uno escrito al vuelo."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rendimiento.plano import Plano

Escribir = Callable[..., Plano]


@pytest.fixture
def plano(tmp_path: Path) -> Escribir:
    """El de un paquete `casa.planta`, con estos módulos."""

    def escribir(**modulos: str) -> Plano:
        carpeta = tmp_path / "casa" / "planta"
        carpeta.mkdir(parents=True)
        for ruta in (carpeta.parent, carpeta):
            (ruta / "__init__.py").touch()
        for nombre, texto in modulos.items():
            (carpeta / f"{nombre}.py").write_text(texto, encoding="utf-8")
        return Plano(carpeta)

    return escribir


def test_cuenta_una_flecha_por_pareja_ordenada_y_los_pisos_de_la_cadena_mas_larga(plano: Escribir) -> None:
    hallado = plano(
        arriba="from casa.planta import medio\nfrom casa.planta.medio import a, b\nimport casa.planta.abajo",
        medio="def f():\n    from casa.planta.abajo import c\n",
        abajo="import ast\nfrom casa import otra",
        __main__="from casa.planta.arriba import d",
    )
    assert hallado.resumen() == "casa.planta: 3 habitaciones, 3 flechas, 3 pisos"


def test_un_paquete_es_una_habitacion_y_lo_de_dentro_es_suyo(plano: Escribir, tmp_path: Path) -> None:
    plano(suelto="")
    dentro = tmp_path / "casa" / "planta" / "cuarto"
    dentro.mkdir()
    (dentro / "__init__.py").touch()
    (dentro / "armario.py").write_text("from casa.planta.cuarto import cama\nimport casa.planta.suelto")
    hallado = Plano(dentro.parent)
    assert hallado.flechas == {"cuarto": {"suelto"}, "suelto": set()}


def test_nombra_los_circulos_y_cada_uno_ocupa_un_piso(plano: Escribir) -> None:
    hallado = plano(
        a="import casa.planta.b",
        b="import casa.planta.c",
        c="import casa.planta.b, casa.planta.d",
        d="",
    )
    assert hallado.resumen().splitlines() == [
        "casa.planta: 4 habitaciones, 4 flechas, 3 pisos",
        "  círculo: b, c",
    ]
