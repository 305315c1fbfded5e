"""Los eventos de dominio: lo que los demás módulos (pagos, campañas) llegan a saber.

Qué es: el hecho de que algo quedó registrado, con la entidad entera.
Qué no es: el mensaje Avro; de eso se ocupa la infraestructura.
Por qué existe: el evento lleva la fila completa para que el libro pueda reconstruirse desde los tópicos.
"""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from alpespartners.modulos.tracking.dominio.entidades import Conversion, EventoSeguido, Impresion

E = TypeVar("E", bound=EventoSeguido[Any])


@dataclass(frozen=True, slots=True)
class EventoDominio(Generic[E]):
    """Se registró algo que no estaba."""

    entidad: E


class ImpresionRegistrada(EventoDominio[Impresion]):
    """Se registró una impresión que no estaba."""

    __slots__ = ()


class ConversionRegistrada(EventoDominio[Conversion]):
    """Se registró una conversión que no estaba."""

    __slots__ = ()
