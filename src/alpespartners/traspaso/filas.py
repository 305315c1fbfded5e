"""Una fila de un archivo: lo que hay que enviar de ella, o por qué no se puede ni enviar.

Qué es: lo que dan los lectores de cada formato (`csv_ajeno.py`, `ndjson.py`) a quien envía.
Qué no es: un juicio sobre sus datos; ese es de la API, que dice todas las faltas.
"""

from collections.abc import Collection
from dataclasses import dataclass

from alpespartners.modulos.tracking.aplicacion.clases import CLASES, Clase


class ArchivoIlegible(Exception):
    """El archivo entero no se puede importar. El mensaje es una frase para quien lo trajo."""


@dataclass(frozen=True, slots=True)
class Fila:
    """Una fila que se puede enviar.

    Attributes:
        numero: el de la línea en que empieza.
        texto: como está en el archivo.
        clase: de qué es el evento.
        cuerpo: el JSON que se envía.
        id: el que trae; `None` si no trae ninguno.
    """

    numero: int
    texto: str
    clase: Clase
    cuerpo: bytes
    id: str | None


@dataclass(frozen=True, slots=True)
class FilaRota:
    """Una fila que no llega a ser un envío.

    Attributes:
        numero: el de la línea en que empieza.
        texto: como está en el archivo, o su principio.
        codigo: por qué, estable.
        detalle: por qué, en una frase.
    """

    numero: int
    texto: str
    codigo: str
    detalle: str


def clase_que_dicen(nombres: Collection[str]) -> Clase | None:
    """De qué clase es lo que tiene esos campos: la del único campo de tipo que haya entre ellos."""
    suyas = [clase for clase in CLASES if clase.campo_tipo in nombres]
    return suyas[0] if len(suyas) == 1 else None
