"""El formulario con que se elige un periodo, con lo que ya se eligió.

Qué es: de unos parámetros, lo que enseña cada campo, aunque lo que piden no se pueda contestar.
Qué no es: quien los lee; lo que se elige entra por la puerta de `pedidas.py`.
Por qué existe: quien escribe las fechas al revés las quiere enmendar donde se le dice, y no volver a empezar.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from alpespartners.modulos.informes.aplicacion.momentos import ULTIMO
from alpespartners.modulos.informes.aplicacion.pedido import GRANULARIDAD_POR_OMISION, ZONA_POR_OMISION
from alpespartners.modulos.informes.aplicacion.zonas import nombres_de_zonas, zonas_por_continente
from alpespartners.modulos.informes.dominio.comparaciones import Comparacion
from alpespartners.modulos.informes.dominio.intervalos import PRIMERO, UN_DIA, Granularidad

ULTIMO_DIA: Final = "ultimo_dia"
PRIMERO_POSIBLE: Final = PRIMERO.date()
ULTIMO_POSIBLE: Final = (ULTIMO - UN_DIA).date()
"""Los días que se pueden elegir, los dos incluidos."""


@dataclass(frozen=True, slots=True)
class Elegido:
    """Lo que enseña cada campo, como se escribe en él; una fecha que no se entiende, vacía."""

    primero: str
    ultimo: str
    zona: str
    granularidad: str
    comparar: str


def elegido_en(parametros: Mapping[str, str]) -> Elegido:
    """Lo que dicen esos parámetros, de la vista o de su puerta."""
    zona = parametros.get("zona", ZONA_POR_OMISION)
    ultimo = _dia(parametros.get(ULTIMO_DIA)) or _dia(parametros.get("hasta"), timedelta.resolution)
    return Elegido(
        primero=_dia(parametros.get("desde")),
        ultimo=ultimo,
        zona=zona if zona in nombres_de_zonas() else ZONA_POR_OMISION,
        granularidad=parametros.get("granularidad", GRANULARIDAD_POR_OMISION),
        comparar=parametros.get("comparar", ""),
    )


def contexto_del_formulario(parametros: Mapping[str, str], elegido: Elegido) -> dict[str, Any]:
    """Lo que `periodo.html` necesita para escribirlo."""
    zonas = zonas_por_continente()
    return {
        "parametros": parametros,
        "elegido": elegido,
        "primero_posible": PRIMERO_POSIBLE.isoformat(),
        "ultimo_posible": ULTIMO_POSIBLE.isoformat(),
        "zonas": zonas,
        "zona_con_otro_nombre": all(una.nombre != elegido.zona for suyas in zonas.values() for una in suyas),
        "granularidades": [*Granularidad],
        "comparaciones": [*Comparacion],
    }


def _dia(texto: str | None, antes: timedelta = timedelta()) -> str:
    """La fecha de lo que está eso antes de una fecha o un instante; vacía, si no es ninguna de las dos."""
    try:
        dia = (datetime.fromisoformat(texto or "") - antes).date()
    except (ValueError, OverflowError):
        return ""
    return _si_cabe(dia)


def _si_cabe(dia: date) -> str:
    return dia.isoformat() if PRIMERO_POSIBLE <= dia <= ULTIMO_POSIBLE else ""
