"""Leer del broker embebido hasta el final, aunque repita, se calle o se salte mensajes."""

from dataclasses import dataclass
from typing import Any

import pulsar
import pytest

from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import ClientePulsar, FalloDelBroker

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


class Lectura:
    """Una vez que se abre la suscripción de lectura."""

    def __init__(self, lugares: list[Lugar], cliente: "Embebido") -> None:
        self._lugares = iter(lugares)
        self._cliente = cliente
        cliente.abiertas += 1

    def receive(self, _espera: int) -> Mensaje:
        lugar = next(self._lugares, None)
        if lugar is None:
            raise pulsar.Timeout
        return Mensaje(lugar)

    def acknowledge(self, mensaje: Mensaje) -> None:
        self._cliente.confirmados.add(mensaje.message_id().lugar)

    def close(self) -> None:
        self._cliente.abiertas -= 1

    def unsubscribe(self) -> None:
        self._cliente.abiertas -= 1
        self._cliente.borrada = True


class ParaElFinal:
    def __init__(self, final: Lugar | None) -> None:
        self._final = final

    def get_last_message_id(self) -> Numero:
        if self._final is None:
            raise pulsar.UnknownError
        return Numero(self._final)

    def unsubscribe(self) -> None:
        """Nada que quitar."""


class Embebido(ClientePulsar):
    """Un cliente cuyo broker entrega, cada vez que se abre la suscripción, lo que la prueba dice.

    Attributes:
        al_abrir: cuántos había confirmados cada vez.
    """

    def __init__(self, final: Lugar | None, entregas: list[list[Lugar]]) -> None:
        self._embebido = True
        self._espacio = "public/default"
        self._cliente = self
        self._final = final
        self._entregas = iter(entregas)
        self.al_abrir: list[int] = []
        self.confirmados: set[Lugar] = set()
        self.abiertas = 0
        self.borrada = False

    def get_topic_partitions(self, nombre: str) -> list[str]:
        return [nombre]

    def subscribe(self, _nombre: str, suscripcion: str, **_: Any) -> Any:
        if suscripcion.startswith("final-"):
            return ParaElFinal(self._final)
        self.al_abrir.append(len(self.confirmados))
        return Lectura(next(self._entregas, []), self)

    def lugares(self) -> list[str]:
        return [mensaje.posicion for mensaje in self.leer("t")]


SEGUIDOS: list[Lugar] = [(7, 0, 0), (7, 0, 1), (7, 1, 0), (7, 2, -1)]
LEIDOS = ["7:0:-1:0", "7:0:-1:1", "7:1:-1:0", "7:2:-1:-1"]


@pytest.mark.parametrize(
    ("entregas", "al_abrir"),
    [
        ([SEGUIDOS], [0]),
        ([SEGUIDOS[:3] + SEGUIDOS[:2] + SEGUIDOS], [0]),
        ([[], SEGUIDOS[:2], [], SEGUIDOS], [0, 0, 2, 2]),
        ([[SEGUIDOS[0], SEGUIDOS[3]], SEGUIDOS[1:]], [0, 1]),
        ([[*SEGUIDOS, (7, 3, 0)]], [0]),
    ],
    ids=["a la primera", "repite", "se calla", "se salta dos", "llega otro después"],
)
def test_da_cada_mensaje_una_vez_hasta_el_final_que_habia_al_empezar(
    entregas: list[list[Lugar]], al_abrir: list[int]
) -> None:
    cliente = Embebido((7, 2, -1), entregas)
    assert cliente.lugares() == LEIDOS
    # La última vez es para borrarla.
    assert cliente.al_abrir == [*al_abrir, len(SEGUIDOS)]
    assert cliente.confirmados == set(SEGUIDOS)
    assert (cliente.abiertas, cliente.borrada) == (0, True)


def test_un_topico_vacio_no_se_lee() -> None:
    cliente = Embebido(None, [])
    assert cliente.lugares() == []
    assert cliente.al_abrir == []


def test_si_no_llega_al_final_lo_dice_en_vez_de_darlo_por_leido() -> None:
    cliente = Embebido((7, 2, -1), [SEGUIDOS[:2]])
    with pytest.raises(FalloDelBroker):
        cliente.lugares()
    assert len(cliente.al_abrir) > 5
    assert (cliente.abiertas, cliente.borrada) == (0, True)


def test_quien_deja_de_leer_no_deja_la_suscripcion() -> None:
    cliente = Embebido((7, 2, -1), [SEGUIDOS])
    for _ in cliente.leer("t"):
        break
    assert (cliente.abiertas, cliente.borrada) == (0, True)
