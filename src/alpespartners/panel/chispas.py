"""El dibujo pequeño de un ritmo: una línea en un SVG, sin ejes, que se lee junto a su texto.

Qué es: por dónde pasa la línea. El dibujo es de la altura de su día mayor: dos no se comparan entre sí.
Qué no es: las cifras; las dice el texto que lo acompaña.
Por qué existe: el día de hoy va aparte, a trazos: a medias parece una caída.
"""

from typing import Final

from alpespartners.modulos.informes.aplicacion.ritmo import Ritmo

ANCHO: Final = 120
ALTO: Final = 24


def acabados(ritmo: Ritmo) -> str:
    """Los puntos de la línea (`x,y x,y…`) de los días que han acabado, en una caja de `ANCHO` por `ALTO`.

    Sin eventos, a ras de suelo.
    """
    return " ".join(_puntos(ritmo)[:-1])


def sin_acabar(ritmo: Ritmo) -> str:
    """Los del último trecho, el que lleva al día de hoy."""
    return " ".join(_puntos(ritmo)[-2:])


def _puntos(ritmo: Ritmo) -> list[str]:
    paso = ANCHO / max(len(ritmo.cuantos) - 1, 1)
    mayor = ritmo.maximo or 1
    return [
        f"{lugar * paso:.1f},{ALTO - ALTO * cuantos / mayor:.1f}"
        for lugar, cuantos in enumerate(ritmo.cuantos)
    ]
