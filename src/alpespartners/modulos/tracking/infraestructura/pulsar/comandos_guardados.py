"""Lo que guardan los tópicos, ya abierto, para quien lo lee todo sin consumirlo.

Qué es: los comandos de un tópico, del más antiguo al último, con la identidad que ve un consumidor.
Qué no es: un consumidor; nadie confirma nada y nada cambia de sitio.
Por qué existe: conciliar y reconstruir leen lo mismo y deben entender lo mismo.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from alpespartners.modulos.tracking.aplicacion.mensajes import (
    ComandoRecibido,
    MensajeDeOtraVersion,
    MensajeIlegible,
)
from alpespartners.modulos.tracking.dominio.objetos_valor import id_consultable, recibido_en_creible
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import abrir_comando
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import ClientePulsar, MensajeRecibido


@dataclass(frozen=True, slots=True)
class ComandoGuardado:
    """Un mensaje de un tópico de comandos y lo que resultó al abrirlo."""

    mensaje: MensajeRecibido
    contenido: ComandoRecibido | MensajeIlegible | MensajeDeOtraVersion

    @property
    def evento_id(self) -> str | None:
        """El `id` por el que se pregunta por él, si lo hay."""
        if not isinstance(self.contenido, ComandoRecibido):
            return id_consultable(self.contenido.clave)
        return id_consultable(self.contenido.comando.id)

    @property
    def recibido_en(self) -> datetime:
        """La hora con que se juzga."""
        if not isinstance(self.contenido, ComandoRecibido):
            return self.contenido.publicado_en
        return recibido_en_creible(self.contenido.comando.recibido_en, self.contenido.publicado_en)[0]


def comandos_guardados(
    cliente: ClientePulsar, topico: str, epoca: UUID, ajenas: Collection[str] = ()
) -> Iterator[ComandoGuardado]:
    """Recorre los comandos que guarda el tópico; los argumentos son los de `abrir_comando`.

    Raises:
        FalloDelBroker: el broker no respondió.
    """
    for mensaje in cliente.leer(topico):
        yield ComandoGuardado(
            mensaje,
            abrir_comando(
                topico,
                carga=mensaje.carga,
                propiedades=mensaje.propiedades,
                clave=mensaje.clave,
                publicado_en=mensaje.publicado_en,
                posicion=mensaje.posicion,
                epoca=epoca,
                ajenas=ajenas,
            ),
        )
