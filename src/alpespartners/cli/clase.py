"""La clase de evento de que habla una orden de terminal: la elige por su nombre quien la escribe."""

from enum import StrEnum
from typing import Final

from alpespartners.modulos.tracking.aplicacion.clases import CLASES, CONVERSIONES, IMPRESIONES, Clase


class NombreDeClase(StrEnum):
    """Los nombres que se pueden escribir; Typer los enumera si se escribe otro."""

    IMPRESION = IMPRESIONES.nombre
    CONVERSION = CONVERSIONES.nombre


ALTERNATIVAS: Final = " o ".join(NombreDeClase)
"""Los mismos, para la ayuda de una orden."""


def clase_llamada(nombre: NombreDeClase) -> Clase:
    """Devuelve la clase que se nombró en una orden."""
    return next(clase for clase in CLASES if clase.nombre == nombre)
