"""Por qué un informe no dice sus usuarios únicos, y qué periodo sí los dice.

Qué es: la causa, para que la plantilla la cuente en el idioma de quien mira.
Qué no es: la regla; la pone el informe, y aquí solo se sabe que se negó.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from alpespartners.modulos.informes.aplicacion.pedido import ZONA_POR_OMISION, PedidoDeInforme
from alpespartners.modulos.informes.dominio.intervalos import Granularidad
from alpespartners.panel import periodos


@dataclass(frozen=True, slots=True)
class SinUsuarios:
    """No se dicen.

    Attributes:
        dia_ilegible: el de UTC cuyos usuarios no se entienden; `None` si es que el periodo parte días de UTC.
    """

    dia_ilegible: datetime | None = None


def mismos_dias_en_utc(pedido: PedidoDeInforme, parametros: Mapping[str, str]) -> dict[str, str]:
    """Los parámetros que piden esos días en UTC, enteros y sin partirlos por horas."""
    en_utc = {
        **parametros,
        **periodos.periodo_de(pedido.periodo, pedido.zona).parametros,
        "zona": ZONA_POR_OMISION,
    }
    if pedido.granularidad is Granularidad.HORA:
        en_utc["granularidad"] = Granularidad.DIA
    return en_utc
