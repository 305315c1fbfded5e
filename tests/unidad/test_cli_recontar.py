"""`alpespartners recontar` en la terminal: qué dice y con qué código termina."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from alpespartners.cli import principal
from alpespartners.composicion import ordenes
from alpespartners.modulos.informes.dominio.cuenta import Cuenta
from alpespartners.modulos.informes.dominio.diferencia import Diferencia, DiferenciaDeUsuarios
from alpespartners.modulos.informes.dominio.unicos import VACIO, con
from alpespartners.modulos.informes.dominio.usuarios import Usuarios
from alpespartners.modulos.informes.infraestructura.recuento import Recontado
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible
from alpespartners.seedwork.arranque import ErrorDeArranque

Poner = Callable[..., None]

DIFERENCIA = Diferencia(
    tabla="cuentas_por_influencer",
    campana_id="cmp-1\x1b",
    desde=datetime(2026, 1, 15, tzinfo=UTC),
    tipo="VENTA",
    clase="BOT",
    moneda="EUR",
    influencer_id="ana",
    cupon="",
    contada=Cuenta(3, 15_000),
    hay=Cuenta(2, 10_001),
)


@pytest.fixture
def recontar_halla(monkeypatch: pytest.MonkeyPatch) -> Poner:
    """Hace que el recuento halle esas diferencias, o que falle así."""

    def poner(
        *halladas: Diferencia | DiferenciaDeUsuarios,
        impedimento: str | None = None,
        fallo: Exception | None = None,
    ) -> None:
        def recontar(_configuracion: object, *, corregir: bool, **ajustes: Any) -> Recontado:
            if fallo is not None:
                raise fallo
            ajustes["avanza"]("recuento", 9)
            for hallada in halladas:
                ajustes["al_hallar"](hallada)
            corregidas = len(halladas) if corregir and impedimento is None else 0
            return Recontado(9, len(halladas), corregidas, impedimento)

        monkeypatch.setattr(ordenes, "recontar", recontar)

    return poner


def test_si_todo_cuadra_termina_con_cero(recontar_halla: Poner) -> None:
    recontar_halla()
    dicho = CliRunner().invoke(principal, ["recontar"])
    assert (dicho.exit_code, dicho.stdout) == (0, "9 eventos contados: 0 diferencias.\n")


def test_nombra_cada_diferencia_y_termina_con_uno_aunque_la_corrija(recontar_halla: Poner) -> None:
    recontar_halla(DIFERENCIA)
    dicho = CliRunner().invoke(principal, ["recontar"])
    assert dicho.exit_code == 1
    assert dicho.stdout.splitlines() == [
        " · ".join(  # noqa: FLY002 (entera no cabe en una línea)
            [
                "cuentas_por_influencer: campaña cmp-1\N{REPLACEMENT CHARACTER}",
                "desde 2026-01-15T00:00+00:00",
                "influencer ana",
                "tipo VENTA",
                "clase BOT",
                "moneda EUR",
                "contados 3, hay 2",
                "valor contado 1.5000, hay 1.0001",
            ]
        ),
        "9 eventos contados: 1 diferencia, corregida.",
    ]


def test_de_una_procedencia_dice_cual_y_de_que_dimension(recontar_halla: Poner) -> None:
    de_una = replace(
        DIFERENCIA, tabla="cuentas_por_procedencia", influencer_id=None, cupon=None, clase="UNICO"
    )
    recontar_halla(replace(de_una, dimension="red", dato="instagram"))
    dicho = CliRunner().invoke(principal, ["recontar"])
    assert " · red instagram · tipo VENTA · clase UNICO · moneda EUR · " in dicho.stdout.splitlines()[0]


def test_si_solo_compara_dice_que_no_corrigio_nada(recontar_halla: Poner) -> None:
    recontar_halla(DIFERENCIA)
    dicho = CliRunner().invoke(principal, ["recontar", "--solo-comparar"])
    assert dicho.exit_code == 1
    assert dicho.stdout.splitlines()[-1] == "9 eventos contados: 1 diferencia, 0 corregidas."


def test_si_no_puede_corregir_dice_por_que(recontar_halla: Poner) -> None:
    recontar_halla(DIFERENCIA, impedimento="Detenga los consumidores y repita la orden.")
    dicho = CliRunner().invoke(principal, ["recontar"])
    assert dicho.exit_code == 1
    assert dicho.stdout.splitlines()[-1] == "9 eventos contados: 1 diferencia, 0 corregidas."
    assert dicho.stderr == "Detenga los consumidores y repita la orden.\n"


@pytest.mark.parametrize(
    ("contados", "dice"),
    [
        (Usuarios(2, con(VACIO, [1, 2])), "contados 2 con 2 usuarios, hay 3 con 1"),
        (Usuarios(3, con(VACIO, [2])), "contados 3 con 1 usuarios, que no son los mismos, hay 3 con 1"),
        (None, "no se entiende, hay 3 con 1"),
    ],
)
def test_de_los_usuarios_de_un_dia_dice_cuantos_cuenta_y_cuantos_hay(
    recontar_halla: Poner, contados: Usuarios | None, dice: str, tmp_path: Path
) -> None:
    hay = Usuarios(3, con(VACIO, [1]))
    recontar_halla(
        DiferenciaDeUsuarios(
            tabla="usuarios_por_dia", campana_id="c", desde=DIFERENCIA.desde, contados=contados, hay=hay
        )
    )
    dicho = CliRunner().invoke(principal, ["recontar", "--json", str(tmp_path / "todas")])
    linea = f"usuarios_por_dia: campaña c · desde 2026-01-15T00:00+00:00 · {dice}"
    assert dicho.stdout.splitlines()[0] == linea
    assert json.loads((tmp_path / "todas").read_text(encoding="utf-8")) == {
        "tabla": "usuarios_por_dia",
        "campaña_id": "c",
        "desde": "2026-01-15T00:00:00Z",
        "contados": None if contados is None else contados.eventos,
        "hay": 3,
        "usuarios_contados": None if contados is None else contados.distintos.valor,
        "usuarios": 1,
    }


def test_dice_hasta_veinte_y_deja_todas_en_un_archivo(recontar_halla: Poner, tmp_path: Path) -> None:
    recontar_halla(*[DIFERENCIA] * 25)
    dicho = CliRunner().invoke(principal, ["recontar", "--json", str(tmp_path / "todas")])
    lineas = dicho.stdout.splitlines()
    assert sum(linea.startswith("cuentas_por_influencer: ") for linea in lineas) == 20
    assert lineas[-2] == "25 en total; --json las deja todas en un archivo."
    todas = [json.loads(linea) for linea in (tmp_path / "todas").read_text(encoding="utf-8").splitlines()]
    assert (
        todas
        == [
            {
                "tabla": "cuentas_por_influencer",
                "campaña_id": "cmp-1\x1b",
                "desde": "2026-01-15T00:00:00Z",
                "tipo": "VENTA",
                "clase": "BOT",
                "moneda": "EUR",
                "influencer_id": "ana",
                "cupon": "",
                "dimension": None,
                "dato": None,
                "contados": 3,
                "hay": 2,
                "valor_contado": "1.5000",
                "valor": "1.0001",
            }
        ]
        * 25
    )


@pytest.mark.parametrize(
    ("fallo", "frase"),
    [
        (BaseDatosNoDisponible("todavía no existe"), "No se puede usar la base de datos: todavía no existe."),
        (ErrorDeArranque("Un ajuste no vale."), "Un ajuste no vale."),
    ],
    ids=str,
)
def test_si_no_se_puede_comprobar_termina_con_dos_y_una_frase(
    recontar_halla: Poner, fallo: Exception, frase: str
) -> None:
    recontar_halla(fallo=fallo)
    dicho = CliRunner().invoke(principal, ["recontar"])
    assert (dicho.exit_code, dicho.stderr) == (2, f"{frase}\n")


def test_un_archivo_en_que_no_se_puede_escribir_se_dice_antes_de_leer_nada(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(ordenes, "recontar", lambda *_, **__: pytest.fail("se leyó"))
    dicho = CliRunner().invoke(principal, ["recontar", "--json", str(tmp_path / "no existe" / "x.json")])
    assert dicho.exit_code == 2
    assert dicho.stderr.startswith(f"No se puede escribir en {tmp_path}/no existe/x.json: ")
