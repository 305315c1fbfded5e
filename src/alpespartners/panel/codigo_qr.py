"""El código QR de una dirección, dibujado en SVG.

Qué es: el mismo símbolo (ISO/IEC 18004) dentro de una página y en un archivo que se lleva a la imprenta.
Qué no es: un registro de nada: de una dirección sale siempre el mismo.
"""

import io
from typing import Any, Final

import segno
from markupsafe import Markup

_RECUPERABLE: Final = "m"
"""El nivel de corrección: se lee con un 15 % tapado; si cabe uno mejor en el mismo tamaño, es ese."""
# La norma pide cuatro módulos en blanco alrededor; el fondo es claro también donde la página es oscura.
_DIBUJO: Final[dict[str, Any]] = {
    "kind": "svg",
    "border": 4,
    "dark": "#000",
    "light": "#fff",
    "svgclass": None,
    "lineclass": None,
}


def qr_en_linea(direccion: str) -> Markup:
    """El `<svg>` que va en una página, sin tamaño: se lo pone su hoja de estilos."""
    # Son los cuadros de un dibujo: no lleva ningún texto de nadie.
    return Markup(_dibujado(direccion, xmldecl=False, svgns=False, nl=False, omitsize=True).decode())  # noqa: S704


def qr_en_archivo(direccion: str) -> bytes:
    """El archivo SVG, en UTF-8, con un milímetro por módulo: entre tres y ocho centímetros."""
    return _dibujado(direccion, unit="mm")


def _dibujado(direccion: str, **opciones: Any) -> bytes:
    escrito = io.BytesIO()
    segno.make_qr(direccion, error=_RECUPERABLE).save(escrito, **_DIBUJO, **opciones)
    return escrito.getvalue()
