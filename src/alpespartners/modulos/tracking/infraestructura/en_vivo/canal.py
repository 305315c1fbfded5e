"""Un canal: una partición de un tópico de eventos, y cómo se abre lo que llega por ella."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from alpespartners.modulos.tracking.aplicacion.clases import CLASES, Clase
from alpespartners.modulos.tracking.aplicacion.en_vivo.posiciones import Lugar
from alpespartners.modulos.tracking.aplicacion.en_vivo.publicado import Publicado
from alpespartners.modulos.tracking.aplicacion.puertos import EsquemaDesconocido
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import abrir_evento
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import ClientePulsar, MensajeRecibido

_PARTICION: Final = "-partition-"


@dataclass(frozen=True, slots=True)
class Canal:
    """Una partición de los eventos de una clase, o el tópico entero si no está partido."""

    clase: Clase
    particion: str

    @property
    def nombre(self) -> str:
        """Uno corto, que cabe en una marca: `impresion`, o `impresion-3`."""
        _, partido, numero = self.particion.rpartition(_PARTICION)
        return f"{self.clase.nombre}-{numero}" if partido else self.clase.nombre

    def publicado(self, mensaje: MensajeRecibido, lugar: Lugar) -> Publicado:
        """Lo que lleva un mensaje; uno que no es de esta clase no es de ninguna campaña."""
        try:
            evento = abrir_evento(self.clase, carga=mensaje.carga, propiedades=mensaje.propiedades)
            campaña_id = None if evento is None else evento.contenido.campaña_id
        except EsquemaDesconocido:
            # La clave de un evento es su campaña: de quién lo echará en falta sí se sabe.
            evento, campaña_id = None, mensaje.clave
        return Publicado(
            canal=self.nombre,
            lugar=lugar,
            clase=self.clase,
            campaña_id=campaña_id,
            evento=evento,
            publicado_en=mensaje.publicado_en,
            octetos=len(mensaje.carga or b""),
        )


def canales(cliente: ClientePulsar) -> Iterator[Canal]:
    """Los que hay ahora.

    Raises:
        FalloDelBroker: no se pudo preguntar.
    """
    for clase in CLASES:
        for particion in cliente.particiones(clase.topico_de_eventos):
            yield Canal(clase, particion)
