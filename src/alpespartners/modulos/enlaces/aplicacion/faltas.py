"""De lo que el dominio dice de un dato a la falta que lee quien lo envió, con su campo."""

from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

from alpespartners.modulos.enlaces.dominio.faltas import NoVale
from alpespartners.modulos.tracking.dominio.excepciones import Codigo, Recolector

A = TypeVarTuple("A")
T = TypeVar("T")


def intentar(recolector: Recolector, campo: str, regla: Callable[[*A], T], *args: *A) -> T | None:
    """Aplica una regla de un enlace; si el campo la incumple anota la falta y devuelve `None`."""
    try:
        return regla(*args)
    except NoVale as falta:
        recolector.anotar(campo, Codigo(falta.codigo), falta.frase)
        return None
