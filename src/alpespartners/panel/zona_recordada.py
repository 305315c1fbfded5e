"""La zona horaria que eligió quien mira, de una vista a otra: la galleta `alpes_zona`.

Qué es: el nombre de una zona de la IANA, que se guarda un año y no dice quién es nadie.
Qué no es: lo que dice en qué zona está una vista, que es su dirección; solo completa la que no lo dice.
Por qué existe: quien abre otra campaña sigue en su huso, y la dirección que envía a otro ya lo lleva escrito.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from alpespartners.modulos.informes.aplicacion.zonas import nombres_de_zonas
from alpespartners.panel.direcciones import con_parametros
from alpespartners.panel.galletas import SEGUNDOS_DE_UN_AÑO, poner_galleta

GALLETA_DE_ZONA: Final = "alpes_zona"
ZONA: Final = "zona"


def recordar_zona(respuesta: Response, peticion: Request, parametros: Mapping[str, str]) -> None:
    """Deja en la respuesta la galleta con la zona que se elige; si ninguna o no existe, nada."""
    elegida = parametros.get(ZONA)
    if elegida in nombres_de_zonas():
        # Una galleta no lleva barras sin comillas (RFC 6265 §4.1.1).
        valor = quote(elegida, safe="")
        poner_galleta(respuesta, peticion, GALLETA_DE_ZONA, valor, sitio="lax", segundos=SEGUNDOS_DE_UN_AÑO)


def a_la_zona_recordada(peticion: Request, direccion: str, parametros: Mapping[str, str]) -> Response | None:
    """La redirección a esa misma vista con la zona recordada; si ya dice una o no se recuerda, `None`."""
    recordada = unquote(peticion.cookies.get(GALLETA_DE_ZONA, ""))
    if ZONA in parametros or recordada not in nombres_de_zonas():
        return None
    return RedirectResponse(con_parametros(direccion, **{**parametros, ZONA: recordada}), 303)
