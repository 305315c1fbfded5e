"""Qué fue del clic del que una conversión dice venir.

Qué es: un juicio que se hace al leer, con lo que el libro tiene en ese instante: un clic que llega tarde lo
cambia.
Qué no es: a quién se le paga, ni un motivo para rechazar la conversión: se registra venga de donde venga.
Por qué existe: quien pregunta por qué una venta no cuenta para nadie ha de leer la causa, y no un silencio.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from alpespartners.modulos.enlaces.dominio.clic import Ajeno, Falsificado, Legitimo, comprobar
from alpespartners.modulos.enlaces.dominio.secreto import Secreto

DESAJUSTE: Final = timedelta(days=1)
"""Lo que un clic puede parecer posterior sin serlo: hay tiendas que de una venta solo dicen el día."""


class MotivoDelClic(StrEnum):
    """Por qué el clic no se puede dar por bueno."""

    AUSENTE = "clic_ausente"
    DESCONOCIDO = "clic_desconocido"
    """Lo acuñó este servicio, y su registro no ha llegado."""
    FALSIFICADO = "clic_falsificado"
    AJENO = "clic_ajeno"
    """No lo acuñó este servicio, y nadie ha registrado un clic que se llame así."""
    VENCIDO = "clic_vencido"
    POSTERIOR = "clic_posterior"
    """Lo que ya había ocurrido no viene de él."""
    DE_OTRA_CAMPAÑA = "clic_de_otra_campaña"
    DE_ROBOT = "clic_bot"
    """Su lectura dice que lo causó un robot."""
    INVALIDO = "clic_invalido"
    """Su lectura dice que no vale: el enlace había vencido, o nadie lo llegó a ver."""


class EstadoDelClic(StrEnum):
    """En qué queda."""

    VALIDO = "VALIDO"
    EN_ESPERA = "EN_ESPERA"
    """Puede llegar todavía."""
    NO_VALIDO = "NO_VALIDO"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ocurrencia:
    """De una conversión o de un clic registrados: de qué campaña es y cuándo ocurrió, en UTC.

    `no_vale`, de un clic, es por qué su lectura no lo da por bueno; `None`, si lo da o no la tiene.
    """

    campaña_id: str
    ocurrido_en: datetime
    no_vale: MotivoDelClic | None = None


def motivo_del_clic(
    clic_id: str | None,
    conversion: Ocurrencia,
    clic: Ocurrencia | None,
    secretos: Sequence[Secreto],
    ventana: timedelta,
) -> MotivoDelClic | None:
    """Por qué el clic no se puede dar por bueno; `None`, si se puede.

    Args:
        clic_id: el que dice la conversión; `None`, si no dice ninguno.
        conversion: la que lo dice.
        clic: el registrado con ese identificador; `None`, si no lo hay. El que registró quien lleva sus
            propios clics vale, aunque su identificador no lo acuñara este servicio.
        secretos: los que pueden haberlo firmado.
        ventana: cuánto puede haber entre el clic y la conversión.
    """
    if clic_id is None:
        return MotivoDelClic.AUSENTE
    comprobado = comprobar(clic_id, secretos)
    if comprobado == Falsificado():
        return MotivoDelClic.FALSIFICADO
    if comprobado == Ajeno() and clic is None:
        return MotivoDelClic.AJENO
    de_su_registro = None if clic is None else _de_su_registro(clic, conversion)
    if de_su_registro is not None:
        return de_su_registro
    # Sin su registro, el propio clic dice cuándo fue: el que no es de su tiempo no vale aunque llegue.
    cuando = comprobado.acuñado_en if isinstance(comprobado, Legitimo) else conversion.ocurrido_en
    pasado = conversion.ocurrido_en - (cuando if clic is None else clic.ocurrido_en)
    if not -DESAJUSTE <= pasado <= ventana:
        return MotivoDelClic.VENCIDO if pasado > ventana else MotivoDelClic.POSTERIOR
    return MotivoDelClic.DESCONOCIDO if clic is None else None


def _de_su_registro(clic: Ocurrencia, conversion: Ocurrencia) -> MotivoDelClic | None:
    return MotivoDelClic.DE_OTRA_CAMPAÑA if clic.campaña_id != conversion.campaña_id else clic.no_vale


def estado_del_clic(motivo: MotivoDelClic | None) -> EstadoDelClic:
    """En qué queda el clic por ese motivo."""
    if motivo is None:
        return EstadoDelClic.VALIDO
    return EstadoDelClic.EN_ESPERA if motivo is MotivoDelClic.DESCONOCIDO else EstadoDelClic.NO_VALIDO
