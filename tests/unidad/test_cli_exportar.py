"""`alpespartners exportar` en la terminal: qué dice y con qué código termina."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from alpespartners.cli import principal
from alpespartners.composicion import ordenes
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible, FilaIlegible
from alpespartners.traspaso.exportacion import NoCuadra, NoSePuedeExportar

Poner = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def exportar_hace(monkeypatch: pytest.MonkeyPatch) -> Poner:
    """Hace que la exportación acabe con tantas filas, o falle así, y da lo que se le pidió."""

    def poner(filas: int = 0, fallo: BaseException | None = None) -> list[dict[str, Any]]:
        pedidos: list[dict[str, Any]] = []

        def exportar(_configuracion: object, clase: Any, peticion: Any, **ajustes: Any) -> int:
            pedidos.append({"clase": clase.nombre, "filtro": peticion.filtro, **ajustes})
            if fallo is not None:
                raise fallo
            ajustes["avanza"]("filas", filas)
            return filas

        monkeypatch.setattr(ordenes, "exportar", exportar)
        return pedidos

    return poner


def orden(*argumentos: object) -> Result:
    return CliRunner().invoke(principal, ["exportar", *map(str, argumentos)], env={"ALPES_DATOS": "/datos"})


@pytest.mark.parametrize(("filas", "dichas"), [(9, "9 filas"), (1, "1 fila"), (0, "0 filas")])
def test_dice_cuantas_filas_dejo_y_de_donde(exportar_hace: Poner, filas: int, dichas: str) -> None:
    exportar_hace(filas=filas)
    dicho = orden("impresiones", "a.csv")
    assert (dicho.exit_code, dicho.stdout) == (0, f"a.csv: {dichas} de impresiones, lo que hay en /datos.\n")


def test_los_filtros_son_los_de_la_api_y_el_formato_el_del_nombre_salvo_que_se_diga(
    exportar_hace: Poner,
) -> None:
    pedidos = exportar_hace()
    filtros = ["--campaña", "c", "--influencer", "i", "--desde", "2026-01-15T00:00:00-05:00"]
    assert orden("conversiones", "a.PARQUET", *filtros).exit_code == 0
    assert orden("conversion", "a.PARQUET", "--formato", "ndjson", "--reemplazar").exit_code == 0
    primero, segundo = pedidos
    assert (primero["clase"], primero["formato"], primero["reemplazar"]) == ("conversion", "parquet", False)
    filtro = primero["filtro"]
    assert (filtro.campaña_id, filtro.influencer_id) == ("c", "i")
    assert filtro.desde.isoformat() == "2026-01-15T05:00:00+00:00"
    assert (segundo["formato"], segundo["reemplazar"]) == ("ndjson", True)


def test_si_no_cuadra_termina_con_uno_y_los_dos_numeros(exportar_hace: Poner) -> None:
    exportar_hace(fallo=NoCuadra(9, 8))
    dicho = orden("impresiones", "a.csv")
    assert dicho.exit_code == 1
    assert dicho.stderr == (
        "a.csv no se termina, porque no cuadra: 9 filas escritas y 8 en la base de datos. "
        "Borre a.csv.parte y repítalo.\n"
    )


@pytest.mark.parametrize(
    ("fallo", "frase"),
    [
        (NoSePuedeExportar("ya existe"), "a.csv: ya existe."),
        (
            BaseDatosNoDisponible("no responde."),
            "No se puede leer la base de datos: no responde. Repetir la orden sigue donde estaba.",
        ),
        (
            FilaIlegible("\x1b"),
            "No se puede leer la base de datos: \ufffd. Repetir la orden sigue donde estaba.",
        ),
        (
            OSError(28, "No space left on device"),
            "No se puede escribir a.csv: No space left on device. Repetir la orden sigue donde estaba.",
        ),
        (KeyboardInterrupt(), "Interrumpida. Repetir la orden sigue donde estaba."),
    ],
    ids=lambda caso: type(caso).__name__,
)
def test_si_no_se_puede_termina_con_dos_y_una_frase(
    exportar_hace: Poner, fallo: BaseException, frase: str
) -> None:
    exportar_hace(fallo=fallo)
    dicho = orden("impresiones", "a.csv")
    assert (dicho.exit_code, dicho.stderr) == (2, f"{frase}\n")


@pytest.mark.parametrize(
    ("argumentos", "frase"),
    [
        (["a.txt"], "No se sabe en qué formato va a.txt: diga --formato csv, ndjson o parquet.\n"),
        (
            ["a.csv", "--desde", "ayer"],
            "No se entiende qué se pide: desde: debe ser RFC 3339 con zona, como 2024-01-15T10:30:00Z.\n",
        ),
    ],
    ids=["formato", "desde"],
)
def test_lo_que_no_se_entiende_se_dice_antes_de_leer_nada(argumentos: list[str], frase: str) -> None:
    dicho = orden("impresiones", *argumentos)
    assert (dicho.exit_code, dicho.stderr) == (2, frase)


def test_sin_pyarrow_dice_como_instalarlo_y_no_deja_nada(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delitem(sys.modules, "alpespartners.traspaso.parquet", raising=False)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    dicho = orden("impresiones", tmp_path / "a.parquet")
    assert dicho.exit_code == 2
    assert dicho.stderr == (
        "Para Parquet hace falta pyarrow: .venv/bin/python -m pip install --require-hashes "
        "-r requisitos/parquet.txt\n"
    )
    assert list(tmp_path.iterdir()) == []
