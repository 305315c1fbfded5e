"""Los idiomas del panel: cuál quiere quien mira, y cómo se dice en él cada frase de las plantillas.

Qué es: las plantillas están en español, y de cada frase hay su traducción en `en/*.json`, por la frase misma.
Qué no es: cómo se escriben los números y las fechas (`formato.py`).
Por qué existe: una marca y una influencer no leen siempre la misma lengua, y la dirección de una vista vale
para las dos: el idioma es de quien mira, no de lo que se mira.
"""

import gettext
import json
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Final

from starlette.requests import Request

GALLETA_DE_IDIOMA: Final = "alpes_idioma"

Traduccion = str | list[str]
"""La de una frase o, si cuenta cosas, la del singular y la del plural."""


class Idioma(StrEnum):
    """Uno de los que habla el panel; su valor es el de la etiqueta `lang` (RFC 5646)."""

    ESPAÑOL = "es"
    INGLES = "en"


def idioma_de(peticion: Request) -> Idioma:
    """El que eligió quien mira; si no ha elegido, el primero de su `Accept-Language` que se habla aquí."""
    elegido = peticion.cookies.get(GALLETA_DE_IDIOMA)
    for pedido in (elegido, *_preferidos(peticion.headers.get("accept-language", ""))):
        for idioma in Idioma:
            if pedido is not None and pedido.split("-")[0].lower() == idioma:
                return idioma
    return Idioma.ESPAÑOL


def _preferidos(cabecera: str) -> list[str]:
    """Las etiquetas de un `Accept-Language` (RFC 9110 §12.5.4), de la más querida a la menos."""
    pesadas: list[tuple[float, str]] = []
    for parte in cabecera.split(",")[:20]:
        etiqueta, _, parametro = parte.strip().partition(";")
        try:
            peso = float(parametro.strip().removeprefix("q=") or 1)
        except ValueError:
            peso = 0.0
        if etiqueta and peso > 0:
            pesadas.append((peso, etiqueta.strip()))
    return [etiqueta for _, etiqueta in sorted(pesadas, key=lambda pesada: -pesada[0])]


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
