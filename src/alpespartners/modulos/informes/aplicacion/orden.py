"""Por qué cifra se ordenan los grupos de un desglose.

Qué es: las cifras por las que se puede, que son las de sus filas.
Qué no es: cómo se escribe en una dirección (`panel/desglose.py`), ni cómo se ordena.
Por qué existe: los valores de dos monedas no se suman: por valor se ordena en una.
"""

from enum import StrEnum
from typing import NamedTuple


class Criterio(StrEnum):
    """Por qué cifra se ordenan los grupos de un desglose."""

    CONVERSIONES = "conversiones"
    CLICS = "clics"
    VENTAS_POR_CLIC = "ventas_por_clic"
    VALOR = "valor"


class Orden(NamedTuple):
    """De más a menos por esa cifra; los que empatan, por puntos de código. La moneda es la del valor.

    Por una razón, el que no tiene denominador va el último.
    """

    criterio: Criterio
    moneda: str = ""
