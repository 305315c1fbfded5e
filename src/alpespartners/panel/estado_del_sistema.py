"""Cómo está el servicio y si se pierde algo: lo que enseña la vista del sistema.

Qué es: la salud, el balance y el disco leídos a la vez, y lo que juntos quieren decir.
Qué no es: una comprobación. Lo que no se sabe se dice, y la comprobación entera es `alpespartners conciliar`.
Por qué existe: de noche se pregunta una cosa, «¿se está perdiendo algo?», y la responde una frase y no veinte
números. La frase tranquilizadora solo se dice cuando todo lo que la sostiene se ha podido mirar.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from alpespartners.api.operacion.salud import LIMITE_DE_UNA_SONDA, Salud
from alpespartners.modulos.tracking.aplicacion.consultas.consultar_balance import (
    BalanceDelModulo,
    consultar_balance,
)
from alpespartners.modulos.tracking.aplicacion.puertos import Administracion, BaseDatosNoDisponible, Lecturas
from alpespartners.panel.instalacion import Disco, Instalacion

ESPERA_TOLERADA: Final = timedelta(minutes=2)
"""Lo que un evento registrado puede esperar a publicarse sin que sea una avería: la misma que la alarma."""


class Juicio(StrEnum):
    """Cómo está el servicio."""

    FUNCIONA = "funciona"
    NO_PUBLICA = "no_publica"
    NO_REGISTRA = "no_registra"
    A_MEDIAS = "a_medias"
    NO_FUNCIONA = "no_funciona"


class Perdida(StrEnum):
    """Si se pierde algo de lo aceptado."""

    NADA = "nada"
    SIN_COMPROBAR = "sin_comprobar"
    PUEDE = "puede"


@dataclass(frozen=True, slots=True, kw_only=True)
class EstadoDelSistema:
    """El de un instante.

    Attributes:
        balance: `None` si la base de datos no respondió.
        en_espera: de cada tópico de comandos, lo que el broker dice que espera; `None` si no se sabe.
        disco: `None` si los datos están en otra parte, o si no se pudo mirar.
    """

    salud: Salud
    balance: BalanceDelModulo | None
    en_espera: Mapping[str, int] | None
    disco: Disco | None
    instalacion: Instalacion
    leido_en: datetime

    @property
    def juicio(self) -> Juicio:
        """El peor de los que se pueden decir."""
        match self.salud:
            case Salud(estado="no_lista"):
                return Juicio.NO_FUNCIONA
            case Salud(estado="degradada"):
                return Juicio.A_MEDIAS
            case Salud(consumidores=0):
                return Juicio.NO_REGISTRA
        espera = self.espera_por_publicar
        return Juicio.NO_PUBLICA if espera is not None and espera > ESPERA_TOLERADA else Juicio.FUNCIONA

    @property
    def perdida(self) -> Perdida:
        """`NADA` solo si se han mirado el broker, lo que guarda y el libro."""
        if self.salud.retencion == "insuficiente" or self.salud.suscripciones == "faltan":
            return Perdida.PUEDE
        guarda_lo_publicado = self.instalacion.broker_embebido or (
            self.salud.retencion == "suficiente" and self.salud.suscripciones == "presentes"
        )
        se_ha_mirado = self.salud.broker == "disponible" and self.balance is not None
        return Perdida.NADA if guarda_lo_publicado and se_ha_mirado else Perdida.SIN_COMPROBAR

    @property
    def espera_por_publicar(self) -> timedelta | None:
        """Lo que lleva en la bandeja de salida el más antiguo; `None` si no hay ninguno, o no se sabe."""
        if self.balance is None or self.balance.bandeja_salida.desde is None:
            return None
        return self.leido_en - self.balance.bandeja_salida.desde


async def leer_estado(
    averiguar: Callable[[], Awaitable[Salud]],
    lecturas: Lecturas,
    administracion: Administracion | None,
    instalacion: Instalacion,
    reloj: Callable[[], datetime],
) -> EstadoDelSistema:
    """Lo lee todo a la vez, y a nadie espera más que una sonda; no lanza."""
    salud, balance = await asyncio.gather(averiguar(), _balance(lecturas))
    # La salud ya lo preguntó, y la respuesta se recuerda.
    puesto = None if administracion is None else await administracion.estado()
    return EstadoDelSistema(
        salud=salud,
        balance=balance,
        en_espera=None if puesto is None else puesto.en_espera,
        disco=instalacion.disco() if instalacion.datos_aqui else None,
        instalacion=instalacion,
        leido_en=reloj(),
    )


async def _balance(lecturas: Lecturas) -> BalanceDelModulo | None:
    try:
        async with asyncio.timeout(LIMITE_DE_UNA_SONDA):
            return await lecturas.leer(lambda consulta: consultar_balance(consulta.balance))
    except (BaseDatosNoDisponible, TimeoutError):
        return None
