"""`python -m rendimiento.rivales`: instala los rivales que se pueda, los compara y escribe dos tablas.

Qué es: la línea de órdenes. Lo instalado queda en una carpeta de caché, y la segunda vez no se instala nada.
Qué no es: parte de lo que se prueba sin red: la primera vez descarga paquetes de Python y de Go.
Por qué existe: quien duda de la comparación la repite con una orden.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import platformdirs
from rich.console import Console
from rich.table import Table

from rendimiento.rivales.a_mano import A_MANO
from rendimiento.rivales.benthos import BENTHOS, CON_BUFER
from rendimiento.rivales.comparacion import Comparado, comparar
from rendimiento.rivales.nuestro import ENTERO, SOLO_LA_API
from rendimiento.rivales.rival import NoSePuede, Rival

RIVALES: Final = (SOLO_LA_API, ENTERO, A_MANO, BENTHOS, CON_BUFER)

_MICROSEGUNDOS: Final = 1e6


def instalar(carpeta: Path, consola: Console) -> list[Rival]:
    """Deja en esa carpeta los que se puedan, dice por qué no los demás, y los devuelve."""
    carpeta.mkdir(parents=True, exist_ok=True)
    instalados = []
    for rival in RIVALES:
        try:
            rival.instalar(carpeta)
        except NoSePuede as error:
            consola.print(f"Sin {rival.nombre}: {error}.")
        else:
            instalados.append(rival)
    return instalados


def cifras(comparados: Sequence[Comparado]) -> Table:
    """Lo que da y lo que cuesta cada uno por evento aceptado, y lo que se vio de lo que promete."""
    tabla = _tabla("", "por s", "CPU", "broker", "perdidos", "de más", "inválido")
    for uno in comparados:
        vuelta, visto = uno.mediana, uno.comprobado
        tabla.add_row(
            uno.rival.nombre,
            f"{vuelta.por_segundo:.0f}",
            f"{vuelta.cpu * _MICROSEGUNDOS:.0f} µs",
            f"{vuelta.broker * _MICROSEGUNDOS:.0f} µs",
            f"{visto.perdidos} de {len(visto.respondidos)}",
            str(visto.contados_de_mas),
            "lo rechaza" if visto.rechaza else "lo acepta",
        )
    return tabla


def promesas(comparados: Sequence[Comparado]) -> Table:
    """Dónde está un evento cuando cada uno responde, y cómo se pregunta después por él."""
    tabla = _tabla("", "Al responder", "Qué fue de él")
    for uno in comparados:
        tabla.add_row(uno.rival.nombre, uno.rival.al_responder, uno.rival.destino)
    return tabla


def _tabla(*titulos: str) -> Table:
    tabla = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for titulo in titulos:
        tabla.add_column(titulo, no_wrap=not titulo)
    return tabla


def _principal() -> None:
    lector = argparse.ArgumentParser(description="Nosotros y los demás, en la misma pasada.")
    lector.add_argument("--breve", action="store_true", help="unos segundos; da una idea, no una cifra")
    lector.add_argument(
        "--carpeta",
        type=Path,
        default=platformdirs.user_cache_path("alpespartners") / "rivales",
        help="donde se instalan los rivales",
    )
    opciones = lector.parse_args()
    consola = Console(highlight=False)
    instalados = instalar(opciones.carpeta, consola)
    comparados = list(comparar(instalados, opciones.carpeta, breve=opciones.breve))
    consola.print(cifras(comparados), "", promesas(comparados))


if __name__ == "__main__":
    _principal()
