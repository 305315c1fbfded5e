"""El avance de una orden larga en una terminal: qué está haciendo y cuánto lleva.

Qué es: una línea que se reescribe en el error estándar, si es una terminal; si no, nada.
Qué no es: el resultado, que va a la salida estándar y se puede guardar.
Por qué existe: leer un millón de mensajes tarda, y una orden callada parece rota.
"""

from types import TracebackType
from typing import Self

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, TextColumn, TimeElapsedColumn


class Avance:
    """El avance de una orden; se usa en un `with`.

    Args:
        total: cuánto será, si se sabe: entonces se ve qué parte falta.
    """

    def __init__(self, total: int | None = None) -> None:
        self._consola = Console(stderr=True)
        self._total = total
        cuanto_falta: list[ProgressColumn] = []
        if total is not None:
            cuanto_falta = [TextColumn("de {task.total:.0f}"), BarColumn()]
        self._barra = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TextColumn("{task.completed:.0f}"),
            *cuanto_falta,
            TimeElapsedColumn(),
            console=self._consola,
            transient=True,
            disable=not self._consola.is_terminal,
        )
        self._tarea = self._barra.add_task("", total=total)
        self._que = ""

    def __enter__(self) -> Self:
        self._barra.start()
        return self

    def __exit__(
        self, _tipo: type[BaseException] | None, _error: BaseException | None, _traza: TracebackType | None
    ) -> None:
        self._barra.stop()

    def avanzar(self, que: str, cuantos: int) -> None:
        """Dice qué se hace y cuánto más de ello se ha hecho."""
        if que != self._que:
            self._que = que
            self._barra.reset(self._tarea, description=que, total=self._total)
        self._barra.advance(self._tarea, cuantos)

    def decir(self, linea: str) -> None:
        """Escribe una línea en la salida estándar sin estropear el avance."""
        self._barra.stop()
        typer.echo(linea)
        self._barra.start()
