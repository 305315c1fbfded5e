"""El informe de una campaña en la terminal: la tabla, el CSV y lo que se niega."""

import asyncio
import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner, Result

from alpespartners.cli import principal
from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.handlers import ManejadorDeRegistro
from alpespartners.modulos.tracking.aplicacion.puertos import Transaccion
from tests.apoyo.base_datos import libro_sqlite, sql
from tests.apoyo.eventos import AHORA, CONVERSION, IMPRESION, recibido
from tests.apoyo.procedencias import LectorPorTurnos

DIA = datetime(2026, 1, 10, 12, tzinfo=UTC)
BARRAS = frozenset("█▏▎▍▌▋▊▉")
POR_TODO = ("--por", "influencer_id,tipo,moneda,cupon", "--granularidad", "total")
MINIMO, HOLGADO = 20, 80
PERIODO = ("--desde", "2026-01-10", "--hasta", "2026-01-13")


@pytest.fixture
def datos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ALPES_DATOS", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


@pytest.fixture
def con_eventos(datos: Path) -> Path:
    """Cuatro impresiones el 10 y una el 12; el 11, un clic y una venta enorme, y el 12, otra pequeña."""

    def trabajo(transaccion: Transaccion) -> None:
        dias = [0, 0, 0, 0, 1, 2]
        vistas = [
            recibido(
                replace(
                    IMPRESION,
                    id=f"i{numero}",
                    tipo_evento="CLIC" if dia == 1 else "IMPRESION",
                    timestamp=DIA + timedelta(days=dia),
                ),
                f"i-{numero}",
            )
            for numero, dia in enumerate(dias)
        ]
        ventas = [
            recibido(
                replace(
                    CONVERSION,
                    id=f"v{dia}",
                    valor=Decimal(valor),
                    timestamp=DIA + timedelta(days=dia),
                    influencer_id=influencer,
                ),
                f"v-{dia}",
            )
            for dia, valor, influencer in ((1, "123456789012.67", "[red]ñandú[/red]"), (2, "0.50", "=1+1"))
        ]
        ManejadorDeRegistro(clases.IMPRESIONES).manejar(vistas, transaccion, AHORA)
        ManejadorDeRegistro(clases.CONVERSIONES).manejar(ventas, transaccion, AHORA)

    with libro_sqlite(datos) as (libro, _):
        asyncio.run(libro.ejecutar(trabajo))
    return datos


def test_si_los_usuarios_no_se_entienden_dice_que_orden_los_corrige(con_eventos: Path) -> None:
    sql(con_eventos, "UPDATE usuarios_por_dia SET boceto = x'00'")
    dicho = ejecutar("cmp-456", *PERIODO, "--incluir", "usuarios_unicos")
    assert dicho.exit_code == 2
    assert dicho.stderr == (
        "No se puede responder: los usuarios del 2026-01-10 de la campaña cmp-456 no se entienden; los "
        "corrige `.venv/bin/alpespartners recontar`.\n"
    )


def ejecutar(*argumentos: str) -> Result:
    return CliRunner().invoke(principal, ["informe", *argumentos])


def test_excluye_los_robots_si_se_pide(con_eventos: Path) -> None:
    # Otra mano los hace robots y los cuenta como tales: aquí importa que la orden lo pida.
    sql(con_eventos, "UPDATE cuentas_por_dia SET clase = 'BOT' WHERE tipo = 'CLIC'")
    de_cada = {
        bots: list(csv.DictReader(io.StringIO(ejecutar("cmp-456", *PERIODO, "--csv", "--bots", bots).stdout)))
        for bots in ("incluir", "excluir")
    }
    clics = {bots: [(fila["clics"], fila["bots.clics"]) for fila in filas] for bots, filas in de_cada.items()}
    assert clics == {
        "incluir": [("0", "0"), ("1", "1"), ("0", "0")],
        "excluir": [("0", "0"), ("0", "1"), ("0", "0")],
    }


def celdas(linea: str) -> Sequence[str]:
    return linea.split()


