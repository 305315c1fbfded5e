"""Las dos clases de evento y lo que hace falta para preguntar por una de ellas.

Qué es: de cada clase, el tópico de sus comandos y dónde están los suyos en una consulta abierta.
Qué no es: las entidades ni sus reglas; eso es del dominio.
Por qué existe: un destino, una lista y una espera se preguntan igual para impresiones y conversiones.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from alpespartners.modulos.tracking.aplicacion.puertos import Consulta
from alpespartners.modulos.tracking.aplicacion.topicos import (
    COMANDO_REGISTRAR_CONVERSION,
    COMANDO_REGISTRAR_IMPRESION,
)
from alpespartners.modulos.tracking.dominio.entidades import Conversion, Impresion
from alpespartners.modulos.tracking.dominio.repositorios import LecturaEventos

E = TypeVar("E", Impresion, Conversion)


@dataclass(frozen=True, slots=True)
class ClaseDeEvento(Generic[E]):
    """Una clase de evento, con su propio espacio de identificadores."""

    topico: str
    eventos_de: Callable[[Consulta], LecturaEventos[E]]
    """De una consulta abierta, los eventos registrados de esta clase."""


def _impresiones(consulta: Consulta) -> LecturaEventos[Impresion]:
    return consulta.impresiones


def _conversiones(consulta: Consulta) -> LecturaEventos[Conversion]:
    return consulta.conversiones


IMPRESIONES: Final = ClaseDeEvento(COMANDO_REGISTRAR_IMPRESION, _impresiones)
CONVERSIONES: Final = ClaseDeEvento(COMANDO_REGISTRAR_CONVERSION, _conversiones)

Clase = ClaseDeEvento[Impresion] | ClaseDeEvento[Conversion]
