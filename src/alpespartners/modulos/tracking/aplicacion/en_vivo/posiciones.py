"""Las posiciones: hasta dónde de cada canal ha visto alguien, y su texto, que puede llevar a otro proceso.

Qué es: un lugar por canal. Un canal es un tópico de eventos o, si está partido, una de sus particiones; sus
lugares los pone el broker, y son los mismos para todo el que lee.
Qué no es: un orden entre canales; cada proceso los lee mezclados a su manera.
Por qué existe: quien se desconecta sigue por donde iba, le atienda el proceso que le atienda.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final

from alpespartners.modulos.tracking.aplicacion.consultas.cursores import (
    EPOCA,
    MICROSEGUNDO,
    cursor_en_texto,
    partes_del_cursor,
)

Lugar = tuple[int, int, int]
"""Libro, entrada e índice en su lote, que se comparan en ese orden."""

Posiciones = Mapping[str, Lugar]
"""Por canal, el último mensaje visto; de uno que falta no se ha visto nada."""

PRINCIPIO: Final[Lugar] = (-1, -1, -1)
"""El de quien no ha visto nada de un canal."""

_ENTERO_MAXIMO: Final = 2**63 - 1
_INDICE_MAXIMO: Final = 2**31 - 1
_CANALES_MAXIMOS: Final = 1_000
_LONGITUD_DE_CANAL: Final = 64
_POR_CANAL: Final = 4


@dataclass(frozen=True)
class Marca:
    """Lo que dice un `id`: qué datos del broker, hasta dónde y cuándo se dio."""

    epoca: str
    posiciones: Posiciones
    dada_en: datetime

    @cached_property
    def texto(self) -> str:
        """El texto opaco que quien mira devuelve al volver; se escribe una vez, la lean los que la lean."""
        canales = [parte for canal, lugar in sorted(self.posiciones.items()) for parte in (canal, *lugar)]
        return cursor_en_texto(self.epoca, (self.dada_en - EPOCA) // MICROSEGUNDO, *canales)


def marca_de(texto: str) -> Marca | None:
    """La marca que lleva ese texto, o `None` si no es ninguna."""
    match partes_del_cursor(texto):
        case [str(epoca), int(microsegundos), *canales] if len(canales) % _POR_CANAL == 0:
            pass
        case _:
            return None
    posiciones: dict[str, Lugar] = {}
    for desde in range(0, min(len(canales), _POR_CANAL * _CANALES_MAXIMOS), _POR_CANAL):
        match canales[desde : desde + _POR_CANAL]:
            case [str(canal), int(libro), int(entrada), int(indice)] if len(
                canal
            ) <= _LONGITUD_DE_CANAL and _es_un_lugar((libro, entrada, indice)):
                posiciones[canal] = libro, entrada, indice
            case _:
                return None
    try:
        return Marca(epoca, posiciones, EPOCA + microsegundos * MICROSEGUNDO)
    except OverflowError:
        return None


def juntas(unas: Posiciones, otras: Posiciones) -> Posiciones:
    """Lo que ha visto quien vio lo de las dos."""
    return {canal: max(unas.get(canal, PRINCIPIO), otras.get(canal, PRINCIPIO)) for canal in {*unas, *otras}}


def _es_un_lugar(lugar: Lugar) -> bool:
    """Dice si puede haberlo dado un broker: con otros, el cliente falla y el embebido corta la conexión."""
    libro, entrada, indice = lugar
    return lugar == PRINCIPIO or (
        0 <= libro <= _ENTERO_MAXIMO and 0 <= entrada <= _ENTERO_MAXIMO and -1 <= indice <= _INDICE_MAXIMO
    )
