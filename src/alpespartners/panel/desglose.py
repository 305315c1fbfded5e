"""Las filas de un desglose de la mejor a la peor, y qué parte de todo es cada una.

Qué es: el orden en que se leen los influencers y los cupones de una campaña, que está en la dirección.
Qué no es: una cuenta; las filas son las del informe, y cada orden, una de sus cifras.
Por qué existe: la pregunta es quién trae más, y los valores de dos monedas no se pueden sumar: por valor se
ordena en una.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from alpespartners.modulos.informes.aplicacion.desglose import Desglose
from alpespartners.modulos.informes.aplicacion.informe import FILAS_MAXIMAS, Fila, Informe
from alpespartners.modulos.informes.aplicacion.orden import CLICS_SUFICIENTES, Criterio, Orden
from alpespartners.modulos.informes.dominio.metricas import Metricas
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.dominio.excepciones import CampoInvalido
from alpespartners.modulos.tracking.dominio.monedas import DECIMALES

CONVERSIONES: Final = Criterio.CONVERSIONES.value
CLICS: Final = Criterio.CLICS.value
_VALOR: Final = f"{Criterio.VALOR}:"
"""Delante de una moneda: por el valor en ella."""


@dataclass(frozen=True, slots=True)
class Puesto:
    """Una fila, y cuánto tiene de lo que se ordena y cuánto hay en total; sin total, si no se suma."""

    fila: Fila
    cuanto: int | Decimal
    total: int | Decimal | None

    @property
    def pocos_clics(self) -> bool:
        """Si de sus ventas por clic aún no se puede decir que sean muchas o pocas."""
        return 0 < self.fila.metricas.clics < CLICS_SUFICIENTES


@dataclass(frozen=True, slots=True)
class Puestos:
    """Los primeros, y cuántos hay con los demás."""

    primeros: Sequence[Puesto]
    cuantos: int

    @property
    def con_nombre(self) -> "Puestos":
        """Los mismos, sin el de los eventos que no lo tienen."""
        suyos = [puesto for puesto in self.primeros if puesto.fila.grupo[0]]
        return Puestos(suyos, self.cuantos - (len(self.primeros) - len(suyos)))

    @property
    def caben(self) -> int:
        """Los que se pueden ver de una vez, como mucho."""
        return min(self.cuantos, FILAS_MAXIMAS)


def orden_de(texto: str) -> Orden:
    """El que se escribe así.

    Raises:
        CampoInvalido: ninguno.
    """
    moneda = texto.removeprefix(_VALOR)
    if texto.startswith(_VALOR) and moneda in DECIMALES:
        return Orden(Criterio.VALOR, moneda)
    sin_moneda = [criterio for criterio in Criterio if criterio is not Criterio.VALOR]
    if texto not in sin_moneda:
        raise CampoInvalido(
            "orden",
            CodigoDePeticion.PARAMETRO_INVALIDO,
            f"debe ser {', '.join(sin_moneda)} o {_VALOR} y una moneda, como {_VALOR}COP",
        )
    return Orden(Criterio(texto))


def del_desglose(desglose: Desglose, orden: Orden) -> Puestos:
    """Los de ese desglose, que ya está por ese orden."""
    return Puestos(_puestos(desglose.filas, desglose.total, orden), desglose.cuantas)


def del_informe(informe: Informe, orden: Orden, maximo: int) -> Puestos:
    """Los primeros de un informe en total y por una dimensión; los que empatan, por sus clics."""
    por_clic = orden.criterio is Criterio.VENTAS_POR_CLIC

    def lugar(fila: Fila) -> tuple[bool, bool, int | Decimal, int, tuple[str, ...]]:
        medida = _medida(fila.metricas, orden)
        pocos = por_clic and fila.metricas.clics < CLICS_SUFICIENTES
        return pocos, medida is None, -(medida or 0), -fila.metricas.clics, fila.grupo

    primeras = sorted(informe.filas, key=lugar)[:maximo]
    return Puestos(_puestos(primeras, informe.total.metricas, orden), len(informe.filas))


def _puestos(filas: Sequence[Fila], de_todas: Metricas, orden: Orden) -> list[Puesto]:
    total = None if orden.criterio is Criterio.VENTAS_POR_CLIC else _medida(de_todas, orden)
    return [Puesto(fila, _medida(fila.metricas, orden) or 0, total) for fila in filas]


def _medida(metricas: Metricas, orden: Orden) -> int | Decimal | None:
    """Lo que esas métricas tienen de eso; `None`, si es una razón sin denominador."""
    match orden.criterio:
        case Criterio.VALOR:
            return metricas.valor.get(orden.moneda, Decimal(0))
        case Criterio.VENTAS_POR_CLIC:
            return metricas.ventas_por_clic.valor
        case Criterio.CLICS:
            return metricas.clics
        case Criterio.CONVERSIONES:
            return metricas.tasa_conversion.numerador
