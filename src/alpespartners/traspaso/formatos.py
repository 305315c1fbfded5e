"""Los formatos en que se exporta: cómo empieza un archivo, cómo sigue y cuántas filas tiene.

Qué es: CSV y NDJSON, iguales a los que da la API.
Qué no es: Parquet, que no se puede seguir escribiendo tras una muerte (`parquet.py`).
"""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from alpespartners.api.http.columnas import celdas, columnas
from alpespartners.api.http.respuestas import en_json
from alpespartners.seedwork.csv_protegido import en_csv
from alpespartners.traspaso.lineas import LINEA_MAXIMA


class FaltaAlgoInstalado(Exception):
    """Ese formato necesita una biblioteca que no está. El mensaje es una frase que dice cómo instalarla."""


class Formato(Protocol):
    """Uno de los formatos, para los eventos de una clase."""

    def cabecera(self) -> bytes:
        """Con lo que empieza el archivo a medias."""

    def filas(self, cuerpos: Sequence[msgspec.Struct]) -> bytes:
        """Unas filas más, que van detrás de lo escrito."""

    def rematar(self, a_medias: Path) -> Path:
        """Con todo escrito, deja el archivo como ha de ser y dice cuál es: el mismo, u otro a su lado."""

    def contar(self, archivo: Path) -> int:
        """Las filas que hay en un archivo rematado, leídas de él."""


class EnCSV:
    """CSV (RFC 4180) en UTF-8, con las fórmulas neutralizadas."""

    def __init__(self, forma: type[msgspec.Struct]) -> None:
        self._forma = forma

    def cabecera(self) -> bytes:
        """Los nombres de las columnas."""
        return en_csv([columnas(self._forma)]).encode()

    def filas(self, cuerpos: Sequence[msgspec.Struct]) -> bytes:
        """Una fila por evento."""
        return en_csv(celdas(cuerpo) for cuerpo in cuerpos).encode()

    def rematar(self, a_medias: Path) -> Path:
        """Ya está como ha de ser."""
        return a_medias

    def contar(self, archivo: Path) -> int:
        """Las que no son la cabecera, que pueden ocupar varias líneas."""
        csv.field_size_limit(LINEA_MAXIMA)
        with archivo.open(encoding="utf-8", newline="") as abierto:
            return sum(1 for _ in csv.reader(abierto, strict=True)) - 1


class EnNDJSON:
    """NDJSON: en cada línea, el evento como lo da la API."""

    def __init__(self, _forma: type[msgspec.Struct]) -> None:
        pass

    def cabecera(self) -> bytes:
        """Nada."""
        return b""

    def filas(self, cuerpos: Sequence[msgspec.Struct]) -> bytes:
        """Una línea por evento."""
        return b"".join(map(en_json, cuerpos))

    def rematar(self, a_medias: Path) -> Path:
        """Ya está como ha de ser."""
        return a_medias

    def contar(self, archivo: Path) -> int:
        """Sus líneas."""
        with archivo.open("rb") as abierto:
            return sum(1 for _ in abierto)
