"""Las entidades: una impresión y una conversión registradas.

Qué es: estado (contenido y procedencia) y preguntas (`id`, `ocurrido_en`). Sus reglas están en el contenido,
y cada regla en su objeto de valor.
Qué no es: la fila de una tabla ni el mensaje de un tópico.
Por qué existe: la identidad de un evento es el `id` del cliente. Nunca se sustituye por otro; de él
dependen que nada cuente dos veces y que cada pago pueda comprobarse.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from alpespartners.modulos.tracking.dominio.contenido import (
    Contenido,
    ContenidoConversion,
    ContenidoImpresion,
)
from alpespartners.modulos.tracking.dominio.lectura import Lectura
from alpespartners.modulos.tracking.dominio.objetos_valor import momento_de_ocurrencia

C = TypeVar("C", bound=Contenido)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventoSeguido(Generic[C]):
    """Lo común a todas las entidades: el contenido y lo que puso el servidor.

    `recibido_en` es del reloj de la API, `registrado_en` del reloj del consumidor; ambos en UTC. `huella` es
    la de la carga del comando que la registró, o `None` si se reconstruyó desde su evento. `lectura` es lo
    que se dedujo de su procedencia, o `None` si se registró sin leerla.
    """

    contenido: C
    comando_id: str
    huella: bytes | None
    recibido_en: datetime
    registrado_en: datetime
    advertencias: tuple[str, ...]
    lectura: Lectura | None = None

    @property
    def id(self) -> str:
        """El identificador que dio el cliente: la clave de idempotencia."""
        return self.contenido.id

    @property
    def ocurrido_en(self) -> datetime:
        """Cuándo ocurrió: el `timestamp`, o `recibido_en` si falta o se adelanta a él."""
        return momento_de_ocurrencia(self.contenido.timestamp, self.recibido_en)

    @property
    def clic_de_procedencia(self) -> str | None:
        """El clic que, si está registrado, dice de dónde y con qué se llegó; `None`, si lo dice él mismo."""
        return None

    def campos(self) -> dict[str, Any]:
        """Devuelve todos sus campos por su nombre en el JSON: los del cliente y los del servidor.

        La huella no: no es un dato del evento, sino de un mensaje.
        """
        return {
            **self.contenido.campos(),
            "ocurrido_en": self.ocurrido_en,
            "recibido_en": self.recibido_en,
            "registrado_en": self.registrado_en,
            "comando_id": self.comando_id,
            "advertencias": self.advertencias,
            "lectura": self.lectura,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Impresion(EventoSeguido[ContenidoImpresion]):
    """Una vez que la campaña se mostró a alguien, o que alguien interactuó con ella."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion(EventoSeguido[ContenidoConversion]):
    """Un logro de la campaña por el que puede pagarse: una venta, por ejemplo."""

    @property
    def clic_de_procedencia(self) -> str | None:
        """El clic del que dice venir: de una compra suele avisar un servidor, que no vino de ningún sitio."""
        return self.contenido.clic_id
