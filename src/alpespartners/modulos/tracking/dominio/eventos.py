"""Los eventos de dominio: lo que los demás módulos (pagos, campañas) llegan a saber.

Qué es: el hecho de que algo quedó registrado, con la entidad entera.
Qué no es: el mensaje Avro; de eso se ocupa la infraestructura.
Por qué existe: el evento lleva la fila completa para que el libro pueda reconstruirse desde los tópicos.
"""

from dataclasses import dataclass

from alpespartners.modulos.tracking.dominio.entidades import Conversion, Impresion


@dataclass(frozen=True, slots=True)
class ImpresionRegistrada:
    """Se registró una impresión que no estaba."""

    entidad: Impresion


@dataclass(frozen=True, slots=True)
class ConversionRegistrada:
    """Se registró una conversión que no estaba."""

    entidad: Conversion


EventoDominio = ImpresionRegistrada | ConversionRegistrada
