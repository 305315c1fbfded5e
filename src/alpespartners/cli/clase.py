"""La clase de evento de que habla una orden de terminal."""

from enum import StrEnum
from typing import TYPE_CHECKING

from alpespartners.modulos.tracking.aplicacion.clases import CLASES, Clase

if TYPE_CHECKING:
    NombreDeClase = StrEnum
else:
    NombreDeClase = StrEnum("NombreDeClase", {clase.nombre.upper(): clase.nombre for clase in CLASES})
    """Impresiones o conversiones: cada clase tiene su tópico de comandos y sus propios `id`."""


def clase_llamada(nombre: NombreDeClase) -> Clase:
    """Devuelve la clase que se nombró en una orden."""
    return next(clase for clase in CLASES if clase.nombre == nombre)
