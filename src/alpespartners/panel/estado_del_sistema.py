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
from alpespartners.modulos.tracking.aplicacion.mensajes import CuentaDeClics
from alpespartners.modulos.tracking.aplicacion.puertos import (
    Administracion,
    BaseDatosNoDisponible,
    ColaDeClics,
    Lecturas,
)
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

    SIN_SEÑAL = "sin_señal"
    SIN_COMPROBAR = "sin_comprobar"
    PUEDE = "puede"
    CLICS = "clics"


@dataclass(frozen=True, slots=True)
class SinRegistrar:
    """Lo aceptado de un tópico que sigue sin destino.

    Attributes:
        espera: lo que llevan esperando, al menos, algunos.
        ultimo: hace cuánto se recibió lo más nuevo que lo tiene; `None` si nada lo tiene.
    """

    espera: timedelta
    ultimo: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EstadoDelSistema:
    """El de un instante.

    Attributes:
        balance: `None` si la base de datos no respondió.
        en_espera: de cada tópico de comandos, lo que el broker dice que espera; `None` si no se sabe.
        aceptado_hasta: por tópico, cuándo se recibió lo más nuevo que ya debería tener destino.
        clics: los que el broker no confirmó a tiempo.
        disco: `None` si los datos están en otra parte, o si no se pudo mirar.
    """

    salud: Salud
    balance: BalanceDelModulo | None
    en_espera: Mapping[str, int] | None
    aceptado_hasta: Mapping[str, datetime]
    clics: CuentaDeClics
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
        if self.sin_registrar is not None:
            return Juicio.NO_REGISTRA
        espera = self.espera_por_publicar
        return Juicio.NO_PUBLICA if espera is not None and espera > ESPERA_TOLERADA else Juicio.FUNCIONA

    @property
    def perdida(self) -> Perdida:
        """`SIN_SEÑAL` solo si se han mirado el broker, cómo guarda y el libro; `CLICS`, si se perdió alguno.

        No es que nada falte: de lo que otra mano borre del broker antes de que se procese no queda rastro.
        """
        if self.salud.retencion == "insuficiente" or self.salud.suscripciones == "faltan":
            return Perdida.PUEDE
        if self.clics.perdidos:
            return Perdida.CLICS
        guarda_lo_publicado = self.instalacion.broker_embebido or (
            self.salud.retencion == "suficiente" and self.salud.suscripciones == "presentes"
        )
        se_ha_mirado = self.salud.broker == "disponible" and self.balance is not None
        return Perdida.SIN_SEÑAL if guarda_lo_publicado and se_ha_mirado else Perdida.SIN_COMPROBAR

    @property
    def sin_registrar(self) -> SinRegistrar | None:
        """El tópico en que más espera lo aceptado, si en alguno espera de más; `None` si no, o no se sabe."""
        atrasados = [
            SinRegistrar(self.leido_en - aceptado, self._hace(cuenta.procesado_hasta))
            for cuenta in (() if self.balance is None else self.balance.comandos)
            if (aceptado := self.aceptado_hasta.get(cuenta.topico)) is not None
            and (cuenta.procesado_hasta is None or aceptado > cuenta.procesado_hasta)
        ]
        return max(atrasados, key=lambda atrasado: atrasado.espera, default=None)

    @property
    def espera_por_publicar(self) -> timedelta | None:
        """Lo que lleva en la bandeja de salida el más antiguo; `None` si no hay ninguno, o no se sabe."""
        return None if self.balance is None else self._hace(self.balance.bandeja_salida.desde)

    def _hace(self, instante: datetime | None) -> timedelta | None:
        return None if instante is None else self.leido_en - instante


async def leer_estado(
    averiguar: Callable[[], Awaitable[Salud]],
    aceptado_hasta: Callable[[], Mapping[str, datetime]],
    lecturas: Lecturas,
    administracion: Administracion | None,
    clics: ColaDeClics,
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
        aceptado_hasta=aceptado_hasta(),
        clics=await clics.cuenta(),
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
