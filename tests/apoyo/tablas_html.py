"""Lo que dicen las tablas, los dibujos y los enlaces de una página HTML, como los lee quien la mira."""

from dataclasses import dataclass
from html.parser import HTMLParser


@dataclass(frozen=True)
class Leido:
    """Lo leído; de cada texto, sin los espacios y saltos de más.

    Attributes:
        filas: las celdas de cada fila de las tablas, sin sus cabeceras.
        enlaces: la dirección de cada enlace, por su texto.
        dibujos: lo que dice cada uno.
        texto: todo lo demás.
    """

    filas: list[list[str]]
    enlaces: dict[str, str]
    dibujos: list[str]
    texto: str


def leer_html(html: str) -> Leido:
    """Lo que dice esa página."""
    lector = _Lector()
    lector.feed(html)
    lector.close()
    return Leido(
        [[_junto(celda) for celda in fila] for fila in lector.filas if fila],
        {_junto(texto): direccion for direccion, texto in lector.enlaces},
        [_junto(dibujo) for dibujo in lector.dibujos],
        _junto(lector.texto),
    )


class _Lector(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.filas: list[list[list[str]]] = []
        self.enlaces: list[tuple[str, list[str]]] = []
        self.dibujos: list[list[str]] = []
        self.texto: list[str] = []
        self._abiertas: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._abiertas.append(tag)
        if tag == "tr":
            self.filas.append([])
        elif tag in {"td", "th"} and "tbody" in self._abiertas:
            self.filas[-1].append([])
        elif tag == "a":
            self.enlaces.append((dict(attrs).get("href") or "", []))
        elif tag == "svg":
            self.dibujos.append([])
        # Lo que va en otra línea no está pegado a lo de antes.
        self.handle_data(" " if tag == "div" else "")

    def handle_endtag(self, tag: str) -> None:
        while self._abiertas and self._abiertas.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if "svg" in self._abiertas:
            self.dibujos[-1].append(data)
            return
        self.texto.append(data)
        if "tbody" in self._abiertas and self.filas[-1]:
            self.filas[-1][-1].append(data)
        if "a" in self._abiertas:
            self.enlaces[-1][1].append(data)


def _junto(partes: list[str]) -> str:
    # Los espacios finos y los que no se parten son parte de lo que se escribe.
    return " ".join(parte for parte in "".join(partes).replace("\n", " ").split(" ") if parte)
