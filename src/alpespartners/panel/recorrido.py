"""Por dónde va un envío en los nueve pasos del flujo, según lo que de verdad se sabe de él.

Qué es: de lo que dicen el libro y la bandeja de salida, leídos a la vez, a cuántos pasos constan.
Qué no es: una traza; entre paso y paso no se mira nada, y lo que no consta se dice que se espera.
Por qué existe: quien envía su primer evento quiere ver que llega, y dónde se queda si no llega.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from alpespartners.modulos.tracking.aplicacion.clases import Clase
from alpespartners.modulos.tracking.aplicacion.consultas.consultar_destino import (
    Historia,
    Suceso,
    consultar_destino,
)
from alpespartners.modulos.tracking.aplicacion.mensajes import EnviosPendientes
from alpespartners.modulos.tracking.aplicacion.puertos import Consulta
from alpespartners.modulos.tracking.dominio.destinos import Registrada

PASOS: Final = 9
"""Los del flujo del módulo (docs/arquitectura.md, «El viaje de un evento»)."""
_CONFIRMADO: Final = 4
_DECIDIDO: Final = 5
_REGISTRADO: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorrido:
    """Lo que consta de un envío.

    Attributes:
        suceso: en qué acabó, si ya consta.
        confirmado: si se sabe que el broker lo guardó.
        publicado: si consta que el broker confirmó su evento de dominio.
    """

    suceso: Suceso | None
    confirmado: bool
    publicado: bool

    @property
    def registrado(self) -> bool:
        """Dice si es una fila del libro."""
        return self.suceso is not None and isinstance(self.suceso.destino, Registrada)

    @property
    def pasos(self) -> int:
        """Cuántos constan, de nueve."""
        if self.publicado:
            return PASOS
        if self.registrado:
            return _REGISTRADO
        if self.suceso is not None:
            return _DECIDIDO
        return _CONFIRMADO if self.confirmado else 0

    @property
    def acabado(self) -> bool:
        """Dice si ya no falta nada: está publicado, o acabó en algo que no se publica."""
        return self.publicado or (self.suceso is not None and not self.registrado)


def recorrido_de(consulta: Consulta, clase: Clase, evento_id: str, comando_id: str | None) -> Recorrido:
    """Lo que consta de ese envío.

    Args:
        consulta: lo leído a la vez.
        clase: la de su evento.
        evento_id: el suyo.
        comando_id: el del comando que confirmó el broker, si se sabe; sin él se sigue lo que se registró o,
            si no se registró, lo primero que pasó.
    """
    historia = consultar_destino(consulta, clase, evento_id)
    sucesos = historia.sucesos if isinstance(historia, Historia) else ()
    suyos = [suceso for suceso in sucesos if comando_id in {None, suceso.comando_id}]
    registros = [suceso for suceso in suyos if isinstance(suceso.destino, Registrada)]
    suceso = next(iter(registros or suyos), None)
    return Recorrido(
        suceso=suceso,
        confirmado=comando_id is not None or suceso is not None,
        publicado=bool(registros)
        and _ya_publicado(registros[0].decidido_en, consulta.balance.envios_pendientes()),
    )


def _ya_publicado(registrado_en: datetime, pendientes: EnviosPendientes) -> bool:
    """Dice si lo registrado entonces no está entre lo que espera: ante la duda, espera."""
    if not pendientes.cuantos:
        return True
    return pendientes.desde is not None and pendientes.desde > registrado_en
