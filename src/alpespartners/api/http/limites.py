"""Lo que un punto de entrada admite por cuerpo: cuánto, y de qué tipo."""

from dataclasses import dataclass
from typing import Final

from alpespartners.api.http.tipos_de_medio import JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitesDeCuerpo:
    """Los de un punto de entrada.

    Attributes:
        octetos: cuántos como mucho, descomprimido.
        comprimidos: cuántos como mucho, tal como llegan si vienen en gzip.
        tipos: los de contenido que se leen; `None`, cualquiera, y también ninguno.
    """

    octetos: int
    comprimidos: int
    tipos: tuple[str, ...] | None = (JSON,)


DE_UN_EVENTO: Final = LimitesDeCuerpo(octetos=64 * 1024, comprimidos=64 * 1024)
"""Los de un envío."""
