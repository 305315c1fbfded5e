"""Hasta dónde confirmó la suscripción `tracking` un tópico, según la administración de Apache Pulsar.

Qué es: lo que Pulsar (su «cursor») da, en cada partición, por confirmado, mensaje a mensaje.
Qué no es: lo que se procesó; un comando tiene destino un instante antes de que se confirme.
Por qué existe: un comando sin destino falta o está en vuelo, y solo Pulsar lo sabe con certeza.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

_TRAMO = re.compile(r"\((-?\d+):(-?\d+)\.\.(-?\d+):(-?\d+)\]")

_Entrada = tuple[int, int]


@dataclass(frozen=True, slots=True)
class ConfirmadoDeParticion:
    """Lo confirmado de una partición: todo hasta una entrada, y tramos sueltos sin su primera entrada."""

    hasta: _Entrada
    sueltos: tuple[tuple[_Entrada, _Entrada], ...]

    @classmethod
    def de_pulsar(cls, estado: Mapping[str, Any]) -> Self:
        """El de `internalStats`.

        Raises:
            LookupError: no tiene lo que se espera de él.
            ValueError: no se entiende.
        """
        libro, _, entrada = str(estado["markDeletePosition"]).partition(":")
        tramos = _TRAMO.findall(str(estado["individuallyDeletedMessages"]))
        sueltos = tuple(((int(a), int(b)), (int(c), int(d))) for a, b, c, d in tramos)
        return cls((int(libro), int(entrada)), sueltos)

    def confirmo(self, entrada: _Entrada) -> bool:
        """Dice si esa entrada está confirmada entera."""
        return entrada <= self.hasta or any(antes < entrada <= ultima for antes, ultima in self.sueltos)


class Confirmado:
    """Lo confirmado de las particiones de un tópico, en su orden; de una sola si no las tiene."""

    def __init__(self, particiones: Iterable[ConfirmadoDeParticion]) -> None:
        self._particiones = list(particiones)

    def confirmo(self, posicion: str) -> bool:
        """Dice si está confirmado el mensaje que ocupa esa posición."""
        libro, entrada, particion, _ = map(int, posicion.split(":"))
        # Sin particiones, la de un mensaje es menos uno.
        return self._particiones[max(particion, 0)].confirmo((libro, entrada))
