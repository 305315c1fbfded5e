"""El embudo de una campaña: de quienes la vieron, cuántos entraron, y de ellos, cuántos hicieron algo.

Qué es: tres cifras del informe y lo largo que se dibuja cada una.
Qué no es: las mismas personas siguiendo un camino. Son eventos, y puede haber más clics que impresiones si
alguien mide unos y no las otras: entonces lo más largo son los clics.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from alpespartners.modulos.informes.dominio.metricas import Metricas, redondeada


@dataclass(frozen=True, slots=True)
class Escalon:
    """Uno de los tres; `largo`, como parte del mayor."""

    cuantos: int
    largo: Decimal


def embudo(metricas: Metricas) -> Sequence[Escalon]:
    """El de las impresiones, el de los clics y el de las conversiones."""
    cuantos = [metricas.impresiones, metricas.clics, int(metricas.tasa_conversion.numerador)]
    mayor = max(*cuantos, 1)
    return [Escalon(cada, redondeada(cada, mayor)) for cada in cuantos]
