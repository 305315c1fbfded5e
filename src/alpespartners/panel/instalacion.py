"""Dónde corre el servicio, para quien mira el panel: qué lleva dentro y qué está en otra parte.

Qué es: lo que la composición sabe y una vista no puede preguntar a nadie.
Qué no es: la configuración; no dice direcciones, carpetas ni secretos.
Por qué existe: un disco lleno detiene un broker embebido, y el de un Apache Pulsar no se ve desde aquí.
"""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Disco:
    """El de la carpeta de datos, en octetos.

    Attributes:
        libres: los que se pueden usar.
        total: los que tiene.
        reserva: los libres con que el broker embebido deja de aceptar; `None` si el broker es otro.
    """

    libres: int
    total: int
    reserva: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Instalacion:
    """Un servicio instalado.

    Attributes:
        broker_embebido: si el broker es el del paquete, o un Apache Pulsar.
        base_embebida: si la base de datos es SQLite, o un PostgreSQL.
        broker_revisado: si se pregunta a la administración del broker por su retención.
        procesos: cuántos de la API atienden este puerto.
        disco: el de los datos que están en esta máquina; `None` si no se puede mirar.
    """

    broker_embebido: bool
    base_embebida: bool
    broker_revisado: bool
    procesos: int
    disco: Callable[[], Disco | None]

    @property
    def datos_aqui(self) -> bool:
        """Dice si algo de lo que no se puede perder está en el disco de esta máquina."""
        return self.broker_embebido or self.base_embebida
