"""El ritmo de una campaña: cuántos eventos tuvo cada uno de sus últimos días.

Qué es: recuentos de días de UTC seguidos, de todos los tipos juntos, para ver de un vistazo si sigue viva.
Qué no es: un informe; ni separa ni compara, y el día de hoy no ha acabado.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from alpespartners.modulos.informes.dominio.intervalos import UN_DIA, Intervalo, comienzo_en_utc

DIAS_DEL_RITMO: Final = 30


@dataclass(frozen=True, slots=True)
class Ritmo:
    """Cuántos eventos hubo cada día, del más antiguo al más nuevo; al menos uno."""

    cuantos: Sequence[int]

    @property
    def total(self) -> int:
        """Los de todos los días."""
        return sum(self.cuantos)

    @property
    def maximo(self) -> int:
        """Los del día que más tuvo."""
        return max(self.cuantos)


def ultimos_dias(ahora: datetime) -> Intervalo:
    """Los `DIAS_DEL_RITMO` días enteros de UTC que acaban con el de ese instante."""
    hasta = comienzo_en_utc(ahora, UN_DIA) + UN_DIA
    return Intervalo(hasta - DIAS_DEL_RITMO * UN_DIA, hasta)


def ritmo_de(por_dia: Mapping[datetime, int], periodo: Intervalo) -> Ritmo:
    """El de ese periodo, que son días enteros de UTC; los que no están no tuvieron nada.

    Args:
        por_dia: cuántos, por el comienzo de su día.
        periodo: de qué día a qué día.
    """
    dias = (periodo.hasta - periodo.desde) // UN_DIA
    return Ritmo([por_dia.get(periodo.desde + lugar * UN_DIA, 0) for lugar in range(dias)])
