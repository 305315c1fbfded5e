"""Lo que se cuenta a quien mira: eventos, huecos, si hay broker y hasta dónde está todo dicho."""

from dataclasses import dataclass
from datetime import datetime

from alpespartners.modulos.tracking.aplicacion.en_vivo.anillo import Guardado
from alpespartners.modulos.tracking.aplicacion.en_vivo.posiciones import Marca


@dataclass(frozen=True, slots=True)
class Novedad:
    """Un evento de su campaña; quien vuelva con la marca sigue por el siguiente."""

    guardado: Guardado
    marca: Marca


@dataclass(frozen=True, slots=True)
class Hueco:
    """Se publicaron eventos que no se le han contado ni se le van a contar: puede leerlos en las listas.

    Attributes:
        saltados: cuántos; `None` si no se sabe, y pueden no ser ninguno.
        desde: hasta cuándo estaba todo dicho; `None` si no se sabe.
        hasta: desde cuándo vuelve a estarlo.
    """

    saltados: int | None
    desde: datetime | None
    hasta: datetime
    marca: Marca


@dataclass(frozen=True, slots=True)
class Conexion:
    """Si ahora mismo se puede leer del broker; mientras no, lo que se publique llegará después."""

    con_broker: bool


@dataclass(frozen=True, slots=True)
class Latido:
    """Nada nuevo: está todo dicho hasta la marca, si ya se sabe por dónde se lee."""

    marca: Marca | None


Suceso = Novedad | Hueco | Conexion | Latido
