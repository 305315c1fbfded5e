"""Una medida y las dos tablas en que se presenta, que caben en 80 columnas.

Qué es: cuánto se midió y contra qué, frente a lo que se pedía (con una barra de lo que se gasta del margen) o
frente a lo que da una instalación sana.
Qué no es: un juicio automático; que una cifra no cumpla se ve, y nadie falla por ello. Tampoco son lo mismo
las dos: el objetivo es adonde se quiere llegar, y no llegar no es estar averiado.
Por qué existe: todos los programas dicen sus cifras con la misma forma.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from rich.console import Console
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

_ANCHO_DE_LA_BARRA = 8


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
        normal: lo peor que da una instalación sana, con holgura para una máquina modesta; `None` si no se
            mira.
        como_minimo: si el objetivo y lo normal son un mínimo; si no, son un máximo.
        unidad: la de la cifra y los límites; «×» si es una razón.
    """

    meta: str
    nombre: str
    medido: str
    techo: str = ""
    cifra: float
    objetivo: float | None = None
    normal: float | None = None
    como_minimo: bool = False
    unidad: str = "×"

    @property
    def cumple(self) -> bool:
        """Dice si la cifra está dentro del objetivo; sin objetivo, siempre."""
        return self.gasto <= 1

    @property
    def es_normal(self) -> bool:
        """Dice si la cifra es la de una instalación sana; si no se mira, siempre."""
        return self._gasto_de(self.normal) <= 1

    @property
    def gasto(self) -> float:
        """Cuánto del margen se gasta: 0 es nada; 1, todo."""
        return self._gasto_de(self.objetivo)

    def _gasto_de(self, limite: float | None) -> float:
        if limite is None:
            return 0
        parte, todo = (limite, self.cifra) if self.como_minimo else (self.cifra, limite)
        if not todo:
            return float("inf") if parte else 0
        return parte / todo


def presentar(medidas: Iterable[Medida], consola: Console) -> None:
    """Escribe cada medida frente a su objetivo; la barra se llena al gastar el margen."""
    tabla = _tabla("", "Qué", "Cifra", "Objetivo", "Gastado", "")
    for medida in medidas:
        con_objetivo = medida.objetivo is not None
        tabla.add_row(
            medida.meta,
            _que(medida),
            f"{medida.cifra:.3g} {medida.unidad}",
            _limite(medida, medida.objetivo),
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


def presentar_salud(medidas: Iterable[Medida], consola: Console) -> None:
    """Escribe las medidas que se miran, frente a lo normal, y en una frase si la instalación está sana."""
    miradas = [medida for medida in medidas if medida.normal is not None]
    tabla = _tabla("Qué", "Cifra", "Normal", "")
    for medida in miradas:
        tabla.add_row(
            _que(medida),
            f"{medida.cifra:.3g} {medida.unidad}",
            _limite(medida, medida.normal),
            Text("bien", "green") if medida.es_normal else Text("revíselo", "red"),
        )
    consola.print(tabla)
    raras = sum(not medida.es_normal for medida in miradas)
    consola.print(
        f"\n{raras} de {len(miradas)} medidas no son las de una instalación sana."
        if raras
        else "\nTodo es lo normal en una instalación sana.",
        highlight=False,
    )


def _tabla(*titulos: str) -> Table:
    tabla = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for titulo in titulos:
        tabla.add_column(titulo, no_wrap=titulo != "Qué")
    return tabla


def _que(medida: Medida) -> Text:
    detalle = ", frente a ".join(parte for parte in (medida.medido, medida.techo) if parte)
    return Text.assemble(medida.nombre, *([("\n" + detalle, "dim")] if detalle else []))


def _limite(medida: Medida, limite: float | None) -> str:
    return "" if limite is None else f"{'≥' if medida.como_minimo else '≤'} {limite:g} {medida.unidad}"
