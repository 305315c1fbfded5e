"""Un Chromium gobernado por Playwright, y las reglas de accesibilidad de axe: lo que ve y usa una persona."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Page,
    Request,
    sync_playwright,
)

from tests.apoyo.navegador import CHROMIUM

REGLAS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
ANCHO_DE_TELEFONO = 360


@dataclass
class Pantalla:
    """Una página abierta.

    Attributes:
        quejas: lo que el navegador anotó como error, incluido lo que le prohíbe la política de contenido, y
            los cuadros de diálogo que se abrieron: el panel no abre ninguno.
        pedidas: las direcciones que ha pedido.
    """

    pagina: Page
    quejas: list[str] = field(default_factory=list)
    pedidas: list[str] = field(default_factory=list)

    def faltas_de_accesibilidad(self) -> list[str]:
        """Las reglas de WCAG 2.2 AA que incumple lo que se ve, con dónde."""
        resultado: Any = Axe().run(self.pagina, options={"runOnly": {"type": "tag", "values": REGLAS}})
        return [
            f"{falta['id']}: {nodo['target']} {nodo['html'][:200]}"
            for falta in resultado.response["violations"]
            for nodo in falta["nodes"]
        ]

    def se_sale(self) -> bool:
        """Dice si lo que se ve no cabe a lo ancho."""
        return bool(self.pagina.evaluate("document.documentElement.scrollWidth > innerWidth"))


@contextmanager
def navegador() -> Iterator[Browser]:
    """Un Chromium sin ventana, para todas las pantallas de un módulo de pruebas."""
    with sync_playwright() as playwright:
        abierto = playwright.chromium.launch(
            executable_path=CHROMIUM,
            # Nada sale de esta máquina: una página que necesite a otra se ve rota.
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            ],
        )
        try:
            yield abierto
        finally:
            abierto.close()


@contextmanager
def pantalla(
    abierto: Browser,
    *,
    ancho: int = 1280,
    oscura: bool = False,
    idioma: str = "es-CO",
    guiones: bool = True,
    zona: str | None = None,
) -> Iterator[Pantalla]:
    """Una pantalla nueva, sin nada de las anteriores; sin `zona`, en la de esta máquina."""
    contexto: BrowserContext = abierto.new_context(
        viewport={"width": ancho, "height": 900},
        color_scheme="dark" if oscura else "light",
        locale=idioma,
        timezone_id=zona,
        java_script_enabled=guiones,
    )
    vista = Pantalla(contexto.new_page())
    vista.pagina.set_default_timeout(60_000)

    def anotar_queja(mensaje: ConsoleMessage) -> None:
        if mensaje.type == "error":
            vista.quejas.append(mensaje.text)

    def anotar_pedida(peticion: Request) -> None:
        vista.pedidas.append(peticion.url)

    def anotar_dialogo(dialogo: Dialog) -> None:
        vista.quejas.append(f"diálogo: {dialogo.message}")
        dialogo.dismiss()

    vista.pagina.on("console", anotar_queja)
    vista.pagina.on("dialog", anotar_dialogo)
    vista.pagina.on("request", anotar_pedida)
    vista.pagina.on("pageerror", lambda error: vista.quejas.append(str(error)))
    try:
        yield vista
    finally:
        contexto.close()
