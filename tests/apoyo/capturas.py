"""Lo que se ve en cada vista, para que lo mire una persona: las pruebas lo guardan si se pide.

`bin/probar tests/e2e/panel --capturas CARPETA` deja ahí una imagen por vista, ancho, tema e idioma.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page

_LONGITUD_MAXIMA = 100


@dataclass(frozen=True, slots=True)
class Guardar:
    """Guarda lo que se ve en una página.

    Attributes:
        carpeta: dónde; `None` si no se pide, y entonces no hace nada.
    """

    carpeta: Path | None

    def __call__(self, pagina: Page, nombre: str, *, entera: bool = True) -> None:
        """Con ese nombre; `entera`, también lo que no cabe en la ventana."""
        if self.carpeta is None:
            return
        self.carpeta.mkdir(parents=True, exist_ok=True)
        # El final dice en qué pantalla se vio.
        limpio = re.sub(r"[^\w.-]+", "_", nombre)[-_LONGITUD_MAXIMA:].strip("_")
        pagina.screenshot(path=self.carpeta / f"{limpio}.png", full_page=entera)
