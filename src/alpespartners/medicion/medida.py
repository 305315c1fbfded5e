"""Una medida y la tabla en que se presenta.

Qué es: cuánto se midió, contra qué, qué se pedía, y una barra con lo que se gasta del margen.
Qué no es: un juicio automático; que una razón no cumpla se ve, y nadie falla por ello.
Por qué existe: todos los programas dicen sus cifras con la misma forma.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from rich.console import Console
from rich.progress_bar import ProgressBar
from rich.table import Table

_ANCHO_DE_LA_BARRA = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Medida:
    """Una fila de la tabla.

    Attributes:
        meta: la letra de la meta, como en docs/rendimiento.md.
        nombre: qué se midió.
        medido: lo medido, con sus unidades.
        techo: contra qué, con sus unidades; vacío si la meta es absoluta.
        cifra: la que se compara con el objetivo.
        objetivo: el límite pedido; `None` si la fila solo informa.
        como_minimo: si el objetivo es un mínimo; si no, es un máximo.
        unidad: la de la cifra y el objetivo; «×» si es una razón.
    """

    meta: str
    nombre: str
    medido: str
    techo: str = ""
    cifra: float
    objetivo: float | None = None
    como_minimo: bool = False
    unidad: str = "×"

    @property
    def cumple(self) -> bool:
        """Dice si la cifra está dentro del objetivo; sin objetivo, siempre."""
        return self.gasto <= 1

    @property
    def gasto(self) -> float:
        """Cuánto del margen se gasta: 0 es nada; 1, todo."""
        if self.objetivo is None:
            return 0
        parte, todo = (self.objetivo, self.cifra) if self.como_minimo else (self.cifra, self.objetivo)
        if not todo:
            return float("inf") if parte else 0
        return parte / todo


def presentar(medidas: Iterable[Medida], consola: Console) -> None:
    """Escribe la tabla; la barra se llena al gastar el margen."""
    tabla = Table(box=None, pad_edge=False)
    for titulo in ("", "Qué", "Medido", "Techo", "Cifra", "Objetivo", "Margen gastado", ""):
        tabla.add_column(titulo, no_wrap=titulo not in {"Qué", "Medido", "Techo"}, overflow="fold")
    for medida in medidas:
        con_objetivo = medida.objetivo is not None
        signo = "≥" if medida.como_minimo else "≤"
        tabla.add_row(
            medida.meta,
            medida.nombre,
            medida.medido,
            medida.techo,
            f"{medida.cifra:.3g} {medida.unidad}",
            f"{signo} {medida.objetivo:g} {medida.unidad}" if con_objetivo else "",
            ProgressBar(
                total=1,
                completed=min(1, medida.gasto),
                width=_ANCHO_DE_LA_BARRA,
                complete_style="green" if medida.cumple else "red",
                finished_style="green" if medida.cumple else "red",
            )
            if con_objetivo
            else "",
            ("cumple" if medida.cumple else "no cumple") if con_objetivo else "",
        )
    consola.print(tabla)
