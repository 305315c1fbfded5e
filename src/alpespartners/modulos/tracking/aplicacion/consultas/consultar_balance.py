"""El balance de los comandos: en cuántos destinos acabaron y qué falta por publicar.

Qué es: lo sumado en el libro, ordenado para quien pregunta si cuadra.
Qué no es: un recuento de las tablas ni del broker; se lee en un tiempo que no depende de cuánto haya.
Por qué existe: todo comando procesado está en una y solo una de estas cuentas.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from alpespartners.modulos.tracking.aplicacion.clases import CLASES
from alpespartners.modulos.tracking.aplicacion.mensajes import EnviosPendientes, RenglonBalance
from alpespartners.modulos.tracking.aplicacion.puertos import LecturaBalance
from alpespartners.modulos.tracking.dominio.destinos import (
    Duplicada,
    Ignorada,
    Ilegible,
    Rechazada,
    Registrada,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceDeTopico:
    """Los comandos procesados de un tópico; `rechazadas` e `ignoradas` van por motivo.

    `procesado_hasta` es el `recibido_en` del más nuevo de ellos, o `None` si no hay ninguno.
    """

    topico: str
    registradas: int
    duplicadas: int
    rechazadas: Mapping[str, int]
    ignoradas: Mapping[str, int]
    ilegibles: int
    procesado_hasta: datetime | None

    @property
    def total(self) -> int:
        """Cuántos comandos distintos se han procesado."""
        por_motivo = sum(self.rechazadas.values()) + sum(self.ignoradas.values())
        return self.registradas + self.duplicadas + por_motivo + self.ilegibles


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceDelModulo:
    """El balance de cada tópico de comandos, y la bandeja de salida de todos ellos."""

    comandos: tuple[BalanceDeTopico, ...]
    bandeja_salida: EnviosPendientes


def consultar_balance(balance: LecturaBalance) -> BalanceDelModulo:
    """Devuelve el balance; un tópico del que no se procesó nada sale a cero."""
    renglones = balance.renglones()
    return BalanceDelModulo(
        comandos=tuple(_de_topico(renglones, clase.topico) for clase in CLASES),
        bandeja_salida=balance.envios_pendientes(),
    )


def procesado_hasta(renglones: Iterable[RenglonBalance], topico: str) -> datetime | None:
    """Devuelve el `recibido_en` del comando procesado más nuevo del tópico, o `None` si no hay ninguno."""
    return max((r.procesado_hasta for r in renglones if r.topico == topico), default=None)


def _de_topico(todos: Sequence[RenglonBalance], topico: str) -> BalanceDeTopico:
    renglones = [renglon for renglon in todos if renglon.topico == topico]
    cuantos = {(renglon.estado, renglon.motivo): renglon.cuantos for renglon in renglones}
    return BalanceDeTopico(
        topico=topico,
        registradas=cuantos.get((Registrada.estado, None), 0),
        duplicadas=cuantos.get((Duplicada.estado, None), 0),
        rechazadas=_por_motivo(renglones, Rechazada.estado),
        ignoradas=_por_motivo(renglones, Ignorada.estado),
        ilegibles=cuantos.get((Ilegible.estado, None), 0),
        procesado_hasta=procesado_hasta(renglones, topico),
    )


def _por_motivo(renglones: Iterable[RenglonBalance], estado: str) -> dict[str, int]:
    return {r.motivo: r.cuantos for r in renglones if r.estado == estado and r.motivo is not None}
