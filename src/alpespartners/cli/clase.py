"""La clase de evento de que habla una orden de terminal."""

from enum import StrEnum


class NombreDeClase(StrEnum):
    """Impresiones o conversiones: cada clase tiene su tópico de comandos y sus propios `id`."""

    IMPRESION = "impresion"
    CONVERSION = "conversion"
