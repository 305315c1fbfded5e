"""Recepción de varios eventos a la vez: de sus cuerpos a la suerte de cada uno.

Qué es: los pasos 2 a 4 del flujo para muchos, que se juzgan uno a uno y se publican juntos.
Qué no es: la lectura de lo que llega por HTTP, que es de cada borde y de cada dialecto.
Por qué existe: mil eventos en una petición cuestan mucho menos que mil peticiones, y que uno no valga, o que
el broker no confirme otro, no dice nada de los demás.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final

from alpespartners.modulos.tracking.aplicacion.clases import Clase
from alpespartners.modulos.tracking.aplicacion.comandos import Comando
from alpespartners.modulos.tracking.aplicacion.mapeadores import comando_del_cuerpo
from alpespartners.modulos.tracking.aplicacion.negados import comando_negado
from alpespartners.modulos.tracking.aplicacion.permisos import SIN_LIMITES, Permiso
from alpespartners.modulos.tracking.aplicacion.puertos import BrokerNoDisponible, DespachadorComandos
from alpespartners.modulos.tracking.dominio.destinos import MotivoDeIgnorar
from alpespartners.modulos.tracking.dominio.excepciones import DatosInvalidos, Fallo
from alpespartners.seedwork.respiro import Respiro


@dataclass(frozen=True, slots=True)
class Entrada:
    """Un evento por recibir: de qué clase es y su cuerpo, como el que se envía solo.

    Attributes:
        id_derivado: el que vale si el cuerpo no trae `id`; en lo que se niega, también si por el que trae no
            se podría preguntar.
        negacion: por qué no se registra, si ya se sabe: se ignora por un motivo o se rechaza por faltas.
        consta: si, aunque no valga, se publica para que conste su destino: quien lo envió no leerá su suerte.
        traza: la suya, si no es la de la petición.
        avisos: lo que ya se sabe de él, y que irá entre sus advertencias.
        señales: lo que se sabe de quien lo causó.
    """

    clase: Clase
    cuerpo: Mapping[str, object]
    id_derivado: str | None = None
    negacion: MotivoDeIgnorar | Sequence[Fallo] | None = None
    consta: bool = False
    traza: str | None = None
    avisos: Sequence[str] = ()
    señales: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Aceptada:
    """Vale: este es su comando, que puede ser uno negado; en una suerte, ya confirmado por el broker."""

    clase: Clase
    comando: Comando
    comando_id: str


@dataclass(frozen=True, slots=True)
class NoValida:
    """No se publicó nada: estas son todas sus faltas."""

    fallos: Sequence[Fallo]


@dataclass(frozen=True, slots=True)
class SinConfirmar:
    """El broker no confirmó su comando: puede que lo guardara y puede que no.

    Repetirlo con el mismo `id` es seguro.
    """

    clase: Clase
    comando: Comando
    causa: BrokerNoDisponible


NINGUNA: Final[Mapping[Clase, BrokerNoDisponible]] = MappingProxyType({})
"""De ninguna clase se sabe que no se puede publicar."""

Suerte = Aceptada | NoValida | SinConfirmar


@dataclass(frozen=True, slots=True, kw_only=True)
class Recepcion:
    """Quien recibe varios: a quién se publican, y de dónde salen la hora y los ids."""

    despachador: DespachadorComandos
    reloj: Callable[[], datetime]
    nuevo_id: Callable[[], str]

    async def recibir(
        self,
        entradas: Iterable[Entrada | NoValida],
        *,
        traza: str | None,
        permiso: Permiso = SIN_LIMITES,
        estricto: bool = False,
        sin_publicar: Mapping[Clase, BrokerNoDisponible] = NINGUNA,
    ) -> list[Suerte]:
        """La suerte de cada una, en su orden; vuelve cuando se sabe la de todas.

        Se juzgan según se piden, y entre unas y otras deja paso a otras tareas; pedida la última, ya no.

        Lo que llega ya juzgado (una línea que no es JSON) pasa tal cual. Lo que vale de una clase
        de `sin_publicar` ni se intenta, y esa es la causa de que quede sin confirmar.
        """
        suertes: list[Suerte] = []
        publicables: list[tuple[int, Aceptada]] = []
        trazas: list[str | None] = []
        respiro = Respiro()
        for indice, entrada in enumerate(entradas):
            # Antes y no después: tras la última se publica sin dejar que otra tarea se adelante.
            await respiro.respirar()
            suerte: Suerte = self.juzgar(entrada, permiso, estricto=estricto)
            if isinstance(suerte, Aceptada):
                causa = sin_publicar.get(suerte.clase)
                if causa is None:
                    publicables.append((indice, suerte))
                    trazas.append(entrada.traza or traza if isinstance(entrada, Entrada) else traza)
                else:
                    suerte = SinConfirmar(suerte.clase, suerte.comando, causa)
            suertes.append(suerte)
        comandos = [(aceptada.comando, aceptada.comando_id) for _, aceptada in publicables]
        causas = await self._publicar(comandos, trazas)
        for (indice, aceptada), causa in zip(publicables, causas, strict=True):
            if causa is not None:
                suertes[indice] = SinConfirmar(aceptada.clase, aceptada.comando, causa)
        return suertes

    def juzgar(
        self, entrada: Entrada | NoValida, permiso: Permiso, *, estricto: bool = False
    ) -> Aceptada | NoValida:
        """El comando de esa entrada, que todavía no se ha publicado, o todas sus faltas."""
        if isinstance(entrada, NoValida):
            return entrada
        if entrada.negacion is not None:
            return self._negada(entrada, entrada.negacion, permiso)
        try:
            comando = comando_del_cuerpo(
                entrada.clase,
                entrada.cuerpo,
                id_asignado=self.nuevo_id,
                recibido_en=self.reloj(),
                id_derivado=entrada.id_derivado,
                estricto=estricto,
                permiso=permiso,
            )
        except DatosInvalidos as invalidos:
            if entrada.consta:
                return self._negada(entrada, invalidos.fallos, permiso)
            return NoValida(invalidos.fallos)
        if entrada.avisos or entrada.señales:
            avisos = (*entrada.avisos, *comando.advertencias)
            comando = replace(comando, advertencias=avisos, señales=entrada.señales)
        return Aceptada(entrada.clase, comando, self.nuevo_id())

    async def _publicar(
        self, comandos: Sequence[tuple[Comando, str]], trazas: Sequence[str | None]
    ) -> list[BrokerNoDisponible | None]:
        """Los de una misma traza se publican juntos, y los de las demás, a la vez."""
        por_traza: dict[str | None, list[int]] = {}
        for lugar, traza in enumerate(trazas):
            por_traza.setdefault(traza, []).append(lugar)
        publicadas = await asyncio.gather(
            *(
                self.despachador.publicar_varios([comandos[lugar] for lugar in lugares], traza=traza)
                for traza, lugares in por_traza.items()
            )
        )
        causas = {
            lugar: causa
            for lugares, suyas in zip(por_traza.values(), publicadas, strict=True)
            for lugar, causa in zip(lugares, suyas, strict=True)
        }
        return [causas[lugar] for lugar in range(len(comandos))]

    def _negada(
        self, entrada: Entrada, negacion: MotivoDeIgnorar | Sequence[Fallo], permiso: Permiso
    ) -> Aceptada:
        comando = comando_negado(
            entrada.clase,
            entrada.cuerpo,
            negacion,
            id_asignado=self.nuevo_id,
            recibido_en=self.reloj(),
            id_derivado=entrada.id_derivado,
            permiso=permiso,
        )
        return Aceptada(entrada.clase, comando, self.nuevo_id())
