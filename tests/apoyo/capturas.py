"""Lo que se ve en cada vista, para que lo mire una persona: las pruebas lo guardan si se pide.

`bin/probar tests/e2e/panel --capturas CARPETA` deja ahí una imagen por vista, ancho, tema e idioma.
"""

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page

Guardar = Callable[[Page, str], None]
"""Guarda una página con ese nombre; no hace nada si no se pide."""
_LONGITUD_MAXIMA = 100


def en_carpeta(carpeta: Path | None) -> Guardar:
    """Quien guarda en esa carpeta."""
    if carpeta is None:
        return lambda pagina, nombre: None  # noqa: ARG005 (cumple `Guardar`)
    carpeta.mkdir(parents=True, exist_ok=True)

    def guardar(pagina: Page, nombre: str) -> None:
        limpio = re.sub(r"[^\w.-]+", "_", nombre)
        # El final dice en qué pantalla se vio.
        archivo = carpeta / f"{limpio[-_LONGITUD_MAXIMA:].strip('_')}.png"
        pagina.screenshot(path=archivo, full_page=True)

    return guardar
