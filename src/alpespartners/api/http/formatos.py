"""En qué formato se responde una lectura: el que diga el parámetro `formato` o, sin él, la cabecera `Accept`.

Qué es: los formatos que hay, su tipo de medio y cómo se elige uno.
Qué no es: cómo se escribe cada uno (`descargas.py`), ni el de los errores, que es siempre problem+json.
Por qué existe: una hoja de cálculo pide CSV, y un programa que copia el libro, una línea por evento. A quien
no pide ninguno, o pide otra cosa, se le responde en JSON, como siempre: nunca un 406.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Final

from starlette.requests import Request

from alpespartners.api.http.cabeceras import cabeceras_de
from alpespartners.api.http.descripcion import Parametro
from alpespartners.api.http.tipos_de_medio import CSV, JSON, NDJSON
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.dominio.excepciones import CampoInvalido

PARAMETRO: Final = "formato"
VARIA: Final[Mapping[str, str]] = {"Vary": "Accept"}
"""La cabecera de lo que se responde de una manera o de otra según lo que se acepta."""

_CALIDAD: Final = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")


class Formato(StrEnum):
    """Un formato, por su nombre en el parámetro."""

    JSON = "json"
    CSV = "csv"
    NDJSON = "ndjson"


FORMATO: Final = Parametro(
    nombre=PARAMETRO,
    lugar="query",
    esquema={"enum": [*Formato], "default": Formato.JSON},
    descripcion=(
        f"En qué se responde; manda sobre `Accept` (`{CSV}`, `{NDJSON}`). `csv` es una línea de "
        "nombres y una por elemento (RFC 4180); `ndjson`, un JSON por línea."
    ),
)

_TIPOS: Final[Mapping[str, Formato]] = {
    JSON: Formato.JSON,
    CSV: Formato.CSV,
    NDJSON: Formato.NDJSON,
}
_DONDE_CABE_JSON: Final = ("application/*", "*/*")


def formato_pedido(peticion: Request, parametros: Mapping[str, str]) -> Formato:
    """El que pide una petición con esos parámetros.

    Raises:
        CampoInvalido: el parámetro no nombra ninguno.
    """
    escrito = parametros.get(PARAMETRO)
    if escrito is None:
        return _aceptado(cabeceras_de(peticion).get(b"accept", ()))
    try:
        return Formato(escrito.lower())
    except ValueError:
        raise CampoInvalido(
            PARAMETRO, CodigoDePeticion.PARAMETRO_INVALIDO, f"debe ser uno de: {', '.join(Formato)}"
        ) from None


def _aceptado(cabeceras: Sequence[str]) -> Formato:
    """El de mayor calidad (RFC 9110, 12.5.1); a igual calidad, el que se nombra antes que el que cabe."""
    calidades = dict(_rangos(cabeceras))
    nombrados = [(calidad, _TIPOS[tipo]) for tipo, calidad in calidades.items() if tipo in _TIPOS]
    if JSON not in calidades:
        cabe = next((calidades[rango] for rango in _DONDE_CABE_JSON if rango in calidades), 0.0)
        nombrados.append((cabe, Formato.JSON))
    calidad, formato = max(nombrados, key=lambda nombrado: nombrado[0])
    return formato if calidad else Formato.JSON


def _rangos(cabeceras: Sequence[str]) -> Iterator[tuple[str, float]]:
    """Cada tipo o rango que se acepta, con su calidad; lo que no se entiende se pasa por alto."""
    for elemento in ",".join(cabeceras).split(","):
        tipo, *parametros = (parte.strip(" \t").lower() for parte in elemento.split(";"))
        calidad = next((valor[2:] for valor in parametros if valor.startswith("q=")), "1")
        if tipo and _CALIDAD.fullmatch(calidad):
            yield tipo, float(calidad)