@pytest.mark.usefixtures("con_eventos")
def test_la_tabla_dice_cada_cifra_entera_con_su_barra_y_cabe_en_ochenta_columnas() -> None:
    hecho = ejecutar("cmp-456", *PERIODO)
    assert (hecho.exit_code, "\x1b" in hecho.stdout) == (0, False)
    lineas = hecho.stdout.splitlines()
    assert max(map(cell_len, lineas)) <= 80
    assert lineas[0] == "cmp-456: de 2026-01-10T00:00:00+00:00 a 2026-01-13T00:00:00+00:00, UTC"
    assert celdas(lineas[1])[:2] == ["desde", "impresiones"]
    assert celdas(lineas[2])[:3] == ["2026-01-10", "4", "████████"]
    assert celdas(lineas[4])[:3] == ["2026-01-12", "1", "██"]
    assert lineas[3].endswith(" 123456789012.67")
    assert celdas(lineas[5])[:2] == ["Total", "5"]
    assert "123456789013.17" in lineas[5]


@pytest.mark.usefixtures("con_eventos")
@pytest.mark.parametrize("ancho", [30, 40, 50, 60, 80, 100, 120, 500])
def test_lo_que_no_cabe_se_deja_fuera_entero_y_se_dice(monkeypatch: pytest.MonkeyPatch, ancho: int) -> None:
    monkeypatch.setenv("COLUMNS", str(ancho))
    pedido = ("cmp-456", *PERIODO, "--comparar", "periodo_anterior")
    hecho = ejecutar(*pedido)
    _, _, nombres, *dias, _ = hecho.stdout.splitlines()
    assert max(map(cell_len, (nombres, *dias))) <= ancho
    filas = list(csv.DictReader(io.StringIO(ejecutar(*pedido, "--csv").stdout_bytes.decode(), newline="")))
    for dia, fila in zip(dias, filas, strict=True):
        fecha, *cifras = (celda for celda in celdas(dia) if not set(celda) <= BARRAS)
        assert fila["desde"].startswith(fecha)
        assert set(cifras) <= {*fila.values()}
    no_caben = hecho.stderr.removeprefix("No caben a lo ancho: ").partition(". ")[0].split(", ")
    assert not set(no_caben) & set(celdas(nombres))
    assert ("valor.COP" in celdas(nombres)) is ("valor.COP" not in no_caben)
    assert (hecho.stderr == "") is (ancho == 500)


@pytest.mark.usefixtures("con_eventos")
def test_las_impresiones_se_ven_aunque_haya_tantas_como_conversiones() -> None:
    cabecera = ejecutar("cmp-456", "--desde", "2026-01-12", "--hasta", "2026-01-13").stdout.splitlines()[1]
    assert celdas(cabecera)[:3] == ["desde", "impresiones", "conversiones"]


@pytest.mark.usefixtures("con_eventos")
def test_lo_que_es_algo_por_poco_que_sea_se_ve_en_su_barra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    lineas = ejecutar("cmp-456", *PERIODO).stdout.splitlines()
    assert "123456789012.67  ████████" in lineas[3]
    assert "0.50  ▏" in lineas[4]


def test_por_red_hay_una_fila_por_cada_una_y_otra_sin_nombre_con_lo_que_no_se_sabe(datos: Path) -> None:
    lote = [recibido(replace(IMPRESION, id=f"r{n}", timestamp=DIA), f"r-{n}") for n in range(4)]
    lector = LectorPorTurnos()
    with libro_sqlite(datos) as (libro, _):
        asyncio.run(
            libro.ejecutar(lambda t: ManejadorDeRegistro(clases.IMPRESIONES, lector).manejar(lote, t, AHORA))
        )
    pedido = ("cmp-456", *PERIODO, "--por", "red", "--granularidad", "total")
    filas = csv.DictReader(io.StringIO(ejecutar(*pedido, "--csv").stdout))
    assert [(fila["red"], fila["impresiones"]) for fila in filas] == [
        ("", "1"),
        ("google", "1"),
        ("instagram", "2"),
    ]
    _, cabecera, *tabla, _ = ejecutar(*pedido).stdout.splitlines()
    assert celdas(cabecera)[:3] == ["desde", "red", "impresiones"]
    assert celdas(tabla[2])[1:3] == ["instagram", "2"]


@pytest.mark.usefixtures("con_eventos")
def test_un_influencer_se_escribe_como_es_y_sin_la_proteccion_del_csv() -> None:
    hecho = ejecutar("cmp-456", *PERIODO, "--por", "influencer_id", "--granularidad", "total")
    assert "[red]ñandú[/red]" in hecho.stdout
    assert " =1+1 " in hecho.stdout
    assert "'=1+1" in ejecutar("cmp-456", *PERIODO, "--por", "influencer_id", "--csv").stdout


