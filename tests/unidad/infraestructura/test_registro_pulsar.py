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
    assert [campos["dice"] for _, _, campos in registro.calls] == ["Connection refused", "Connection reset"]
    monkeypatch.setattr(registro_pulsar, "_CALLA_LO_REPETIDO", 0.0)
    registro_pulsar._trasladar(StringIO(igual * 2))  # noqa: SLF001
    assert len(registro.calls) == 4


@pytest.mark.parametrize(
    ("linea", "nivel", "evento", "campos"),
    [
        (
            "2026-11-25 03:55:21.881 WARN  [139] ClientConnection:1729 | [a -> b] Reset | otra vez",
            "warning",
            "aviso del cliente de Pulsar",
            {"dice": "[a -> b] Reset | otra vez", "donde": "ClientConnection:1729"},
        ),
        (
            "2026-11-25 03:55:21.881 ERROR [139] ProducerImpl:774 | Failed to close producer: Timeout",
            "error",
            "fallo en el cliente de Pulsar",
            {"dice": "Failed to close producer: Timeout", "donde": "ProducerImpl:774"},
        ),
        (
            "2026-11-25 03:55:21.881 ERROR [139] ProducerImpl:774 | Failed to close producer: AlreadyClosed",
            "debug",
            "aviso del cliente de Pulsar",
            {"dice": "Failed to close producer: AlreadyClosed", "donde": "ProducerImpl:774"},
        ),
        (
            "2026-11-25 03:55:21.881 WARN  [139] ConnectionPool:77 | Connection still has 7 references after",
            "debug",
            "aviso del cliente de Pulsar",
            {"dice": "Connection still has 7 references after", "donde": "ConnectionPool:77"},
        ),
        (
            "2026-11-25 03:55:21.881 ERROR [139] Consumer:17 | [t] Failed to getLastMessageId: UnknownError",
            "debug",
            "aviso del cliente de Pulsar",
            {"dice": "[t] Failed to getLastMessageId: UnknownError", "donde": "Consumer:17"},
        ),
        (
            "2026-11-25 03:55:21.881 FATAL [139] X:1 | adiós",
            "error",
            "fallo en el cliente de Pulsar",
            {"dice": "adiós", "donde": "X:1"},
        ),
        (
            "una línea que no tiene esa forma",
            "warning",
            "aviso del cliente de Pulsar",
            {"dice": "una línea que no tiene esa forma"},
        ),
    ],
)
def test_cada_linea_sale_con_su_nivel_y_de_donde_viene(
    monkeypatch: pytest.MonkeyPatch, linea: str, nivel: str, evento: str, campos: dict[str, str]
) -> None:
    registro = CapturingLogger()
    monkeypatch.setattr(registro_pulsar, "_registro", registro)
    registro_pulsar._trasladar(StringIO(f"{linea}\n"))  # noqa: SLF001
    ((metodo, argumentos, nombrados),) = registro.calls
    assert (metodo, argumentos, nombrados) == (nivel, (evento,), campos)
