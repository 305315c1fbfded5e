"""La cabecera `Prefer` (RFC 7240): cuánto está dispuesto a esperar quien envía, y con qué rigor se le juzga.

Qué es: de las cabeceras crudas a las preferencias `wait` y `handling`, o a nada.
Qué no es: la espera misma (`tracking/envios.py`).
Por qué existe: una preferencia no es una orden; la que no se entiende se ignora y nunca es un error.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from alpespartners.api.http.descripcion import Esquema

ESPERA_MAXIMA: Final = 10
RIGOR: Final = "handling=strict"

_FICHA: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_TEXTO: Final = r'"(?:[^"\\]|\\.)*"'
_PAR: Final = rf"({_FICHA})(?:[ \t]*=[ \t]*({_FICHA}|{_TEXTO}))?"
_PREFERENCIA: Final = re.compile(rf"{_PAR}(?:[ \t]*;(?:[ \t]*{_PAR})?)*", re.ASCII)
# Unas comillas sin cerrar llegan hasta el final: lo que haya detrás no es otra preferencia.
_ENTRE_COMAS: Final = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*(?:"|\\?$))+', re.DOTALL)


def preferencias_aplicadas(*, obligatoria: bool = True) -> dict[str, Esquema]:
    """Cómo se describe la cabecera que dice qué se concedió; es obligatoria si hubo espera."""
    espera = "wait=(?:[0-9]|10)"
    return {
        "Preference-Applied": {
            "description": "La espera que se concedió, en segundos, y si se juzgó con rigor.",
            "required": obligatoria,
            "schema": {"type": "string", "pattern": f"^(?:{espera}|{RIGOR}|{espera}, {RIGOR})$"},
        }
    }


class Preferencias(NamedTuple):
    """Lo que prefiere quien envía.

    Attributes:
        espera: segundos, como mucho 10; `None` si no hay una preferencia `wait` que valga.
        rigor: si un campo desconocido es una falta.
    """

    espera: int | None
    rigor: bool

    def aplicadas(self, *, espera: bool) -> dict[str, str]:
        """La cabecera que dice cuáles se concedieron, si alguna; `espera` es si se esperó."""
        concedidas = [f"wait={self.espera}"] * espera + [RIGOR] * self.rigor
        return {"Preference-Applied": ", ".join(concedidas)} if concedidas else {}


SIN_PREFERENCIAS: Final = Preferencias(espera=None, rigor=False)
"""Las de casi todos los envíos."""


def preferencias(cabeceras: Sequence[str]) -> Preferencias:
    """Lee las cabeceras `Prefer` de una petición.

    Varias cabeceras son una sola lista, el nombre no distingue mayúsculas y solo cuenta la primera de cada
    nombre (RFC 7240 §2); `wait` es un número de segundos entero (§4.3), y `handling`, `strict` o `lenient`,
    que es lo que se hace si falta (§4.4).
    """
    if not cabeceras:
        return SIN_PREFERENCIAS
    primeras: dict[str, str] = {}
    for nombre, valor in _preferencias(cabeceras):
        primeras.setdefault(nombre, valor)
    return Preferencias(_segundos(primeras.get("wait", "")), primeras.get("handling", "").lower() == "strict")


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
