"""Leer del broker embebido hasta el final, aunque repita, se calle o se salte mensajes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pulsar
import pytest

from alpespartners.modulos.tracking.infraestructura import cliente_pulsar
from alpespartners.modulos.tracking.infraestructura.cliente_pulsar import ClientePulsar, FalloDelBroker

Lugar = tuple[int, int, int]


@dataclass(frozen=True)
class Numero:
    lugar: Lugar

    def ledger_id(self) -> int:
        return self.lugar[0]

    def entry_id(self) -> int:
        return self.lugar[1]

    def batch_index(self) -> int:
        return self.lugar[2]

    def partition(self) -> int:
        return -1


class Mensaje:
    def __init__(self, lugar: Lugar) -> None:
        self._numero = Numero(lugar)

    def message_id(self) -> Numero:
        return self._numero

    def properties(self) -> dict[str, str]:
        return {}

    def partition_key(self) -> str:
        return ""

    def publish_timestamp(self) -> int:
        return 0

    def has_null_value(self) -> bool:
        return False

    def data(self) -> bytes:
        return b""


class Lector:
    def __init__(self, lugares: Iterator[Lugar], cliente: "Embebido") -> None:
        self._lugares = lugares
        self._cliente = cliente
        cliente.abiertos += 1

    def read_next(self, _espera: int) -> Mensaje:
        lugar = next(self._lugares, None)
        if lugar is None:
            raise pulsar.Timeout
        return Mensaje(lugar)

    def close(self) -> None:
        self._cliente.abiertos -= 1


class Consumidor:
    def __init__(self, final: Lugar | None) -> None:
        self._final = final

    def get_last_message_id(self) -> Numero:
        if self._final is None:
            raise pulsar.UnknownError
        return Numero(self._final)

    def unsubscribe(self) -> None:
        """Nada que quitar."""


class Embebido(ClientePulsar):
    """Un cliente cuyo broker entrega a cada lector lo que la prueba dice."""

    def __init__(self, final: Lugar | None, entregas: list[list[Lugar]]) -> None:
        self._embebido = True
        self._espacio = "public/default"
        self._cliente = self
        self._final = final
        self._entregas = iter(entregas)
        self.desde: list[Any] = []
        self.abiertos = 0

    def get_topic_partitions(self, nombre: str) -> list[str]:
        return [nombre]

    def subscribe(self, *_: Any, **__: Any) -> Consumidor:
        return Consumidor(self._final)

    def create_reader(self, _nombre: str, desde: Any, **_: Any) -> Lector:
        self.desde.append(getattr(desde, "lugar", None))
        return Lector(iter(next(self._entregas, [])), self)

    def lugares(self) -> list[str]:
        return [mensaje.posicion for mensaje in self.leer("t")]


SEGUIDOS: list[Lugar] = [(7, 0, 0), (7, 0, 1), (7, 1, 0), (7, 2, -1)]
LEIDOS = ["7:0:-1:0", "7:0:-1:1", "7:1:-1:0", "7:2:-1:-1"]


@pytest.mark.parametrize(
    ("entregas", "desde"),
    [
        ([SEGUIDOS], [None]),
        ([SEGUIDOS[:3] + SEGUIDOS[:2] + SEGUIDOS], [None]),
        ([[], SEGUIDOS[:2], [], SEGUIDOS[2:]], [None, None, (7, 0, 1), (7, 0, 1)]),
        ([[SEGUIDOS[0], SEGUIDOS[3]], SEGUIDOS[1:]], [None, (7, 0, 0)]),
        ([[*SEGUIDOS, (7, 3, 0)]], [None]),
    ],
    ids=["a la primera", "repite", "se calla", "se salta dos", "llega otro después"],
)
def test_da_cada_mensaje_una_vez_hasta_el_final_que_habia_al_empezar(
    entregas: list[list[Lugar]], desde: list[Lugar | None]
) -> None:
    cliente = Embebido((7, 2, -1), entregas)
    assert cliente.lugares() == LEIDOS
    assert cliente.desde == desde


def test_un_topico_vacio_no_se_lee() -> None:
    cliente = Embebido(None, [])
    assert cliente.lugares() == []
    assert cliente.desde == []


def test_si_no_llega_al_final_lo_dice_en_vez_de_darlo_por_leido() -> None:
    cliente = Embebido((7, 2, -1), [SEGUIDOS[:2]])
    with pytest.raises(FalloDelBroker):
        cliente.lugares()
    assert len(cliente.desde) > 5


def test_lee_por_tramos_y_entre_dos_no_deja_un_lector_que_llenar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cliente_pulsar, "_TRAMO", 2)
    cliente = Embebido((7, 2, -1), [SEGUIDOS, SEGUIDOS[2:], []])
    assert cliente.lugares() == LEIDOS
    assert cliente.desde == [None, (7, 0, 1), (7, 2, -1)]
    assert cliente.abiertos == 0
