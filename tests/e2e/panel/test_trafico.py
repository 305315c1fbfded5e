"""Robots y procedencias de una campaña en un navegador de verdad: se leen en cualquier pantalla."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.apoyo.campana import AHORA, VISTA, leer_procedencias, llenar
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria
from tests.apoyo.navegador import CHROMIUM
from tests.apoyo.pantalla import ANCHO_DE_TELEFONO, navegador, pantalla
from tests.apoyo.servidor import servidor

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="falta Chromium (paquete chromium)")


@pytest.fixture(scope="module")
def abierto() -> Iterator[Browser]:
    with navegador() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def direccion() -> Iterator[str]:
    puertos = PuertosEnMemoria()
    llenar(puertos)
    leer_procedencias(puertos)
    with servidor(api_en_memoria(puertos, reloj=lambda: AHORA)) as puerto:
        yield f"http://127.0.0.1:{puerto}"


@pytest.mark.parametrize("oscura", [False, True])
@pytest.mark.parametrize("ancho", [1280, ANCHO_DE_TELEFONO])
@pytest.mark.parametrize("vista", [VISTA, "/panel/influencers/inf-1"])
def test_se_leen_en_cualquier_pantalla_y_lo_ajeno_no_se_ejecuta(
    abierto: Browser, direccion: str, vista: str, ancho: int, *, oscura: bool
) -> None:
    with pantalla(abierto, ancho=ancho, oscura=oscura) as mirada:
        mirada.pagina.goto(f"{direccion}{vista}?bots=excluir")
        assert mirada.faltas_de_accesibilidad() == []
        assert not mirada.se_sale()
        assert mirada.quejas == []


@pytest.mark.parametrize(("idioma", "pais"), [("es-CO", "España"), ("en-GB", "Spain")])
def test_el_pais_se_dice_en_el_idioma_de_quien_mira_y_sin_guiones_con_su_codigo(
    abierto: Browser, direccion: str, idioma: str, pais: str
) -> None:
    for guiones, dicho in ((True, f"{pais} ES"), (False, "ES ES")):
        with pantalla(abierto, idioma=idioma, guiones=guiones) as mirada:
            mirada.pagina.goto(f"{direccion}{VISTA}")
            filas = mirada.pagina.get_by_role("region", name="País" if pais == "España" else "country")
            expect(filas.locator("th[scope=row]").filter(has_text="ES")).to_have_text(dicho)
            assert mirada.quejas == []


def test_se_quitan_los_robots_y_se_vuelve_a_ponerlos_sin_perder_el_periodo(
    abierto: Browser, direccion: str
) -> None:
    with pantalla(abierto) as mirada:
        pagina = mirada.pagina
        pagina.goto(f"{direccion}{VISTA}?desde=2024-03-01&hasta=2024-04-01")
        pagina.get_by_role("link", name="Sin robots", exact=True).click()
        pagina.wait_for_url("**bots=excluir**")
        assert pagina.get_by_text("No están en las cifras de esta página.").is_visible()
        pagina.get_by_label("Último día").fill("2024-03-20")
        pagina.get_by_role("button", name="Ver", exact=True).click()
        pagina.wait_for_url("**hasta=2024-03-21**")
        assert "bots=excluir" in pagina.url
        pagina.get_by_role("link", name="Con robots", exact=True).click()
        pagina.wait_for_url(lambda url: "bots" not in url)
        assert "hasta=2024-03-21" in pagina.url
        assert mirada.quejas == []
