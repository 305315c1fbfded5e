"""Las direcciones del panel: dónde está cada vista.

Por qué existe: unas vistas enlazan a otras, y los identificadores, que son de la gente, llevan barras y eñes.
"""

import re
from collections.abc import Collection
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode

from starlette.requests import Request

from alpespartners.api.http.claves import Alcance

CAMPAÑAS: Final = "/panel"
ENTRAR: Final = "/panel/entrar"
SALIR: Final = "/panel/salir"
IDIOMA: Final = "/panel/idioma"
INFLUENCERS: Final = "/panel/influencers"
EVENTO: Final = "/panel/evento"
RECHAZOS: Final = "/panel/rechazos"
SISTEMA: Final = "/panel/sistema"
EN_VIVO: Final = "/panel/campañas/{campaña_id}/en-vivo"
DELANTE_DE_UN_EVENTO: Final = "/panel/evento?id="
"""Lo que va delante de un `id` en la de la vista que lo explica, cuando la completa el navegador."""
DELANTE_DE_UN_INFLUENCER: Final = "/panel/influencers/"
"""Lo mismo, en la de un influencer."""
EVENTO_DE_PRUEBA: Final = "/panel/evento-de-prueba"
ENLACES: Final = "/panel/enlaces"
ENLACE_NUEVO: Final = "/panel/enlace-nuevo"
"""No cuelga de la de los enlaces: ahí cualquier nombre es el de uno."""

LONGITUD_MAXIMA: Final = 2048
"""Caracteres de una dirección a la que se puede volver."""
_DEL_PANEL: Final = re.compile(r"/panel(?:[/?][!-\[\]-~]*)?")


def inicio_de(alcances: Collection[Alcance]) -> str:
    """La página por la que empieza quien mira con una clave de esos alcances."""
    return SISTEMA if Alcance.OPERACION in alcances and Alcance.LECTURA not in alcances else CAMPAÑAS


def direccion_de_campaña(campaña_id: str) -> str:
    """La de su vista."""
    return f"/panel/campa%C3%B1as/{quote(campaña_id, safe='')}"


def direccion_pedida(peticion: Request) -> str:
    """La de la página que se mira, con su consulta, para volver a ella; si no se puede, las campañas."""
    direccion: bytes = peticion.scope["raw_path"]
    if peticion.scope["query_string"]:
        direccion += b"?" + peticion.scope["query_string"]
    escrita = direccion.decode("latin-1")
    return escrita if es_del_panel(escrita) else CAMPAÑAS


def direccion_corregida(peticion: Request, no_valen: Collection[str]) -> str | None:
    """La de la página que se mira sin los parámetros que no valen; si nada cambia o no se puede, `None`."""
    pares = parse_qsl(peticion.scope["query_string"].decode("latin-1"), keep_blank_values=True)
    quedan = [(nombre, valor) for nombre, valor in pares if nombre not in no_valen]
    direccion = peticion.scope["raw_path"].decode("latin-1")
    if quedan == pares:
        return None
    if quedan:
        direccion = f"{direccion}?{urlencode(quedan, quote_via=quote, safe='/:')}"
    return direccion if es_del_panel(direccion) else None


def es_del_panel(direccion: str) -> bool:
    """Dice si es una página de este panel, escrita como en una petición; no puede ser otra máquina."""
    return len(direccion) <= LONGITUD_MAXIMA and _DEL_PANEL.fullmatch(direccion) is not None


def direccion_de_entrada(volver: str) -> str:
    """La de la página que pide la clave y, con ella, vuelve a esa."""
    return f"{ENTRAR}?volver={quote(volver, safe='')}"


def direccion_de_idioma(idioma: str, volver: str) -> str:
    """La que cambia el idioma y vuelve a esa."""
    return f"{IDIOMA}?a={idioma}&volver={quote(volver, safe='')}"


def direccion_del_periodo(campaña_id: str) -> str:
    """La que lee las fechas que alguien elige y lleva a la vista de esa campaña."""
    return f"{direccion_de_campaña(campaña_id)}/periodo"


def direccion_en_vivo(campaña_id: str) -> str:
    """La de lo que le llega a esa campaña, según llega."""
    return f"{direccion_de_campaña(campaña_id)}/en-vivo"


def direccion_de_influencer(influencer_id: str) -> str:
    """La de su vista."""
    return f"{INFLUENCERS}/{quote(influencer_id, safe='')}"


def direccion_del_periodo_de_influencer(influencer_id: str) -> str:
    """La que lee las fechas que alguien elige y lleva a la vista de ese influencer."""
    return f"{direccion_de_influencer(influencer_id)}/periodo"


def direccion_de_evento(evento_id: str) -> str:
    """La de la vista que lo explica."""
    return con_parametros(EVENTO, id=evento_id)


def con_parametros(direccion: str, **parametros: str) -> str:
    """Esa dirección con esos parámetros; sin ninguno, ella sola."""
    consulta = urlencode(parametros, quote_via=quote, safe="/:")
    return f"{direccion}?{consulta}" if consulta else direccion


def con_filtros(direccion: str, **filtros: str | None) -> str:
    """Esa dirección con esos parámetros, de los que tengan valor."""
    return con_parametros(direccion, **{nombre: valor for nombre, valor in filtros.items() if valor})


def direccion_de_rechazos(**filtros: str | None) -> str:
    """La de lo que no se registró, con esos filtros de los que los tengan."""
    return con_filtros(RECHAZOS, **filtros)


def direccion_de_enlace(enlace_id: str) -> str:
    """La de su vista; un enlace se llama con letras que van tal cual en una dirección."""
    return f"{ENLACES}/{enlace_id}"


def direccion_del_flujo(campaña_id: str) -> str:
    """La de la API por la que llegan los eventos de esa campaña."""
    return f"/tracking/campa%C3%B1as/{quote(campaña_id, safe='')}/en-vivo"


def direccion_del_recorrido(evento_id: str, comando_id: str | None, visto: str | None = None) -> str:
    """La que sigue a ese evento paso a paso; con `visto`, solo si ya no es lo que se ve."""
    dichos = {"comando": comando_id, "visto": visto}
    con_valor = {nombre: valor for nombre, valor in dichos.items() if valor is not None}
    return con_parametros(f"{EVENTO_DE_PRUEBA}/{quote(evento_id, safe='')}", **con_valor)
