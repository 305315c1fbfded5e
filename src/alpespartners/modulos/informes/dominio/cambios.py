"""Cuánto cambió un recuento: la diferencia con otro, y qué parte es de lo que hubo.

Qué no es: el cambio de una razón, que se lee mejor en las dos.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeVar

from alpespartners.modulos.informes.dominio.metricas import Recuento, redondeada

N = TypeVar("N", int, Decimal)

_NADA: Final = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variacion:
    """Qué parte de lo que hubo es cada diferencia, con seis decimales; de lo que no hubo nada, `None`."""

    impresiones: Decimal | None
    clics: Decimal | None
    visualizaciones: Decimal | None
    conversiones: Mapping[str, Decimal | None]
    valor: Mapping[str, Decimal | None]


@dataclass(frozen=True, slots=True)
class Cambio:
    """Lo de ahora frente a lo de antes."""

    ahora: Recuento
    antes: Recuento

    @property
    def diferencia(self) -> Recuento:
        """Cuánto más hay; negativa, si hay menos."""
        ahora, antes = self.ahora, self.antes
        return Recuento(
            impresiones=ahora.impresiones - antes.impresiones,
            clics=ahora.clics - antes.clics,
            visualizaciones=ahora.visualizaciones - antes.visualizaciones,
            conversiones=_resta(ahora.conversiones, antes.conversiones, 0),
            valor=_resta(ahora.valor, antes.valor, _NADA),
        )

    @property
    def variacion(self) -> Variacion:
        """La diferencia, como parte de lo que hubo."""
        de_mas, antes = self.diferencia, self.antes
        return Variacion(
            impresiones=_parte(de_mas.impresiones, antes.impresiones),
            clics=_parte(de_mas.clics, antes.clics),
            visualizaciones=_parte(de_mas.visualizaciones, antes.visualizaciones),
            conversiones={
                tipo: _parte(cuantas, antes.conversiones.get(tipo, 0))
                for tipo, cuantas in de_mas.conversiones.items()
            },
            valor={
                moneda: _parte(cuanto, antes.valor.get(moneda, _NADA))
                for moneda, cuanto in de_mas.valor.items()
            },
        )


def _resta(ahora: Mapping[str, N], antes: Mapping[str, N], nada: N) -> dict[str, N]:
    return {clave: ahora.get(clave, nada) - antes.get(clave, nada) for clave in sorted({*ahora, *antes})}


def _parte(cuanto: int | Decimal, de_cuanto: int | Decimal) -> Decimal | None:
    return None if de_cuanto == 0 else redondeada(cuanto, de_cuanto)
