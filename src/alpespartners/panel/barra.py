"""Las partes de un todo puestas en una barra, para dibujarlas en SVG.

Qué es: de unos recuentos a dónde empieza cada parte y cuánto ocupa, en milésimas.
Qué no es: una cifra; quien quiera el número lo lee en la tabla de al lado.
Por qué existe: un solo ilegible entre un millón no se vería, y es lo que hay que ver: lo que no es cero ocupa
siempre algo.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_ENTERA: Final = 1000
_MINIMO: Final = 12


@dataclass(frozen=True, slots=True)
class Parte:
    """Una de las partes, en milésimas de la barra."""

    nombre: str
    desde: float
    ancho: float


def partes(recuentos: Mapping[str, int]) -> list[Parte]:
    """Las que no son cero, en su orden; sin ninguna, nada."""
    presentes = {nombre: cuantos for nombre, cuantos in recuentos.items() if cuantos}
    libre = _ENTERA - _MINIMO * len(presentes)
    total = sum(presentes.values())
    puestas: list[Parte] = []
    desde = 0.0
    for nombre, cuantos in presentes.items():
        ancho = _MINIMO + libre * cuantos / total
        puestas.append(Parte(nombre, round(desde, 1), round(ancho, 1)))
        desde += ancho
    return puestas
