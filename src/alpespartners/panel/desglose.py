"""Las filas de un informe de la mejor a la peor, y qué parte de todo es cada una.

Qué es: el orden en que se leen los influencers y los cupones de una campaña, que está en la dirección.
Qué no es: una cuenta; las filas son las del informe, y cada orden, una de sus cifras.
Por qué existe: la pregunta es quién trae más, y los valores de dos monedas no se pueden sumar: por valor se
ordena en una.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from alpespartners.modulos.informes.aplicacion.informe import Fila, Informe
from alpespartners.modulos.informes.dominio.metricas import Metricas
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.dominio.excepciones import CampoInvalido
from alpespartners.modulos.tracking.dominio.monedas import DECIMALES

CONVERSIONES: Final = "conversiones"
CLICS: Final = "clics"
VENTAS_POR_CLIC: Final = "ventas_por_clic"
VALOR: Final = "valor:"
"""Delante de una moneda: por el valor en ella."""


@dataclass(frozen=True, slots=True)
class Puesto:
    """Una fila, y cuánto tiene de lo que se ordena y cuánto hay en total; sin total, si no se suma."""

    fila: Fila
    cuanto: int | Decimal
    total: int | Decimal | None


def exigir_orden(texto: str) -> None:
    """Comprueba que es uno.

    Raises:
        CampoInvalido: no lo es.
    """
    por_valor = texto.startswith(VALOR) and texto.removeprefix(VALOR) in DECIMALES
    if not por_valor and texto not in {CONVERSIONES, CLICS, VENTAS_POR_CLIC}:
        raise CampoInvalido(
            "orden",
            CodigoDePeticion.PARAMETRO_INVALIDO,
            f"debe ser {CONVERSIONES}, {CLICS}, {VENTAS_POR_CLIC} o {VALOR} y una moneda, como {VALOR}COP",
        )


def puestos(informe: Informe, orden: str) -> Sequence[Puesto]:
    """Todas las filas, de más a menos; las que empatan, por su nombre."""
    total = None if orden == VENTAS_POR_CLIC else _medida(informe.total.metricas, orden)

    def lugar(fila: Fila) -> tuple[bool, int | Decimal, tuple[str, ...]]:
        medida = _medida(fila.metricas, orden)
        return medida is None, -(medida or 0), fila.grupo

    return [
        Puesto(fila, _medida(fila.metricas, orden) or 0, total) for fila in sorted(informe.filas, key=lugar)
    ]


def _medida(metricas: Metricas, orden: str) -> int | Decimal | None:
    """Lo que esas métricas tienen de eso; `None`, si es una razón sin denominador."""
    if orden.startswith(VALOR):
        return metricas.valor.get(orden.removeprefix(VALOR), Decimal(0))
    if orden == VENTAS_POR_CLIC:
        return metricas.ventas_por_clic.valor
    return metricas.clics if orden == CLICS else metricas.tasa_conversion.numerador
