"""Una cuenta: cuántos eventos y cuánto valen, en una moneda. Se suman sin perder una cifra.

Qué no es: una razón (`ctr`, ticket medio), que no se puede sumar.
Por qué existe: un importe se cuenta en diezmilésimas enteras, la menor fracción de cualquier moneda, y así
la suma de diez millones es la misma en cualquier orden y en cualquier motor.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Self

_DECIMALES: Final = 4
_DIEZMILESIMA: Final = Decimal("0.0001")
PARTE_BAJA: Final = 10**9
"""Diezmilésimas a partir de las que una suma se parte en dos."""


def en_diezmilesimas(importe: Decimal) -> int:
    """Ese importe, que no tiene más de cuatro decimales, en diezmilésimas."""
    return int(importe.scaleb(_DECIMALES))


def en_importe(diezmilesimas: int) -> Decimal:
    """Esa suma, exacta y con cuatro decimales."""
    return diezmilesimas * _DIEZMILESIMA


def en_partes(diezmilesimas: int) -> tuple[int, int]:
    """Una suma partida en miles de millones y el resto: cada parte cabe en 64 bits."""
    return divmod(diezmilesimas, PARTE_BAJA)


@dataclass(frozen=True, slots=True)
class Cuenta:
    """Cuántos, y la suma de sus importes en diezmilésimas; puede ser negativa si es una diferencia."""

    cuantos: int = 0
    diezmilesimas: int = 0

    @classmethod
    def de_partes(cls, cuantos: int, alto: int, bajo: int) -> Self:
        """La que da `partes`, o varias sumadas parte a parte."""
        return cls(cuantos, alto * PARTE_BAJA + bajo)

    @property
    def valor(self) -> Decimal:
        """La suma, exacta."""
        return en_importe(self.diezmilesimas)

    def partes(self) -> tuple[int, int, int]:
        """`cuantos`, y la suma `en_partes`."""
        return (self.cuantos, *en_partes(self.diezmilesimas))

    def __add__(self, otra: Self) -> "Cuenta":
        """Las dos juntas."""
        return Cuenta(self.cuantos + otra.cuantos, self.diezmilesimas + otra.diezmilesimas)

    def __sub__(self, otra: Self) -> "Cuenta":
        """Lo que falta a la otra para ser esta."""
        return Cuenta(self.cuantos - otra.cuantos, self.diezmilesimas - otra.diezmilesimas)
