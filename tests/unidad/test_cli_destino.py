"""La historia de un `id`, contada a una persona."""

from datetime import UTC, datetime

from alpespartners.cli.destino import relato
from alpespartners.modulos.tracking.aplicacion.consultas.consultar_destino import Historia, Suceso
from alpespartners.modulos.tracking.dominio.destinos import (
    Destino,
    Duplicada,
    Ignorada,
    Ilegible,
    MotivoDeIgnorar,
    Rechazada,
    Registrada,
)
from alpespartners.modulos.tracking.dominio.excepciones import Codigo

RECIBIDO = datetime(2026, 1, 15, 10, 36, 0, 120_000, tzinfo=UTC)
DECIDIDO = datetime(2026, 1, 15, 10, 36, 0, 9_000, tzinfo=UTC)


def _contar(destino: Destino, *, comando_id: str = "c-1", omitidos: int = 0) -> list[str]:
    suceso = Suceso(
        comando_id=comando_id,
        recibido_en=RECIBIDO,
        decidido_en=DECIDIDO,
        destino=destino,
        campaña_id="cmp-1",
    )
    return list(relato(Historia(sucesos=(suceso,), omitidos=omitidos)))


def test_cada_suceso_dice_cuando_que_paso_y_con_que_comando() -> None:
    assert _contar(Registrada()) == [
        "2026-01-15 10:36:00.009 UTC  REGISTRADA",
        "    Se registró.",
        "    Comando c-1, recibido el 2026-01-15 10:36:00.120 UTC.",
    ]


def test_cada_destino_se_cuenta_con_una_frase() -> None:
    rechazada = Rechazada(
        Codigo.CONFLICTO_DE_ID, "ya existe ese id con otro contenido; difieren: valor", ("valor",)
    )
    frases = {
        destino.estado: _contar(destino)[1].strip()
        for destino in (
            Duplicada("c-0", ("referrer",)),
            rechazada,
            Ignorada(MotivoDeIgnorar.SIN_CAMPAÑA, "no dice de qué campaña es"),
            Ilegible("no es un registro Avro"),
        )
    }
    assert frases == {
        "DUPLICADA": (
            "Repetía lo que ya había registrado el comando c-0; no añadió nada. "
            "Difieren, sin decidir el dinero: referrer."
        ),
        "RECHAZADA": (
            "No se registró (conflicto_de_id): ya existe ese id con otro contenido; difieren: valor. "
            "Iba a: campaña cmp-1, sin influencer."
        ),
        "IGNORADA": (
            "Se ignoró (sin_campaña): no dice de qué campaña es. Iba a: campaña cmp-1, sin influencer."
        ),
        "ILEGIBLE": ("No se pudo descifrar: no es un registro Avro. El mensaje está en las cartas muertas."),
    }


def test_lo_que_no_se_cuenta_se_dice() -> None:
    assert _contar(Registrada(), omitidos=3)[-1] == "Y 3 más, posteriores."


def test_lo_que_escribio_otro_no_da_ordenes_a_la_terminal() -> None:
    lineas = _contar(Duplicada("c\x1b[2J"), comando_id="c\x1b]0;\x07")
    assert all(linea.isprintable() for linea in lineas)
