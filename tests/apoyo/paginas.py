"""Lo que se lee en una página del panel, sin navegador."""

import re
from html import unescape

import httpx2


def texto_de(respuesta: httpx2.Response) -> str:
    """Lo que se lee: sin marcas, y con cada blanco una vez."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", respuesta.text)).split())
