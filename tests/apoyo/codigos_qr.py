"""Lo que dibuja un código QR en SVG, módulo a módulo, para compararlo con el de una dirección."""

import re

import segno

_BORDE = 4


def modulos_de(svg: str) -> list[list[int]]:
    """Los módulos de un código dibujado con trazos horizontales de un módulo de alto, sin su borde blanco."""
    trazos = re.findall(r'<path[^>]*\bstroke="#000"[^>]*\bd="([^"]+)"', svg)
    (lado,) = {int(hallado) for hallado in re.findall(r'viewBox="0 0 (\d+) \1"', svg)}
    oscuros: set[tuple[int, int]] = set()
    x, y = 0.0, 0.0
    for orden, numeros in re.findall(r"([Mmh])([^Mmh]+)", "".join(trazos)):
        leidos = [float(numero) for numero in numeros.split()]
        if orden == "h":
            oscuros |= {(int(y), columna) for columna in range(int(x), int(x + leidos[0]))}
            x += leidos[0]
        else:
            x, y = leidos if orden == "M" else (x + leidos[0], y + leidos[1])
    dentro = range(_BORDE, lado - _BORDE)
    return [[int((fila, columna) in oscuros) for columna in dentro] for fila in dentro]


def modulos_que_dicen(direccion: str) -> list[list[int]]:
    """Los del código de esa dirección."""
    return [list(fila) for fila in segno.make_qr(direccion, error="m").matrix]
