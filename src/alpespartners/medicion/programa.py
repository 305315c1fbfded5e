"""La forma común de los programas: `python -m alpespartners.medicion.<programa> [--breve] [--opción …]`.

Qué es: leer las opciones, medir y presentar la tabla.
Qué no es: qué se mide; cada programa trae su función.
Por qué existe: todos se ejecutan igual, y lo mismo significa lo mismo en todos.
"""

import argparse
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from rich.console import Console

from alpespartners.medicion.medida import Medida, presentar


class Opcion(NamedTuple):
    """Una opción de la línea de órdenes: el argumento de ese nombre de la función que mide."""

    nombre: str
    ayuda: str
    tipo: type[str] | type[int] = str
    obligatoria: bool = False


PULSAR: Final = Opcion("pulsar", "URL de un Apache Pulsar; si falta, el broker embebido")
POSTGRESQL: Final = Opcion("postgresql", "URL de un servidor donde crear bases de datos; si falta, SQLite")


def ejecutar(que: str, medir: Callable[..., Sequence[Medida]], *opciones: Opcion) -> None:
    """Mide, y escribe la tabla en la salida estándar.

    Args:
        que: una frase, para `--help`.
        medir: recibe `breve` y cada opción por su nombre; las que no se dieron, `None`.
        opciones: las del programa.
    """
    lector = argparse.ArgumentParser(description=que)
    lector.add_argument("--breve", action="store_true", help="unos segundos; da una idea, no una cifra")
    for nombre, ayuda, tipo, obligatoria in opciones:
        lector.add_argument(f"--{nombre}", help=ayuda, type=tipo, required=obligatoria)
    presentar(medir(**vars(lector.parse_args())), Console())
