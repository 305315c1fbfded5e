"""`alpespartners conciliar` en la terminal: qué dice y con qué código termina."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from alpespartners.cli import principal
from alpespartners.composicion import ordenes
from alpespartners.modulos.informes.dominio.cuenta import Cuenta
from alpespartners.modulos.informes.dominio.diferencia import Diferencia, DiferenciaDeUsuarios
from alpespartners.modulos.informes.dominio.usuarios import Usuarios
from alpespartners.modulos.informes.infraestructura.recuento import CuentaIlegible
from alpespartners.modulos.tracking.aplicacion.conciliacion import Cuenta as CuentaDeUnTopico
from alpespartners.modulos.tracking.aplicacion.conciliacion import Hallazgo, TipoDeHallazgo
from alpespartners.modulos.tracking.aplicacion.puertos import (
    BaseDatosNoDisponible,
    BrokerNoDisponible,
    EsquemaDesconocido,
)
from alpespartners.seedwork.arranque import ErrorDeArranque

Poner = Callable[..., None]


@pytest.fixture
def conciliar_halla(monkeypatch: pytest.MonkeyPatch) -> Poner:
    """Hace que la conciliación halle eso, o que falle así."""

    def poner(
        *hallazgos: Hallazgo, diferencias: Sequence[object] = (), fallo: Exception | None = None
    ) -> None:
        def conciliar(_configuracion: object, **ajustes: Any) -> list[CuentaDeUnTopico]:
            if fallo is not None:
                raise fallo
            ajustes["avanza"]("t", len(hallazgos))
            for hallazgo in hallazgos:
                ajustes["al_hallar"](hallazgo)
            for diferencia in diferencias:
                ajustes["al_diferir"](diferencia)
            cuenta = CuentaDeUnTopico("t", mensajes=7, distintos=6, en_camino=2)
            cuenta.cuadran.update({"REGISTRADA": 4})
            return [cuenta]

        monkeypatch.setattr(ordenes, "conciliar", conciliar)

    return poner


def test_si_todo_cuadra_termina_con_cero_y_da_el_balance(conciliar_halla: Poner) -> None:
    conciliar_halla(
        Hallazgo(tipo=TipoDeHallazgo.EN_VUELO, topico="t"),
        Hallazgo(tipo=TipoDeHallazgo.NO_VERIFICABLE, topico="t"),
    )
    dicho = CliRunner().invoke(principal, ["conciliar"])
    assert dicho.exit_code == 0
    assert dicho.stdout.splitlines() == [
        "t: 7 mensajes, 6 distintos, REGISTRADA 4, en camino 2",
        "0 discrepancias.",
    ]


def test_nombra_cada_discrepancia_hasta_veinte_de_una_clase_y_deja_todas_en_un_archivo(
    conciliar_halla: Poner, tmp_path: Path
) -> None:
    conciliar_halla(
        *[
            Hallazgo(
                tipo=TipoDeHallazgo.FALTA_EL_DESTINO,
                topico="t",
                comando_id=f"c-{n}\x1b",
                posicion=f"1:{n}:-1:-1",
            )
            for n in range(25)
        ]
    )
    dicho = CliRunner().invoke(principal, ["conciliar", "--json", str(tmp_path / "todos")])
    assert dicho.exit_code == 1
    lineas = dicho.stdout.splitlines()
    assert (
        lineas[0] == "comando sin destino: t · comando_id c-0\N{REPLACEMENT CHARACTER} · posición 1:0:-1:-1"
    )
    assert sum(linea.startswith("comando sin destino: t") for linea in lineas) == 20
    assert "comando sin destino: 25 en total" in dicho.stdout
    assert lineas[-1] == "25 discrepancias."
    todos = [json.loads(linea) for linea in (tmp_path / "todos").read_text(encoding="utf-8").splitlines()]
    assert [hallazgo["comando_id"] for hallazgo in todos] == [f"c-{n}\x1b" for n in range(25)]


def test_nombra_la_cuenta_y_los_usuarios_de_un_informe_que_no_son_los_de_las_filas(
    conciliar_halla: Poner, tmp_path: Path
) -> None:
    suyas: dict[str, Any] = {"campana_id": "cmp-456", "desde": datetime(2026, 1, 2, tzinfo=UTC)}
    conciliar_halla(
        diferencias=[
            Diferencia(
                tabla="cuentas_por_dia",
                tipo="VENTA",
                clase="",
                moneda="COP",
                contada=Cuenta(1, 20_000),
                hay=Cuenta(1, 10_000),
                **suyas,
            ),
            DiferenciaDeUsuarios(tabla="usuarios_por_dia", contados=None, hay=Usuarios(), **suyas),
        ]
    )
    dicho = CliRunner().invoke(principal, ["conciliar", "--json", str(tmp_path / "todos")])
    assert dicho.exit_code == 1
    de_un_informe = "cuenta de los informes que no es la de las filas"
    del_dia = "campaña cmp-456 · desde 2026-01-02T00:00+00:00"
    venta = "tipo VENTA · moneda COP · contados 1, hay 1 · valor contado 2.0000, hay 1.0000"
    assert dicho.stdout.splitlines() == [
        f"{de_un_informe}: detalle cuentas_por_dia: {del_dia} · {venta}",
        f"{de_un_informe}: detalle usuarios_por_dia: {del_dia} · no se entiende, hay 0 con 0",
        "t: 7 mensajes, 6 distintos, REGISTRADA 4, en camino 2",
        "Las de los informes las corrige `.venv/bin/alpespartners recontar`.",
        "2 discrepancias.",
    ]
    todos = [json.loads(linea) for linea in (tmp_path / "todos").read_text(encoding="utf-8").splitlines()]
    assert [(hallazgo["tipo"], hallazgo["topico"]) for hallazgo in todos] == [(de_un_informe, None)] * 2


@pytest.mark.parametrize(
    ("fallo", "frase"),
    [
        (
            CuentaIlegible("en la campaña c hay x"),
            "No se puede leer la base de datos: en la campaña c hay",
        ),
        (BrokerNoDisponible("x"), "El broker no responde"),
        (BaseDatosNoDisponible("todavía no existe"), "No se puede leer la base de datos: todavía no existe."),
        (ErrorDeArranque("Un ajuste no vale."), "Un ajuste no vale."),
        (EsquemaDesconocido("Evento", "0123456789abcdef"), "actualice y repita la orden."),
    ],
    ids=str,
)
def test_si_no_se_puede_comprobar_termina_con_dos_y_una_frase(
    conciliar_halla: Poner, fallo: Exception, frase: str
) -> None:
    conciliar_halla(fallo=fallo)
    dicho = CliRunner().invoke(principal, ["conciliar"])
    assert dicho.exit_code == 2
    assert frase in dicho.stderr


def test_un_archivo_en_que_no_se_puede_escribir_se_dice_antes_de_leer_nada(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(ordenes, "conciliar", lambda *_, **__: pytest.fail("se leyó"))
    dicho = CliRunner().invoke(principal, ["conciliar", "--json", str(tmp_path / "no existe" / "x.json")])
    assert dicho.exit_code == 2
    assert dicho.stderr.startswith(f"No se puede escribir en {tmp_path}/no existe/x.json: ")


def test_un_archivo_que_no_cabe_no_es_una_discrepancia(conciliar_halla: Poner) -> None:
    conciliar_halla(Hallazgo(tipo=TipoDeHallazgo.EN_VUELO, topico="t"))
    dicho = CliRunner().invoke(principal, ["conciliar", "--json", "/dev/full"])
    assert dicho.exit_code == 2
    assert dicho.stderr.startswith("No se puede escribir en /dev/full: ")
