"""Una diferencia: una cuenta, o los usuarios de un día, que no dicen lo que dan las filas."""

from dataclasses import dataclass
from datetime import datetime

from alpespartners.modulos.informes.dominio.cuenta import Cuenta
from alpespartners.modulos.informes.dominio.usuarios import Usuarios


@dataclass(frozen=True, slots=True, kw_only=True)
class Diferencia:
    """Una clave de una de las tablas de cuentas, con lo que dice y lo que debería decir.

    Attributes:
        tabla: cuál de las cinco.
        desde: cuándo empieza su tramo, su día o su semana, en UTC.
        clase: la de su lectura; vacía si no la tienen.
        moneda: vacía si esos eventos no tienen valor; lo mismo el influencer y el cupón.
        influencer_id: `None` si la tabla no los distingue; lo mismo el cupón, la dimensión de una procedencia
            y su dato.
        contada: lo que dice, con todos sus fragmentos.
        hay: lo que dan las filas.
    """

    tabla: str
    campana_id: str
    desde: datetime
    tipo: str
    clase: str
    moneda: str
    influencer_id: str | None = None
    cupon: str | None = None
    dimension: str | None = None
    dato: str | None = None
    contada: Cuenta
    hay: Cuenta


@dataclass(frozen=True, slots=True, kw_only=True)
class DiferenciaDeUsuarios:
    """Un día de una campaña, con los usuarios que dice tener y los que debería decir.

    Attributes:
        tabla: la de los usuarios.
        desde: cuándo empieza el día, en UTC.
        contados: los que dice, con todos sus fragmentos; `None` si otra mano dejó lo que no se entiende.
        hay: los que dan las filas.
    """

    tabla: str
    campana_id: str
    desde: datetime
    contados: Usuarios | None
    hay: Usuarios
