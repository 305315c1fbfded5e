"""Abrir mensajes: de lo recibido de un tópico a un comando, o a un mensaje ilegible con su porqué.

Qué es: el único lugar del consumo donde un mensaje se abre, se da por ilegible o se deja en espera. Nunca
lanza.
Por qué existe: un mensaje que el programa no sabe abrir, o que ya lo hizo morir tres veces, no puede estorbar
a sus vecinos, y también acaba en un destino.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import structlog

from alpespartners.modulos.tracking.aplicacion.mensajes import (
    ComandoRecibido,
    MensajeDeOtraVersion,
    MensajeIlegible,
)
from alpespartners.modulos.tracking.infraestructura.consumo.en_espera import EnEspera
from alpespartners.modulos.tracking.infraestructura.consumo.en_mano import MUERTES_QUE_CONDENAN, EnMano
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import (
    abrir_comando,
    identificador_de_traza,
    sin_abrir,
)
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import MensajeRecibido

_registro: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)


class Entrada(NamedTuple):
    """Un mensaje, lo que resultó al abrirlo y si la base de datos ya dijo que no lo admite.

    `clave` lo distingue de cualquier otro mensaje, sea del tópico y de los datos del broker que sea.
    """

    clave: str
    mensaje: MensajeRecibido
    contenido: ComandoRecibido | MensajeIlegible
    rechazada: bool = False

    @property
    def traza(self) -> str | None:
        """La de la petición que lo causó."""
        return identificador_de_traza(self.mensaje.propiedades)


class Apertura:
    """Abre los mensajes de un tópico.

    Args:
        topico: de dónde vienen.
        epoca: la de los datos del broker.
        en_mano: donde queda escrito con cuáles se está trabajando.
        en_espera: donde quedan los de una versión posterior.
        abrir: cómo se abre uno.
    """

    def __init__(
        self,
        topico: str,
        epoca: UUID,
        en_mano: EnMano,
        en_espera: EnEspera,
        abrir: Callable[..., ComandoRecibido | MensajeIlegible | MensajeDeOtraVersion] = abrir_comando,
    ) -> None:
        self.topico = topico
        self._epoca = epoca
        self._prefijo = f"{topico} {epoca} "
        self._en_mano = en_mano
        self._en_espera = en_espera
        self._abrir = abrir

    def abrir(self, mensajes: Sequence[MensajeRecibido]) -> list[Entrada]:
        """Los abre, con todos en mano mientras tanto; los de una versión posterior quedan en espera."""
        claves = [self._prefijo + mensaje.posicion for mensaje in mensajes]
        entradas = []
        with self._en_mano.trabajando(claves):
            for clave, mensaje in zip(claves, mensajes, strict=True):
                contenido = self._contenido(clave, mensaje)
                if isinstance(contenido, MensajeDeOtraVersion):
                    self._en_espera.retener(mensaje, contenido.huella_esquema)
                else:
                    entradas.append(Entrada(clave, mensaje, contenido))
        return entradas

    def condenar(self, entrada: Entrada, detalle: str) -> Entrada:
        """La misma, dada por ilegible."""
        return Entrada(entrada.clave, entrada.mensaje, self._ilegible(entrada.mensaje, detalle))

    def _contenido(
        self, clave: str, mensaje: MensajeRecibido
    ) -> ComandoRecibido | MensajeIlegible | MensajeDeOtraVersion:
        if self._en_mano.mata(clave):
            return self._ilegible(mensaje, f"hizo morir {MUERTES_QUE_CONDENAN} veces al consumidor")
        try:
            return self._abrir(self.topico, **self._lo_recibido(mensaje))
        except Exception as error:  # noqa: BLE001 (un defecto nuestro: queda en su carta, y sus vecinos siguen)
            return self._ilegible(mensaje, f"el programa falló al abrirlo: {type(error).__name__}")

    def _ilegible(self, mensaje: MensajeRecibido, detalle: str) -> MensajeIlegible:
        traza = identificador_de_traza(mensaje.propiedades)
        _registro.error("un mensaje se da por ilegible", topico=self.topico, detalle=detalle, traza=traza)
        return sin_abrir(self.topico, **self._lo_recibido(mensaje), detalle=detalle)

    def _lo_recibido(self, mensaje: MensajeRecibido) -> dict[str, Any]:
        return {
            "carga": mensaje.carga,
            "propiedades": mensaje.propiedades,
            "clave": mensaje.clave,
            "publicado_en": mensaje.publicado_en,
            "posicion": mensaje.posicion,
            "epoca": self._epoca,
        }
