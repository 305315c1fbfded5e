"""La clase de evento de que habla una orden de terminal: la elige por su nombre quien la escribe."""

import unicodedata
from enum import StrEnum
from typing import Final

from alpespartners.modulos.tracking.aplicacion.clases import CLASES, CONVERSIONES, IMPRESIONES, Clase


class NombreDeClase(StrEnum):
    """Los nombres de las clases."""

    IMPRESION = IMPRESIONES.nombre
    CONVERSION = CONVERSIONES.nombre


ALTERNATIVAS: Final = " o ".join(NombreDeClase)
"""Los mismos, para la ayuda de una orden."""


def leer_nombre(texto: str) -> NombreDeClase:
    """Lee cómo se llamó a una clase: en singular o en plural, con tilde o sin ella.

    Raises:
        ValueError: no se llama así ninguna.
    """
    letras = unicodedata.normalize("NFD", texto.strip().lower())
    llano = "".join(letra for letra in letras if not unicodedata.combining(letra))
    for clase in CLASES:
        if llano in {clase.nombre, clase.plural}:
            return NombreDeClase(clase.nombre)
    raise ValueError


def clase_llamada(nombre: NombreDeClase) -> Clase:
    """Devuelve la clase que se nombró en una orden."""
    return next(clase for clase in CLASES if clase.nombre == nombre)
