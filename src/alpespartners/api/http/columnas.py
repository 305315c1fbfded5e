"""Un cuerpo de respuesta en una fila de una tabla: sus columnas, y lo que va en cada celda.

Qué es: los nombres del contrato y sus valores, en el orden del JSON, sacados de la misma clase.
Qué no es: cómo se escribe una celda (`seedwork/csv_protegido.py`).
Por qué existe: una segunda lista de nombres acabaría siendo otra. De aquí salen el CSV de la API y el de la
terminal.
"""

from collections.abc import Sequence

import msgspec
from msgspec import UNSET

from alpespartners.seedwork.csv_protegido import Celda


def columnas(forma: type[msgspec.Struct]) -> Sequence[str]:
    """Los nombres de sus campos en el JSON, en su orden."""
    return forma.__struct_encode_fields__


def celdas(cuerpo: msgspec.Struct) -> list[Celda]:
    """Lo que va en cada columna; lo que el JSON omite o dice `null`, `None`."""
    valores = [getattr(cuerpo, campo) for campo in cuerpo.__struct_fields__]
    return [None if valor is UNSET else valor for valor in valores]
