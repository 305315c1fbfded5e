"""El programa de la meta f: lee lo mismo con la tabla casi vacía y con ella llena."""

from typing import TYPE_CHECKING

import pytest

from rendimiento.lecturas import medir

if TYPE_CHECKING:
    from tests.apoyo.postgresql import ServidorDePrueba

LECTURAS = ["Un evento por su id", "Primera página de una campaña", "Página 1.000 de una campaña"]

pytestmark = pytest.mark.rendimiento


def test_mide_las_tres_lecturas_sobre_sqlite() -> None:
    medidas = medir(breve=True, filas=20_000)

    assert [medida.nombre for medida in medidas] == [f"{lectura}, con SQLite" for lectura in LECTURAS]
    assert all(medida.cifra > 0 for medida in medidas)


def test_mide_las_tres_lecturas_sobre_postgresql(servidor_postgresql: "ServidorDePrueba") -> None:
    medidas = medir(breve=True, filas=20_000, postgresql=servidor_postgresql.url("postgres"))

    assert [medida.nombre for medida in medidas] == [f"{lectura}, con PostgreSQL" for lectura in LECTURAS]
    assert all(medida.cifra > 0 for medida in medidas)
