"""Por qué no se responde un informe: todas las faltas de lo que se pidió, a la vez.

Qué no es: un fallo del servicio; quien preguntó puede preguntar otra cosa, y la frase dice cuál.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class CodigoDeInforme(StrEnum):
    """Un código estable."""

    PARAMETRO_INVALIDO = "parametro_invalido"
    SIN_RESPUESTA_EXACTA = "sin_respuesta_exacta"


@dataclass(frozen=True, slots=True)
class Falta:
    """Lo que un parámetro incumple, con un código estable y una frase que nunca lo repite."""

    parametro: str
    codigo: CodigoDeInforme
    frase: str


class InformeImposible(Exception):
    """Lo que se pide no se entiende, no cabe o no se puede responder sin aproximar.

    Attributes:
        faltas: todas, con su parámetro; al menos una.
    """

    def __init__(self, faltas: Iterable[Falta]) -> None:
        self.faltas = tuple(faltas)
        super().__init__("; ".join(f"{falta.parametro}: {falta.frase}" for falta in self.faltas))
