"""El dibujo pequeño de un ritmo: una línea en un SVG, sin ejes, que se lee junto a su texto.

Qué es: por dónde pasa la línea. El dibujo es de la altura de su día mayor: dos no se comparan entre sí.
Qué no es: las cifras; las dice el texto que lo acompaña.
"""

from typing import Final

from alpespartners.modulos.informes.aplicacion.ritmo import Ritmo

ANCHO: Final = 120
ALTO: Final = 24


def linea(ritmo: Ritmo) -> str:
    """Los puntos de la línea (`x,y x,y…`), en una caja de `ANCHO` por `ALTO`; sin eventos, a ras de suelo."""
    paso = ANCHO / max(len(ritmo.cuantos) - 1, 1)
    mayor = ritmo.maximo or 1
    return " ".join(
        f"{lugar * paso:.1f},{ALTO - ALTO * cuantos / mayor:.1f}"
        for lugar, cuantos in enumerate(ritmo.cuantos)
    )
