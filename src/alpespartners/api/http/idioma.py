"""El idioma en que se le habla a quien mira con un navegador: el que más quiere de los que hay.

Qué es: los idiomas que se hablan, y la lectura de `Accept-Language`.
Qué no es: las frases de cada uno, que son de cada página; ni el que alguien eligió en el panel
(`panel/idiomas`).
Por qué existe: quien sigue un enlace no eligió este servicio, y puede no leer español.
"""

import re
from enum import StrEnum
from typing import Final

_PREFERENCIA: Final = re.compile(
    r"(\*|[a-z]{1,8}(?:-[a-z0-9]{1,8})*)(?:[ \t]*;[ \t]*q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?",
    re.ASCII | re.IGNORECASE,
)
_PARTES_MAXIMAS: Final = 20


class Idioma(StrEnum):
    """Uno de los que se hablan; su valor es el de la etiqueta `lang` (RFC 5646)."""

    ESPAÑOL = "es"
    INGLES = "en"


def preferido(cabecera: str) -> Idioma:
    """El de más peso en un `Accept-Language` (RFC 9110 §12.5.4); entre iguales, el que se dice antes.

    Una lengua vale por todas sus variantes (`en-GB` pide inglés), y `*`, por las que no se nombran. Lo que no
    se entiende no cuenta; si no se quiere ninguno, español.
    """
    pesos: dict[str, float] = {}
    for parte in cabecera.split(",")[:_PARTES_MAXIMAS]:
        hallada = _PREFERENCIA.fullmatch(parte.strip(" \t"))
        if hallada is not None:
            lengua = hallada[1].partition("-")[0].lower()
            pesos[lengua] = max(pesos.get(lengua, 0), float(hallada[2] or 1))
    nombrados = [Idioma(lengua) for lengua in pesos if lengua in set(Idioma)]
    todos = dict.fromkeys([*nombrados, *Idioma])
    mejor = max(todos, key=lambda idioma: pesos.get(idioma, pesos.get("*", 0)))
    return mejor if pesos.get(mejor, pesos.get("*", 0)) > 0 else Idioma.ESPAÑOL
