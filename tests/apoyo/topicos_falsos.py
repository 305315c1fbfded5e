"""Unos tópicos sin broker: lo que guardan lo decide la prueba, y se puede leer cuantas veces se quiera."""

from collections import defaultdict
from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from alpespartners.modulos.tracking.aplicacion.mensajes import Sobre
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import (
    ClientePulsar,
    FalloDelBroker,
    MensajeRecibido,
)
from tests.apoyo.eventos import AHORA


@dataclass
class TopicosFalsos(ClientePulsar):
    """Un cliente que solo sabe leer.

    Attributes:
        guardados: los mensajes de cada tópico.
        se_cae_tras: cuántos mensajes entrega antes de dejar de responder; `None` es que no lo hace.
    """

    guardados: dict[str, list[MensajeRecibido]] = field(default_factory=lambda: defaultdict(list))
    se_cae_tras: int | None = None

    def guardar(self, sobre: Sobre, publicado_en: datetime = AHORA + timedelta(seconds=1)) -> MensajeRecibido:
        """Añade el mensaje de ese sobre al final de su tópico."""
        suyos = self.guardados[sobre.topico]
        mensaje = MensajeRecibido(
            numero=None,
            posicion=f"1:{len(suyos)}:-1:-1",
            carga=sobre.carga,
            propiedades=dict(sobre.propiedades),
            clave=sobre.clave,
            publicado_en=publicado_en,
        )
        suyos.append(mensaje)
        return mensaje

    def leer(self, topico: str) -> Generator[MensajeRecibido]:
        for mensaje in list(self.guardados[topico]):
            if self.se_cae_tras is not None:
                if self.se_cae_tras == 0:
                    raise FalloDelBroker
                self.se_cae_tras -= 1
            yield mensaje
