"""La preferencia `wait` de la cabecera `Prefer` (RFC 7240): cuánto está dispuesto a esperar quien envía.

Qué es: de las cabeceras crudas a un número de segundos, o a nada.
Qué no es: la espera misma (`tracking/envios.py`).
Por qué existe: una preferencia no es una orden; la que no se entiende se ignora y nunca es un error.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from alpespartners.api.http.descripcion import Esquema

ESPERA_MAXIMA: Final = 10

_FICHA: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_TEXTO: Final = r'"(?:[^"\\]|\\.)*"'
_PAR: Final = rf"({_FICHA})(?:[ \t]*=[ \t]*({_FICHA}|{_TEXTO}))?"
_PREFERENCIA: Final = re.compile(rf"{_PAR}(?:[ \t]*;(?:[ \t]*{_PAR})?)*", re.ASCII)
# Unas comillas sin cerrar llegan hasta el final: lo que haya detrás no es otra preferencia.
_ENTRE_COMAS: Final = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*(?:"|\\?$))+', re.DOTALL)


def espera_aplicada(*, obligatoria: bool = True) -> dict[str, Esquema]:
    """Cómo se describe la cabecera que dice la espera que se concedió."""
    return {
        "Preference-Applied": {
            "description": "La espera que se concedió, en segundos.",
            "required": obligatoria,
            "schema": {"type": "string", "pattern": "^wait=(?:[0-9]|10)$"},
        }
    }


def espera_preferida(cabeceras: Sequence[str]) -> int | None:
    """Devuelve los segundos de la primera preferencia `wait`, como mucho 10; `None` si no hay una que valga.

    Varias cabeceras son una sola lista, el nombre no distingue mayúsculas y solo cuenta la primera de cada
    nombre (RFC 7240 §2); `wait` es un número de segundos entero (§4.3).
    """
    for nombre, valor in _preferencias(cabeceras):
        if nombre == "wait":
            return _segundos(valor)
    return None


def _preferencias(cabeceras: Sequence[str]) -> Iterator[tuple[str, str]]:
    for cabecera in cabeceras:
        for elemento in _ENTRE_COMAS.findall(cabecera):
            hallada = _PREFERENCIA.fullmatch(elemento.strip(" \t"))
            if hallada is not None:
                yield hallada[1].lower(), _sin_comillas(hallada[2] or "")


def _sin_comillas(palabra: str) -> str:
    if not palabra.startswith('"'):
        return palabra
    return re.sub(r"\\(.)", r"\1", palabra[1:-1])


def _segundos(valor: str) -> int | None:
    if not (valor.isascii() and valor.isdecimal()):
        return None
    # Un número de miles de cifras no llega a convertirse.
    cifras = valor.lstrip("0")
    return ESPERA_MAXIMA if len(cifras) > len(str(ESPERA_MAXIMA)) else min(int(cifras or "0"), ESPERA_MAXIMA)
