"""La primera vez en un navegador de verdad: el botón, los nueve pasos y lo que falta cuando algo falta."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria
from tests.apoyo.navegador import CHROMIUM
from tests.apoyo.pantalla import ANCHO_DE_TELEFONO, Pantalla, navegador, pantalla
from tests.apoyo.servicio import instalacion
from tests.apoyo.servidor import servidor

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="falta Chromium (paquete chromium)")


@pytest.fixture(scope="module")
def abierto() -> Iterator[Browser]:
    with navegador() as chromium:
        yield chromium


def esperar_hechos(vista: Pantalla, cuantos: int) -> None:
    """Un clic vuelve antes de que se pinte la página a la que lleva."""
    expect(vista.pagina.locator(".linea-de-tiempo > .bien")).to_have_count(cuantos)


def probar(vista: Pantalla, direccion: str) -> None:
    vista.pagina.goto(f"{direccion}/panel/evento-de-prueba")
    vista.pagina.get_by_role("button", name="Enviar un evento de prueba").click()


def test_el_boton_envia_un_evento_que_llega_al_noveno_paso_y_sin_consumidores_espera(
    abierto: Browser, tmp_path: Path
) -> None:
    with instalacion(tmp_path) as servicio, pantalla(abierto) as vista:
        servicio.api()
        servicio.esperar_lista()
        direccion = f"http://127.0.0.1:{servicio.puerto}"
        vista.pagina.goto(f"{direccion}/panel")
        vista.pagina.get_by_role("button", name="Enviar un evento de prueba").click()
        vista.pagina.get_by_text("Ahora no hay ningún consumidor.").wait_for()
        esperar_hechos(vista, 4)
        assert vista.faltas_de_accesibilidad() == []
        servicio.consumidores()
        vista.pagina.get_by_text("Ha llegado.").wait_for()
        esperar_hechos(vista, 9)
        assert vista.faltas_de_accesibilidad() == []
        evento_id = vista.pagina.locator("h1 + p code").inner_text()
        guardado = servicio.http.get(f"/tracking/impresiones/{evento_id}")
        assert guardado.raise_for_status().json()["campaña_id"] == "demo-prueba"
        vista.pagina.goto(f"{direccion}/panel")
        vista.pagina.get_by_role("link", name="demo-prueba").wait_for()
        assert vista.quejas == []


@pytest.mark.parametrize("oscura", [False, True])
@pytest.mark.parametrize("ancho", [1280, ANCHO_DE_TELEFONO])
@pytest.mark.parametrize("idioma", ["es-CO", "en-US"])
def test_se_lee_en_cualquier_pantalla(
    abierto: Browser, tmp_path: Path, ancho: int, idioma: str, *, oscura: bool
) -> None:
    with (
        servidor(api_en_memoria(PuertosEnMemoria())) as puerto,
        pantalla(abierto, ancho=ancho, oscura=oscura, idioma=idioma) as vista,
    ):
        vista.pagina.goto(f"http://127.0.0.1:{puerto}/panel")
        vista.pagina.screenshot(path=tmp_path / "primera-vez.png", full_page=True)
        assert vista.faltas_de_accesibilidad() == []
        assert not vista.se_sale()
        vista.pagina.get_by_role("button", name=re.compile("evento de prueba|test event")).click()
        vista.pagina.get_by_text(re.compile("Ha llegado|It has arrived")).wait_for()
        vista.pagina.screenshot(path=tmp_path / "pasos.png", full_page=True)
        assert vista.faltas_de_accesibilidad() == []
        assert not vista.se_sale()
        assert vista.quejas == []


def test_sin_guiones_se_envia_y_se_actualiza_a_mano(abierto: Browser) -> None:
    puertos = PuertosEnMemoria(cuantos_consumidores=0)
    with servidor(api_en_memoria(puertos)) as puerto, pantalla(abierto, guiones=False) as vista:
        probar(vista, f"http://127.0.0.1:{puerto}")
        esperar_hechos(vista, 4)
        puertos.consumir()
        vista.pagina.get_by_role("link", name="Actualizar").click()
        esperar_hechos(vista, 9)


def test_una_orden_se_copia_entera(abierto: Browser) -> None:
    with servidor(api_en_memoria(PuertosEnMemoria())) as puerto, pantalla(abierto) as vista:
        direccion = f"http://127.0.0.1:{puerto}"
        vista.pagina.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=direccion)
        vista.pagina.goto(f"{direccion}/panel")
        orden = vista.pagina.locator(
            ".codigo", has=vista.pagina.get_by_role("region", name="Petición con curl")
        )
        orden.get_by_role("button", name="Copiar").click()
        expect(orden.get_by_role("button", name="Copiado")).to_be_visible()
        copiado = vista.pagina.evaluate("navigator.clipboard.readText()")
        assert copiado.startswith(f'curl -X POST "{direccion}/tracking/impresiones" \\\n')
        assert copiado.endswith("}'")
        assert vista.quejas == []
