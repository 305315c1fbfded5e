"""Los idiomas del panel: cuál quiere quien mira, y cómo se dice en él cada frase de las plantillas.

Qué es: las plantillas están en español, y de cada frase hay su traducción en `en/*.json`, por la frase misma.
Qué no es: cómo se escriben los números y las fechas (`formato.py`).
Por qué existe: una marca y una influencer no leen siempre la misma lengua, y la dirección de una vista vale
para las dos: el idioma es de quien mira, no de lo que se mira.
"""

import gettext
import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from starlette.requests import Request

from alpespartners.api.http.idioma import Idioma, preferido

__all__ = [
    "GALLETA_DE_IDIOMA",
    "NOMBRES",
    "Frases",
    "Idioma",
    "Traduccion",
    "idioma_de",
    "preferido",
    "traducciones",
]

GALLETA_DE_IDIOMA: Final = "alpes_idioma"

Traduccion = str | list[str]
"""La de una frase o, si cuenta cosas, la del singular y la del plural."""

NOMBRES: Final = {Idioma.ESPAÑOL: "Español", Idioma.INGLES: "English"}
"""Cómo se llama cada uno a sí mismo."""


def idioma_de(peticion: Request) -> Idioma:
    """El que eligió quien mira; si no ha elegido, el que más quiere de los que se hablan aquí."""
    elegido = peticion.cookies.get(GALLETA_DE_IDIOMA)
    if elegido in set(Idioma):
        return Idioma(elegido)
    return preferido(",".join(peticion.headers.getlist("accept-language")))


@cache
def traducciones(idioma: Idioma) -> Mapping[str, Traduccion]:
    """Las de ese idioma, por su frase en español; del español no hay."""
    carpeta = files(__name__).joinpath(idioma)
    if not carpeta.is_dir():
        return {}
    todas: dict[str, Traduccion] = {}
    for archivo in sorted(carpeta.iterdir(), key=lambda hallado: hallado.name):
        todas.update(json.loads(archivo.read_text(encoding="utf-8")))
    return todas


class Frases(gettext.NullTranslations):
    """Las frases de un idioma, como las piden las plantillas; la que no está se dice en español."""

    def __init__(self, idioma: Idioma) -> None:
        super().__init__()
        self._traducciones = traducciones(idioma)

    def gettext(self, message: str) -> str:
        """La frase en ese idioma."""
        traducida = self._traducciones.get(message, message)
        return traducida if isinstance(traducida, str) else traducida[0]

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """La frase que cuenta `n` cosas."""
        traducida = self._traducciones.get(msgid1)
        if isinstance(traducida, list):
            return traducida[0] if n == 1 else traducida[1]
        return msgid1 if n == 1 else msgid2
