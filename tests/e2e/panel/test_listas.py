"""Las listas y un influencer en un navegador de verdad: se leen, se recorren y nada hostil se ejecuta."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, expect

from alpespartners.modulos.tracking.aplicacion import clases
from tests.apoyo.eventos import AHORA, conversion, impresion
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria
from tests.apoyo.navegador import CHROMIUM
from tests.apoyo.pantalla import ANCHO_DE_TELEFONO, navegador, pantalla
from tests.apoyo.servidor import servidor

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="falta Chromium (paquete chromium)")

HOSTIL = "<img src=x onerror=alert(1)>/%2F ñ&\"'?#"
UN_INFLUENCER = f"/panel/influencers/{quote(HOSTIL, safe='')}"


@pytest.fixture(scope="module")
def abierto() -> Iterator[Browser]:
    with navegador() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def direccion() -> Iterator[str]:
    """Un servicio con sesenta campañas y otros tantos influencers, y uno hostil con ventas."""
    puertos = PuertosEnMemoria()
    impresiones = puertos.registrado.libros[clases.IMPRESIONES].eventos
    for numero in range(60):
        impresiones[f"{numero}"] = impresion(campaña_id=f"c{numero:02}", influencer_id=f"i{numero:02}")
    venta = conversion(
        id=HOSTIL, campaña_id=HOSTIL, influencer_id=HOSTIL, cupon="<b>VERANO</b>", timestamp=AHORA
    )
    puertos.registrado.libros[clases.CONVERSIONES].eventos[HOSTIL] = venta
    with servidor(api_en_memoria(puertos, reloj=lambda: AHORA)) as puerto:
        yield f"http://127.0.0.1:{puerto}"


@pytest.mark.parametrize("oscura", [False, True])
@pytest.mark.parametrize("ancho", [1280, ANCHO_DE_TELEFONO])
@pytest.mark.parametrize("vista", ["/panel", "/panel/influencers", UN_INFLUENCER])
def test_se_lee_en_cualquier_pantalla_y_lo_hostil_se_ve_sin_ejecutarse(
    abierto: Browser, direccion: str, vista: str, ancho: int, *, oscura: bool
) -> None:
    with pantalla(abierto, ancho=ancho, oscura=oscura) as mirada:
        mirada.pagina.goto(f"{direccion}{vista}")
        assert mirada.pagina.get_by_text(HOSTIL, exact=True).first.is_visible()
        assert mirada.faltas_de_accesibilidad() == []
        assert not mirada.se_sale()
        assert mirada.quejas == []


UNA_CAMPAÑA = f"/panel/campa%C3%B1as/{quote(HOSTIL, safe='')}"
LAS_QUE_NO_SE_VEN = """celdas => celdas.map(celda => celda.getBoundingClientRect())
    .filter(caja => caja.left < 0 || caja.right > innerWidth).length"""


@pytest.mark.parametrize("vista", ["/panel", "/panel/influencers", UN_INFLUENCER, UNA_CAMPAÑA])
def test_en_un_telefono_se_ven_todas_las_cifras_con_su_nombre_sin_desplazar(
    abierto: Browser, direccion: str, vista: str
) -> None:
    with pantalla(abierto, ancho=ANCHO_DE_TELEFONO) as mirada:
        mirada.pagina.goto(f"{direccion}{vista}")
        cifras = mirada.pagina.locator("td.cifra").filter(visible=True)
        assert cifras.count() > 5
        assert cifras.evaluate_all(LAS_QUE_NO_SE_VEN) == 0
        for nombre in cifras.evaluate_all("celdas => celdas.map(celda => celda.dataset.columna)"):
            assert nombre
            assert mirada.pagina.locator("thead th").filter(has_text=nombre).count()


@pytest.mark.parametrize("guiones", [True, False])
@pytest.mark.parametrize(("lista", "letra"), [("/panel", "c"), ("/panel/influencers", "i")])
def test_se_pasa_de_pagina_y_se_vuelve_a_la_primera(
    abierto: Browser, direccion: str, lista: str, letra: str, *, guiones: bool
) -> None:
    with pantalla(abierto, guiones=guiones) as mirada:
        pagina = mirada.pagina
        pagina.goto(f"{direccion}{lista}?prefijo={letra}")
        primeros = pagina.locator("tbody th").all_inner_texts()
        pagina.get_by_role("link", name="Página siguiente").click()
        pagina.wait_for_url("**cursor=**")
        segundos = pagina.locator("tbody th").all_inner_texts()
        assert [*primeros, *segundos] == [f"{letra}{n:02}" for n in range(60)]
        pagina.get_by_role("link", name="Primera página").click()
        pagina.wait_for_url(f"**{lista}?prefijo={letra}")
        assert pagina.locator("tbody th").all_inner_texts() == primeros


@pytest.mark.parametrize("guiones", [True, False])
def test_borrar_lo_buscado_devuelve_la_lista_entera(
    abierto: Browser, direccion: str, *, guiones: bool
) -> None:
    with pantalla(abierto, guiones=guiones) as mirada:
        pagina = mirada.pagina
        pagina.goto(f"{direccion}/panel/influencers?prefijo=i59")
        expect(pagina.locator("tbody tr")).to_have_count(1)
        pagina.get_by_role("searchbox").fill("")
        pagina.get_by_role("button", name="Buscar").click()
        pagina.get_by_role("link", name="i00").wait_for()
        assert mirada.quejas == []


@pytest.mark.parametrize("lista", ["/panel", "/panel/influencers"])
def test_de_una_busqueda_se_vuelve_atras_de_una_vez_y_si_no_halla_nada_se_ven_todos(
    abierto: Browser, direccion: str, lista: str
) -> None:
    with pantalla(abierto) as mirada:
        pagina = mirada.pagina
        pagina.goto(f"{direccion}/panel/sistema")
        pagina.goto(f"{direccion}{lista}")
        entradas = pagina.evaluate("history.length")
        buscador = pagina.get_by_role("searchbox")
        buscador.press_sequentially("no hay")
        pagina.wait_for_url("**prefijo=no%20hay")
        with pagina.expect_response("**prefijo=no*"):
            buscador.press("Enter")
        todos = pagina.get_by_role("link", name="todas" if lista == "/panel" else "todos")
        todos.wait_for()
        assert pagina.evaluate("history.length") == entradas
        pagina.go_back()
        pagina.wait_for_url("**/panel/sistema")
        pagina.go_forward()
        todos.click()
        pagina.wait_for_url(f"**{lista}")
        expect(pagina.locator("tbody tr").nth(1)).to_be_visible()
        assert mirada.quejas == []


def test_de_la_lista_se_llega_a_un_influencer_y_a_otro_periodo_suyo(abierto: Browser, direccion: str) -> None:
    with pantalla(abierto) as mirada:
        pagina = mirada.pagina
        pagina.goto(f"{direccion}/panel")
        pagina.get_by_role("link", name="Influencers").click()
        pagina.get_by_role("link", name=HOSTIL, exact=True).click()
        assert pagina.get_by_role("heading", level=1).inner_text() == HOSTIL
        assert pagina.locator("canvas").first.is_visible()
        pagina.get_by_label("Último día").fill("2026-01-14")
        pagina.get_by_role("button", name="Ver", exact=True).click()
        pagina.wait_for_url("**hasta=2026-01-15**")
        assert "14 ene 2026" in pagina.locator("main").inner_text()
        assert mirada.quejas == []
