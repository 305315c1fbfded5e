"""La comparación con los rivales: sus cuentas, sus tablas y qué pasa con el que no se puede instalar."""

from collections import Counter
from contextlib import nullcontext
from dataclasses import replace
from io import StringIO
from pathlib import Path
from unittest.mock import Mock

import pytest
from rich.console import Console

from rendimiento.rivales import __main__ as programa
from rendimiento.rivales.comparacion import Comparado, Comprobado, Vuelta
from rendimiento.rivales.rival import NoSePuede, Rival

RIVAL = Rival(
    nombre="otro",
    estado=202,
    al_responder="en un papel",
    destino="de palabra",
    instalar=lambda _: None,
    arrancar=lambda _: nullcontext(Mock()),
    fabrica=lambda _: bytes,
)
COMPROBADO = Comprobado(
    respondidos=["a", "b", "c"],
    recuperados=Counter(["a", "c", "c", "sin respuesta"]),
    dos_veces=["d", "e"],
    guardados=Counter(["a", "c", "c", "sin respuesta", "d", "d", "e"]),
    rechaza=True,
)


def test_lo_perdido_es_lo_respondido_que_falta_aunque_sobren_otros() -> None:
    assert COMPROBADO.perdidos == 1


def test_se_cuentan_de_mas_los_enviados_dos_veces_y_no_los_entregados_de_nuevo_al_volver() -> None:
    assert COMPROBADO.contados_de_mas == 1


def test_lo_que_se_perdio_no_se_cuenta_de_menos() -> None:
    assert replace(COMPROBADO, guardados=Counter()).contados_de_mas == 0


def test_de_cada_cifra_se_da_su_mediana() -> None:
    vueltas = [Vuelta(10, 3, 0.1), Vuelta(30, 2, 0.3), Vuelta(20, 1, 0.2)]
    assert Comparado(rival=RIVAL, vueltas=vueltas, comprobado=COMPROBADO).mediana == Vuelta(20, 2, 0.2)


def test_las_tablas_caben_en_ochenta_columnas_y_dicen_las_cifras_y_las_promesas() -> None:
    comparado = Comparado(
        rival=RIVAL, vueltas=[Vuelta(4321.4, 170e-6, 12e-6)], comprobado=replace(COMPROBADO, rechaza=False)
    )
    salida = StringIO()
    consola = Console(file=salida, width=80, highlight=False)
    consola.print(programa.cifras([comparado]), programa.promesas([comparado]))
    lineas = [" ".join(linea.split()) for linea in salida.getvalue().splitlines()]
    assert "otro 4321 170 µs 12 µs 1 de 3 1 lo acepta" in lineas
    assert "otro en un papel de palabra" in lineas


def test_el_que_no_se_puede_instalar_no_se_compara_y_se_dice_por_que(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def no_se_puede(_carpeta: Path) -> None:
        raise NoSePuede("falta su compilador")

    monkeypatch.setattr(programa, "RIVALES", (RIVAL, replace(RIVAL, nombre="raro", instalar=no_se_puede)))
    salida = StringIO()
    carpeta = tmp_path / "nueva"
    assert programa.instalar(carpeta, Console(file=salida)) == [RIVAL]
    assert salida.getvalue() == "Sin raro: falta su compilador.\n"
    assert carpeta.is_dir()
