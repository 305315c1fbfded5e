"""Los puertos de los informes: lo que piden a quien guarda las cuentas."""

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol

from alpespartners.modulos.informes.dominio.cuenta import Cuenta
from alpespartners.modulos.informes.dominio.intervalos import Intervalo
from alpespartners.modulos.informes.dominio.usuarios import Usuarios


class Dimension(StrEnum):
    """Por qué se separan las filas de un mismo intervalo."""

    INFLUENCER = "influencer_id"
    TIPO = "tipo"
    MONEDA = "moneda"
    CUPON = "cupon"


DE_LOS_DIAS: frozenset[Dimension] = frozenset({Dimension.INFLUENCER, Dimension.CUPON})
"""Las que se cuentan por días enteros de UTC; de lo que sobra o falta de un día se miran los eventos."""


class Contada(NamedTuple):
    """Lo contado en un intervalo con un mismo detalle; el que no se pide o el evento no tiene está vacío.

    `intervalo` es su lugar entre los que se pidieron.
    """

    intervalo: int
    influencer_id: str
    cupon: str
    tipo: str
    moneda: str
    cuenta: Cuenta


class DemasiadasCuentas(Exception):
    """Hay más de las que se pidió como mucho."""


class DemasiadosSueltos(Exception):
    """Para contar lo que no está contado habría que mirar demasiados eventos.

    Attributes:
        cuantos: los que habría que mirar.
        caben: los que se miran como mucho.
    """

    def __init__(self, cuantos: int, caben: int) -> None:
        super().__init__(f"son {cuantos} eventos y caben {caben}")
        self.cuantos = cuantos
        self.caben = caben


class LecturaDeCuentas(Protocol):
    """Lo contado de una campaña."""

    async def contar(
        self, campaña_id: str, intervalos: Sequence[Intervalo], por: Collection[Dimension], maximo: int
    ) -> list[Contada]:
        """Devuelve lo que no es cero, por tipo y moneda siempre; todo, del mismo instante.

        Raises:
            DemasiadasCuentas: son más de `maximo`.
            DemasiadosSueltos: `por` tiene alguna de `DE_LOS_DIAS`, y los intervalos parten días
                con demasiados eventos.
        """

    async def contar_con_usuarios(
        self, campaña_id: str, intervalos: Sequence[Intervalo], maximo: int
    ) -> tuple[list[Contada], list[Usuarios]]:
        """Lo mismo, sin separar por nada, y los usuarios de cada intervalo; todo, del mismo instante.

        Los intervalos empiezan y acaban con un día de UTC.

        Raises:
            DemasiadasCuentas: son más de `maximo`.
        """
