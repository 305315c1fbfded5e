"""Por qué cifra se ordenan los grupos de un desglose.

Qué es: las cifras por las que se puede, que son las de sus filas.
Qué no es: cómo se escribe en una dirección (`panel/desglose.py`), ni cómo se ordena.
Por qué existe: los valores de dos monedas no se suman: por valor se ordena en una.
"""

from enum import StrEnum
from typing import Final, NamedTuple

CLICS_SUFICIENTES: Final = 100
"""Con menos, una venta cambia en más de un punto las ventas por clic: no se comparan con las de otros."""


class Criterio(StrEnum):
    """Por qué cifra se ordenan los grupos de un desglose."""

    CONVERSIONES = "conversiones"
    CLICS = "clics"
    VENTAS_POR_CLIC = "ventas_por_clic"
    VALOR = "valor"


class Orden(NamedTuple):
    """De más a menos por esa cifra; los que empatan, por sus clics, y después por puntos de código.

    La moneda es la del valor.

    Por ventas por clic, los de menos de `CLICS_SUFICIENTES` clics van detrás de los demás, y los de ninguno,
    los últimos.
    """

    criterio: Criterio
    moneda: str = ""
