"""Un evento tal como se publicó en su tópico, y quien lo lee de ahí.

Qué es: lo que se ve en vivo, y el puerto por el que llega.
Qué no es: una fila del libro. Solo trae lo que el mensaje lleva, y puede llegar repetido.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from alpespartners.modulos.tracking.aplicacion.clases import Clase
from alpespartners.modulos.tracking.aplicacion.en_vivo.posiciones import Lugar, Posiciones
from alpespartners.modulos.tracking.dominio.entidades import EventoSeguido


@dataclass(frozen=True, slots=True, kw_only=True)
class Publicado:
    """Un mensaje de un tópico de eventos.

    Attributes:
        canal: por cuál llegó.
        lugar: el suyo en él.
        campaña_id: la suya; `None` si el mensaje no es de un evento de este módulo.
        evento: el que lleva; `None` si no es de uno, o si lo escribió una versión posterior.
        publicado_en: cuándo se publicó, en UTC.
        octetos: lo que ocupa su carga.
    """

    canal: str
    lugar: Lugar
    clase: Clase
    campaña_id: str | None
    evento: EventoSeguido[Any] | None
    publicado_en: datetime
    octetos: int


class Receptor(Protocol):
    """A quien se cuenta lo que se lee; todo en el bucle de asyncio."""

    def situar(self, posiciones: Posiciones) -> None:
        """Se empieza a leer justo después de ahí."""

    def recibir(self, publicados: Sequence[Publicado]) -> None:
        """Unos mensajes de un canal, en su orden y sin saltarse ninguno entre una llamada y la siguiente."""

    def conectado(self, *, con_broker: bool) -> None:
        """Si ahora mismo se puede leer de todos los canales."""


class TopicosDeEventos(Protocol):
    """Lee los tópicos de eventos sin consumirlos ni retener en ellos nada."""

    @property
    def epoca(self) -> str:
        """Lo que distingue a los datos de este broker de otros con los mismos lugares."""

    async def seguir(self, receptor: Receptor) -> None:
        """Lee lo que se publique desde ahora hasta que se cancele; si el broker falta, insiste.

        Al volver el broker sigue por donde iba.
        """

    async def finales(self) -> Posiciones:
        """El último mensaje que guarda ahora cada canal.

        Raises:
            BrokerNoDisponible: no se pudo preguntar.
        """

    async def repasar(
        self, desde: Posiciones, hasta: Posiciones, maximo: int, maximo_octetos: int
    ) -> list[Publicado] | None:
        """Devuelve lo publicado después de `desde` y hasta `hasta`, o `None` si es más de lo que se dice.

        Los de cada canal van en su orden; los de uno, detrás de los de otro.

        Raises:
            BrokerNoDisponible: no se pudo leer.
        """
