"""Los idiomas del panel: cuál quiere quien mira, y cómo se dice en él cada frase de las plantillas.

Qué es: las plantillas están en español, y de cada frase hay su traducción en `en/*.json`, por la frase misma.
Qué no es: cómo se escriben los números y las fechas (`formato.py`).
Por qué existe: una marca y una influencer no leen siempre la misma lengua, y la dirección de una vista vale
para las dos: el idioma es de quien mira, no de lo que se mira.
"""

import gettext
import json
import re
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Final

from starlette.requests import Request

GALLETA_DE_IDIOMA: Final = "alpes_idioma"
_PREFERENCIA: Final = re.compile(
    r"(\*|[a-z]{1,8}(?:-[a-z0-9]{1,8})*)(?:[ \t]*;[ \t]*q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?",
    re.ASCII | re.IGNORECASE,
)
_PARTES_MAXIMAS: Final = 20

Traduccion = str | list[str]
"""La de una frase o, si cuenta cosas, la del singular y la del plural."""


class Idioma(StrEnum):
    """Uno de los que habla el panel; su valor es el de la etiqueta `lang` (RFC 5646)."""

    ESPAÑOL = "es"
    INGLES = "en"


NOMBRES: Final = {Idioma.ESPAÑOL: "Español", Idioma.INGLES: "English"}
"""Cómo se llama cada uno a sí mismo."""


def idioma_de(peticion: Request) -> Idioma:
    """El que eligió quien mira; si no ha elegido, el que más quiere de los que se hablan aquí."""
    elegido = peticion.cookies.get(GALLETA_DE_IDIOMA)
    if elegido in set(Idioma):
        return Idioma(elegido)
    return preferido(",".join(peticion.headers.getlist("accept-language")))


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
