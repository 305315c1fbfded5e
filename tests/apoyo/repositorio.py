"""Los archivos del repositorio, para las pruebas que leen el código en vez de ejecutarlo."""

import ast
from collections.abc import Iterator
from pathlib import Path

RAIZ = Path(__file__).parents[2]
PAQUETE = RAIZ / "src" / "alpespartners"

_CARPETAS = (".ci", "bin", "clientes", "docs", "ejemplos", "requisitos", "src", "tests")
_GENERADAS = {"__pycache__", ".hypothesis", ".mypy_cache", ".pytest_cache", ".ruff_cache", "target"}


def archivos() -> Iterator[Path]:
    """Todo lo que se publica: los archivos de la raíz y las carpetas propias, sin lo generado."""
    # En un árbol de trabajo añadido, `.git` es un archivo.
    yield from (
        ruta
        for ruta in RAIZ.iterdir()
        if ruta.is_file() and ruta.name != ".git" and not ruta.name.startswith(".coverage")
    )
    for carpeta in _CARPETAS:
        for ruta in (RAIZ / carpeta).rglob("*"):
            if ruta.is_file() and not _GENERADAS.intersection(ruta.parts):
                yield ruta


def modulos(carpeta: Path) -> Iterator[tuple[str, ast.Module]]:
    """Cada módulo Python bajo `carpeta`: su ruta dentro del repositorio y su árbol."""
    for ruta in sorted(carpeta.rglob("*.py")):
        yield str(ruta.relative_to(RAIZ)), ast.parse(ruta.read_text(encoding="utf-8"))
