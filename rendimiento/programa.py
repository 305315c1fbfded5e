"""La forma común de los programas: `python -m rendimiento.<programa> [--breve]`.

Qué es: leer la opción, medir y presentar la tabla.
Qué no es: qué se mide; cada programa trae su función.
Por qué existe: todos se ejecutan igual.
"""

import argparse
from collections.abc import Callable, Sequence

from rich.console import Console

from rendimiento.medida import Medida, presentar


def ejecutar(que: str, medir: Callable[[bool], Sequence[Medida]]) -> None:
    """Mide, y escribe la tabla en la salida estándar.

    Args:
        que: una frase, para `--help`.
        medir: recibe si ha de ser breve.
    """
    lector = argparse.ArgumentParser(description=que)
    lector.add_argument("--breve", action="store_true", help="unos segundos; da una idea, no una cifra")
    presentar(medir(lector.parse_args().breve), Console())
