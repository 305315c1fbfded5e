"""Los puertos de los informes: lo que piden a quien guarda las cuentas."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from alpespartners.modulos.informes.aplicacion.orden import Orden
from alpespartners.modulos.informes.aplicacion.ritmo import Ritmo
from alpespartners.modulos.informes.dominio.bots import Bots
from alpespartners.modulos.informes.dominio.cuenta import Cuenta
from alpespartners.modulos.informes.dominio.intervalos import Intervalo
from alpespartners.modulos.informes.dominio.metricas import Metricas
from alpespartners.modulos.informes.dominio.usuarios import Usuarios


class Dimension(StrEnum):
    """Por qué se separan las filas de un mismo intervalo."""

    CAMPAÑA = "campaña_id"
    INFLUENCER = "influencer_id"
    TIPO = "tipo"
    CLASE = "clase"
    MONEDA = "moneda"
    CUPON = "cupon"
    RED = "red"
    DISPOSITIVO = "dispositivo"
    PAIS = "pais"
    ROBOT = "robot"


DE_LOS_DIAS: frozenset[Dimension] = frozenset({Dimension.INFLUENCER, Dimension.CUPON})
"""Las que se cuentan por días enteros de UTC; de lo que sobra o falta de un día se miran los eventos."""
DE_PROCEDENCIA: tuple[Dimension, ...] = (
    Dimension.RED,
    Dimension.DISPOSITIVO,
    Dimension.PAIS,
    Dimension.ROBOT,
)
"""De dónde y con qué vino quien causó el evento: también por días enteros de UTC, y cada una por su lado."""


class Contada(NamedTuple):
    """Lo contado en un intervalo con un mismo detalle; el que no se pide o el evento no tiene está vacío.

    `intervalo` es su lugar entre los que se pidieron.
    """

    intervalo: int
    influencer_id: str
    cupon: str
    tipo: str
    clase: str
    moneda: str
    cuenta: Cuenta
    campaña_id: str = ""
    red: str = ""
    dispositivo: str = ""
    pais: str = ""
    robot: str = ""


class Mayores(NamedTuple):
    """Los primeros grupos de un periodo.

    Attributes:
        contadas: lo de cada uno, por su orden; su intervalo es el 0.
        cuantos: los grupos que hay, con los que no están aquí.
        de_todos: lo contado de todos juntos.
    """

    contadas: list[Contada]
    cuantos: int
    de_todos: list[Contada]


class DemasiadasCuentas(Exception):
    """Hay más de las que se pidió como mucho."""


class DemasiadosSueltos(Exception):
    """Para contar lo que no está contado habría que mirar demasiados eventos.

    Attributes:
        caben: los que se miran como mucho.
    """

    def __init__(self, caben: int) -> None:
        super().__init__(f"caben {caben} eventos")
        self.caben = caben


class UsuariosIlegibles(Exception):
    """Los usuarios de un día de una campaña no se entienden: los cambió otra mano.

    Attributes:
        dia: cuál, en UTC.
    """

    def __init__(self, campaña_id: str, dia: datetime) -> None:
        super().__init__(f"los usuarios del {dia:%Y-%m-%d} de la campaña {campaña_id} no se entienden")
        self.campaña_id = campaña_id
        self.dia = dia


class LecturaDeCuentas(Protocol):
    """Lo contado de una campaña o, si es la de influencers, de un influencer en todas las suyas."""

    async def contar(
        self, sujeto_id: str, intervalos: Sequence[Intervalo], por: Collection[Dimension], maximo: int
    ) -> list[Contada]:
        """Devuelve lo que no es cero, por tipo, clase y moneda siempre; todo, del mismo instante.

        Raises:
            DemasiadasCuentas: son más de `maximo`.
            DemasiadosSueltos: es la de influencers o `por` tiene alguna de `DE_LOS_DIAS` o de
                `DE_PROCEDENCIA`, y los intervalos parten días con demasiados eventos.
        """


class LecturaDeCampañas(LecturaDeCuentas, Protocol):
    """Lo contado de las campañas, que son lo único de lo que se sabe qué usuarios tuvo."""

    async def contar_con_usuarios(
        self, campaña_id: str, intervalos: Sequence[Intervalo], maximo: int
    ) -> tuple[list[Contada], list[Usuarios]]:
        """Devuelve lo contado, sin separar por nada, y los usuarios de cada intervalo; del mismo instante.

        Los intervalos empiezan y acaban con un día de UTC.

        Raises:
            DemasiadasCuentas: son más de `maximo`.
            UsuariosIlegibles: los de un día.
        """

    async def mayores(
        self, campaña_id: str, periodo: Intervalo, por: Dimension, orden: Orden, bots: Bots, maximo: int
    ) -> Mayores:
        """Devuelve los primeros por ese orden, `maximo` como mucho, y lo de todos; del mismo instante.

        Args:
            campaña_id: de cuál.
            periodo: en qué tiempo.
            por: una de `DE_LOS_DIAS` o de `DE_PROCEDENCIA`.
            orden: cuál.
            bots: si lo suyo cuenta para el orden; lo contado los lleva siempre.
            maximo: cuántos.

        Raises:
            DemasiadosSueltos: el periodo parte días con demasiados eventos.
        """


@dataclass(frozen=True, slots=True)
class Resumen:
    """Todo lo que hubo de una campaña, o de un influencer en todas las suyas.

    Attributes:
        identidad: cuál.
        campañas: en cuántas hubo algo; de una campaña, 1.
        recuento: cuánto, con sus razones.
        ultimo_evento: el último `ocurrido_en`; `None` si otra mano borró las filas y no lo contado.
    """

    identidad: str
    campañas: int
    recuento: Metricas
    ultimo_evento: datetime | None


@dataclass(frozen=True, slots=True)
class Pagina:
    """Resúmenes por orden de identidad, y la última que se miró si detrás hay más.

    Pueden ser menos de los pedidos aunque haya más: lo que `recontar` dejó en cero se mira y no se da.
    """

    elementos: Sequence[Resumen]
    siguiente: str | None


class LecturaDeResumenes(Protocol):
    """Las campañas y los influencers de los que hay algo contado."""

    async def campañas(self, prefijo: str, despues_de: str | None, limite: int) -> Pagina:
        """Devuelve hasta `limite` campañas que empiezan así, por puntos de código; todo, del mismo instante.

        Empieza justo después de `despues_de`, sin incluirla; si no es `None`, también empieza así.
        """

    async def influencers(self, prefijo: str, despues_de: str | None, limite: int) -> Pagina:
        """Lo mismo, de los influencers; lo que no es de ninguno no está."""

    async def ritmos(self, campañas: Collection[str], periodo: Intervalo) -> Mapping[str, Ritmo]:
        """Devuelve el de cada una de esas campañas en ese periodo, que son días enteros de UTC.

        Todos, del mismo instante; de la que no tuvo nada, ceros.
        """
