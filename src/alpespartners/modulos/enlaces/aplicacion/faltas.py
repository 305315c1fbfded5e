"""De lo que el dominio dice de un dato a la falta que lee quien lo envió, con su campo."""

from collections.abc import Callable, Mapping
from typing import Final, TypeVar, TypeVarTuple

from alpespartners.modulos.enlaces.dominio.faltas import NoVale
from alpespartners.modulos.tracking.dominio.excepciones import Codigo, DatosInvalidos, Fallo, Recolector

A = TypeVarTuple("A")
T = TypeVar("T")

CAMPOS_MAXIMOS: Final = 64
"""Los de un cuerpo: buscarles parecido a los miles que caben ocuparía medio segundo a quien redirige."""


def intentar(recolector: Recolector, campo: str, regla: Callable[[*A], T], *args: *A) -> T | None:
    """Aplica una regla de un enlace; si el campo la incumple anota la falta y devuelve `None`."""
    try:
        return regla(*args)
    except NoVale as falta:
        recolector.anotar(campo, Codigo(falta.codigo), falta.frase)
        return None


def exigir_pocos_campos(cuerpo: Mapping[str, object]) -> None:
    """Niega, sin mirarlo, un cuerpo con más campos de los que tendría aunque todos sobraran.

    Raises:
        DatosInvalidos: son más de `CAMPOS_MAXIMOS`.
    """
    if len(cuerpo) > CAMPOS_MAXIMOS:
        raise DatosInvalidos(
            [Fallo("", Codigo.LONGITUD_EXCEDIDA, f"admite como mucho {CAMPOS_MAXIMOS} campos")]
        )
