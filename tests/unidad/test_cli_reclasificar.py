"""`alpespartners reclasificar` en la terminal: qué pide, qué dice y con qué código termina."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from alpespartners.cli import principal
from alpespartners.composicion import ordenes
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible, FilaIlegible
from alpespartners.modulos.tracking.infraestructura.operacion.reclasificador import Reclasificado
from alpespartners.seedwork.arranque import ErrorDeArranque

Poner = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def resulta(monkeypatch: pytest.MonkeyPatch) -> Poner:
    """Hace que dé eso, o que falle así, y recuerda lo que se pidió."""

    def poner(hecho: Reclasificado | None = None, fallo: Exception | None = None) -> list[dict[str, Any]]:
        pedidos: list[dict[str, Any]] = []

        def reclasificar(_configuracion: object, *, avanza: Any, **pedido: Any) -> Reclasificado:
            pedidos.append(pedido)
            avanza("impresiones", 9)
            if fallo is not None:
                raise fallo
            return hecho or Reclasificado()

        monkeypatch.setattr(ordenes, "reclasificar", reclasificar)
        return pedidos

    return poner


def test_dice_que_cambia_de_lo_mas_corriente_a_lo_menos_y_cuanto_se_reescribio(resulta: Poner) -> None:
    resulta(
        Reclasificado(
            mirados=9,
            distintos=4,
            escritos=5,
            cambios=Counter(
                {
                    ("pais", None, "CO"): 1,
                    ("bot", False, True): 3,
                    ("señales", (), ("agente_de_robot",)): 3,
                    ("navegador", "a\x1b", "b"): 1,
                }
            ),
        )
    )
    dicho = CliRunner().invoke(principal, ["reclasificar"])
    assert dicho.exit_code == 0
    assert dicho.stdout.splitlines() == [
        "bot: no → sí: 3",
        "señales: – → agente_de_robot: 3",
        "navegador: a\N{REPLACEMENT CHARACTER} → b: 1",
        "pais: – → CO: 1",
        "9 eventos leídos otra vez: 4 cambian, 5 filas reescritas.",
    ]


def test_dice_cuantos_no_se_pudieron_leer(resulta: Poner) -> None:
    resulta(Reclasificado(mirados=2, sin_evaluar=1))
    dicho = CliRunner().invoke(principal, ["reclasificar"])
    assert dicho.stdout == (
        "2 eventos leídos otra vez: 0 cambian, 0 filas reescritas; 1 no se pudo leer y queda como estaba.\n"
    )


def test_de_muchos_cambios_distintos_dice_los_mas_corrientes(resulta: Poner) -> None:
    cambios = Counter({("navegador", None, f"n-{n}"): n for n in range(1, 51)})
    resulta(Reclasificado(mirados=1, cambios=cambios))
    lineas = CliRunner().invoke(principal, ["reclasificar"]).stdout.splitlines()
    assert lineas[0] == "navegador: – → n-50: 50"
    assert lineas[40] == "Y otros 10 cambios distintos, de menos eventos cada uno."


def test_pide_lo_que_se_le_dice(resulta: Poner) -> None:
    pedidos = resulta()
    CliRunner().invoke(principal, ["reclasificar", "--solo-comparar", "--campaña", "c-1"])
    CliRunner().invoke(principal, ["reclasificar"])
    assert pedidos == [
        {"campaña_id": "c-1", "escribir": False},
        {"campaña_id": None, "escribir": True},
    ]


@pytest.mark.parametrize(
    ("fallo", "frase"),
    [
        (
            BaseDatosNoDisponible("no responde."),
            "No se puede usar la base de datos: no responde. Lo hecho hasta ahí vale; repita la orden.",
        ),
        (
            FilaIlegible("una fila\x1b"),
            "No se pudo acabar: una fila\N{REPLACEMENT CHARACTER}. Lo hecho hasta ahí vale.",
        ),
        (ErrorDeArranque("Un ajuste no vale."), "Un ajuste no vale."),
    ],
    ids=str,
)
def test_si_no_se_puede_termina_con_dos_y_una_frase(resulta: Poner, fallo: Exception, frase: str) -> None:
    resulta(fallo=fallo)
    dicho = CliRunner().invoke(principal, ["reclasificar"])
    assert (dicho.exit_code, dicho.stderr) == (2, f"{frase}\n")