@pytest.mark.usefixtures("con_eventos")
@pytest.mark.parametrize("ancho", [MINIMO, 60, HOLGADO])
def test_unos_grupos_largos_ceden_su_sitio_a_las_cifras(monkeypatch: pytest.MonkeyPatch, ancho: int) -> None:
    monkeypatch.setenv("COLUMNS", str(ancho))
    hecho = ejecutar(
        "cmp-456", *PERIODO, "--por", "influencer_id,tipo,moneda,cupon", "--granularidad", "total"
    )
    _, *lineas = hecho.stdout.splitlines()
    assert max(map(cell_len, lineas)) <= ancho
    # Lo que no cabe de un texto sigue en la línea de debajo, y de una cifra no se corta nada.
    assert {"[red]ñan", "dú[/red]"} <= set(hecho.stdout.split()) or ancho == MINIMO
    assert ("impresiones" in hecho.stdout) is (ancho != MINIMO)
    assert ("conversiones" in hecho.stdout) is (ancho == HOLGADO)
    assert ("impresiones" in hecho.stderr) is (ancho == MINIMO)


@pytest.mark.usefixtures("con_eventos")
def test_por_horas_cada_fila_dice_su_hora_con_la_diferencia_de_su_zona() -> None:
    hecho = ejecutar(
        *("cmp-456", "--granularidad", "hora", "--zona", "America/Bogota"),
        *("--desde", "2026-01-10", "--hasta", "2026-01-11"),
    )
    assert "2026-01-10 07:00-05:00" in hecho.stdout


@pytest.mark.usefixtures("con_eventos")
def test_lo_que_aun_no_ha_acabado_se_marca() -> None:
    hecho = ejecutar("cmp-456")
    assert "* Aún no ha acabado: puede haber más." in hecho.stdout
    assert sum("*" in linea for linea in hecho.stdout.splitlines()) == 2
    assert "*" not in ejecutar("cmp-456", *PERIODO).stdout


@pytest.mark.usefixtures("con_eventos")
def test_el_csv_acaba_sus_lineas_como_el_de_la_api_y_no_dice_nada_mas() -> None:
    hecho = ejecutar("cmp-456", *PERIODO, "--csv")
    assert hecho.stderr == ""
    filas = list(csv.DictReader(io.StringIO(hecho.stdout_bytes.decode(), newline=""), strict=True))
    assert [fila["impresiones"] for fila in filas] == ["4", "0", "1"]
    assert hecho.stdout_bytes.count(b"\r\n") == 4


def test_sin_nada_dice_donde_se_miro(datos: Path) -> None:
    hecho = ejecutar("otra", *PERIODO, "--por", "cupon")
    assert hecho.exit_code == 0
    assert f"Se miró en {datos}." in hecho.stdout


@pytest.mark.usefixtures("datos")
def test_lo_que_no_se_entiende_se_dice_todo_con_el_nombre_de_su_opcion_y_termina_con_dos() -> None:
    hecho = ejecutar("cmp-456", "--zona", "Bogota", "--granularidad", "rato", "--por", "influencer")
    assert (hecho.exit_code, hecho.stdout) == (2, "")
    dichas = hecho.stderr.splitlines()
    assert dichas[0] == "--zona: debe ser una zona de la IANA, como America/Bogota, o UTC; ¿America/Bogota?."
    assert [frase.partition(":")[0] for frase in dichas] == ["--zona", "--granularidad", "--por"]


@pytest.mark.usefixtures("datos")
def test_una_campaña_que_no_puede_ser_se_dice() -> None:
    hecho = ejecutar("x" * 300)
    assert hecho.exit_code == 2
    assert hecho.stderr.startswith("Ninguna campaña puede tener ese id: ")


def test_si_la_base_de_datos_no_se_puede_leer_se_dice_y_termina_con_dos(datos: Path) -> None:
    (datos / "tracking.sqlite3").write_bytes(b"no es una base de datos" * 100)
    hecho = ejecutar("cmp-456")
    assert hecho.exit_code == 2
    assert "No se puede leer la base de datos" in hecho.stderr
