"""En qué acaba cada comando: exactamente uno de cinco destinos.

Qué es: el vocabulario con que el módulo explica qué fue de lo que alguien envió.
Qué no es: un error; un fallo de la base de datos o del broker es una excepción y no decide nada.
Por qué existe: todo 202 termina en un destino por el que se puede preguntar.

Cada destino nace en el manejador como un valor; un solo lugar lo convierte en filas y confirmaciones.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from alpespartners.modulos.tracking.dominio.excepciones import CodigoDeFalta


@dataclass(frozen=True, slots=True)
class Registrada:
    """Se guardó, y su evento de dominio quedó entregado en la misma transacción."""

    estado: ClassVar[str] = "REGISTRADA"


@dataclass(frozen=True, slots=True)
class Duplicada:
    """Otro comando ya había registrado ese `id`, y este dice lo mismo en lo que decide el dinero."""

    estado: ClassVar[str] = "DUPLICADA"
    original: str
    """El `comando_id` que registró el evento."""
    difieren: tuple[str, ...] = ()
    """Los nombres de los campos, de los que solo describen, en que no dice lo mismo; nunca sus valores."""


@dataclass(frozen=True, slots=True)
class Rechazada:
    """Los datos incumplen una regla, o el `id` ya existe con otro contenido."""

    estado: ClassVar[str] = "RECHAZADA"
    motivo: CodigoDeFalta
    detalle: str
    campos: tuple[str, ...] = ()
    """Los nombres de los campos que faltan a su regla o que difieren; nunca sus valores."""


class MotivoDeIgnorar(StrEnum):
    """Por qué quien publica un comando pide que no se registre."""

    SIN_CORRESPONDENCIA = "sin_correspondencia"
    SIN_CAMPAÑA = "sin_campaña"
    DEMASIADO_GRANDE = "demasiado_grande"
    ESTADO_QUE_NO_CUENTA = "estado_que_no_cuenta"
    OTRO = "otro"
    """Uno que esta versión no conoce."""


@dataclass(frozen=True, slots=True)
class Ignorada:
    """No era ni una impresión ni una conversión de una campaña, y quien lo envió no podía saberlo.

    No es una falta de quien envía: otro protocolo dice muchas cosas que aquí no se cuentan.
    """

    estado: ClassVar[str] = "IGNORADA"
    motivo: MotivoDeIgnorar
    detalle: str


@dataclass(frozen=True, slots=True)
class Ilegible:
    """El mensaje no se pudo descifrar; se entregó a las cartas muertas en la misma transacción."""

    estado: ClassVar[str] = "ILEGIBLE"
    detalle: str


Destino = Registrada | Duplicada | Rechazada | Ignorada | Ilegible
