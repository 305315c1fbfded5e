"""Las líneas que escribe `pulsar-client`, llevadas a nuestro registro."""

from io import StringIO

import pytest
from structlog.testing import CapturingLogger

from alpespartners.modulos.tracking.infraestructura.pulsar import registro as registro_pulsar


def test_lo_que_se_repite_se_dice_una_vez_y_otra_pasado_un_rato(monkeypatch: pytest.MonkeyPatch) -> None:
    registro = CapturingLogger()
    monkeypatch.setattr(registro_pulsar, "_registro", registro)
    igual = "2026-11-25 03:55:21.881 ERROR [139] ClientConnection:1 | Connection refused\n"
    registro_pulsar._trasladar(StringIO(igual * 50 + igual.replace("refused", "reset")))  # noqa: SLF001
    assert [argumentos for _, argumentos, _ in registro.calls] == [
        ("Connection refused",),
        ("Connection reset",),
    ]
    monkeypatch.setattr(registro_pulsar, "_CALLA_LO_REPETIDO", 0.0)
    registro_pulsar._trasladar(StringIO(igual * 2))  # noqa: SLF001
    assert len(registro.calls) == 4


@pytest.mark.parametrize(
    ("linea", "nivel", "dicho", "campos"),
    [
        (
            "2026-11-25 03:55:21.881 WARN  [139] ClientConnection:1729 | [a -> b] Reset | otra vez",
            "warning",
            "[a -> b] Reset | otra vez",
            {"donde": "ClientConnection:1729"},
        ),
        (
            "2026-11-25 03:55:21.881 ERROR [139] ProducerImpl:774 | Failed to close producer",
            "error",
            "Failed to close producer",
            {"donde": "ProducerImpl:774"},
        ),
        (
            "2026-11-25 03:55:21.881 ERROR [139] Consumer:17 | [t] Failed to getLastMessageId: UnknownError",
            "debug",
            "[t] Failed to getLastMessageId: UnknownError",
            {"donde": "Consumer:17"},
        ),
        ("2026-11-25 03:55:21.881 FATAL [139] X:1 | adiós", "error", "adiós", {"donde": "X:1"}),
        ("una línea que no tiene esa forma", "warning", "una línea que no tiene esa forma", {}),
    ],
)
def test_cada_linea_sale_con_su_nivel_y_de_donde_viene(
    monkeypatch: pytest.MonkeyPatch, linea: str, nivel: str, dicho: str, campos: dict[str, str]
) -> None:
    registro = CapturingLogger()
    monkeypatch.setattr(registro_pulsar, "_registro", registro)
    registro_pulsar._trasladar(StringIO(f"{linea}\n"))  # noqa: SLF001
    ((metodo, argumentos, nombrados),) = registro.calls
    assert (metodo, argumentos, nombrados) == (nivel, (dicho,), campos)
