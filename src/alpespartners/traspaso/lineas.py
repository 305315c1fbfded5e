"""Las líneas de un archivo, de una en una y sin que ninguna ocupe la memoria.

Qué es: cada línea con su número, como está; de la que no cabe, el principio.
Por qué existe: un archivo sin saltos de línea puede medir lo que el disco.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

LINEA_MAXIMA: Final = 256 * 1024
"""Octetos. En un envío caben 64 KiB; el mismo, en CSV y con lo que puso el servidor, ocupa más."""

_RECORTE: Final = 1024
_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Linea:
    """Una línea.

    Attributes:
        numero: el primero es 1.
        octetos: los suyos, con su salto; si no cabe, solo los primeros.
        cabe: si está entera.
    """

    numero: int
    octetos: bytes
    cabe: bool = True

    @property
    def texto(self) -> str:
        """Lo que dice, sin el salto; lo que no es UTF-8, como su escape."""
        return self.octetos.decode("utf-8", "backslashreplace").rstrip("\r\n")


def lineas_de(archivo: BinaryIO) -> Iterator[Linea]:
    """Recorre el archivo desde donde está, sin la marca BOM de su principio."""
    numero = 0
    while octetos := archivo.readline(LINEA_MAXIMA + 1):
        numero += 1
        if numero == 1:
            octetos = octetos.removeprefix(_BOM)
        cabe = len(octetos) <= LINEA_MAXIMA
        if not cabe:
            resto = octetos
            while resto and not resto.endswith(b"\n"):
                resto = archivo.readline(LINEA_MAXIMA)
        yield Linea(numero, octetos if cabe else octetos[:_RECORTE], cabe)
