"""De las propiedades `utm_*` de un evento, de qué red dicen que viene.

Qué es: un paso puro de la lectura: lo que puso en el enlace quien lo repartió.
Qué no es: una prueba. Se mira si ni la procedencia ni el agente dicen nada.
Por qué existe: las aplicaciones callan de dónde se viene, y quien reparte el enlace lo escribe en él.
"""

from collections.abc import Mapping
from typing import Final

_FUENTES: Final = ("utm.source", "utm_source")
_REDES: Final = {
    "ig": "instagram",
    "instagram": "instagram",
    "instagram.com": "instagram",
    "fb": "facebook",
    "facebook": "facebook",
    "facebook.com": "facebook",
    "messenger": "messenger",
    "threads": "threads",
    "tiktok": "tiktok",
    "tt": "tiktok",
    "x": "x",
    "twitter": "x",
    "youtube": "youtube",
    "yt": "youtube",
    "snapchat": "snapchat",
    "pinterest": "pinterest",
    "linkedin": "linkedin",
    "whatsapp": "whatsapp",
    "telegram": "telegram",
    "reddit": "reddit",
    "twitch": "twitch",
    "discord": "discord",
    "google": "google",
    "bing": "bing",
    "email": "correo",
    "newsletter": "correo",
}


def red_de_utm(propiedades: Mapping[str, str]) -> str | None:
    """La red que nombra `utm_source`; `None` si falta o no es ninguna de las que se conocen."""
    for nombre in _FUENTES:
        fuente = propiedades.get(nombre)
        if fuente:
            return _REDES.get(fuente.strip().lower())
    return None
