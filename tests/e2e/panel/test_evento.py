"""Explicar un evento y lo que no se registró, en un navegador de verdad."""

from collections.abc import Iterator
from urllib.parse import quote

import httpx2
import pytest
from playwright.sync_api import Browser, expect

from tests.apoyo.casos_de_destino import DE_TODO, HOSTIL, puertos_con_de_todo
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria
from tests.apoyo.navegador import CHROMIUM
from tests.apoyo.pantalla import ANCHO_DE_TELEFONO, Pantalla, navegador, pantalla
from tests.apoyo.servidor import servidor

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="falta Chromium (paquete chromium)")

VISTAS = {
    "de todo": f"/panel/evento?id={DE_TODO}",
    "hostil": f"/panel/evento?id={quote(HOSTIL, safe='')}",
    "nadie": "/panel/evento?id=nadie",
    "casi": f"/panel/evento?id={quote(DE_TODO + chr(0x200B), safe='')}",
    "sin id": "/panel/evento",
    "rechazados": "/panel/rechazos",
    "ignorados": "/panel/rechazos?estado=IGNORADA",
    "ilegibles": "/panel/rechazos?estado=ILEGIBLE",
    "duplicados": "/panel/rechazos?estado=DUPLICADA",
}


@pytest.fixture(scope="module")
def abierto() -> Iterator[Browser]:
    with navegador() as chromium:
        yield chromium


@pytest.fixture
def puertos() -> PuertosEnMemoria:
    return puertos_con_de_todo()


@pytest.fixture
def direccion(puertos: PuertosEnMemoria) -> Iterator[str]:
    with servidor(api_en_memoria(puertos)) as puerto:
        yield f"http://127.0.0.1:{puerto}"


def desplegar(vista: Pantalla) -> None:
    for plegado in vista.pagina.locator("details").all():
        plegado.evaluate("plegado => { plegado.open = true }")


@pytest.mark.parametrize("oscura", [False, True])
@pytest.mark.parametrize(("ancho", "idioma"), [(1280, "es-CO"), (ANCHO_DE_TELEFONO, "en-US")])
def test_se_leen_en_cualquier_pantalla_y_lo_hostil_se_ve_sin_ejecutarse(
    abierto: Browser, direccion: str, ancho: int, idioma: str, *, oscura: bool
) -> None:
    with pantalla(abierto, ancho=ancho, oscura=oscura, idioma=idioma) as vista:
        for nombre, ruta in VISTAS.items():
            vista.pagina.goto(direccion + ruta)
            desplegar(vista)
            assert (nombre, vista.faltas_de_accesibilidad()) == (nombre, [])
            assert (nombre, vista.se_sale()) == (nombre, False)
        assert vista.quejas == []


def test_en_un_telefono_lo_registrado_se_lee_sin_desplazarlo(abierto: Browser, direccion: str) -> None:
    with pantalla(abierto, ancho=ANCHO_DE_TELEFONO) as vista:
        vista.pagina.goto(direccion + VISTAS["de todo"])
        registrado = vista.pagina.get_by_role("group", name="Lo que se registró").first
        assert registrado.evaluate("tabla => tabla.scrollWidth - tabla.clientWidth") == 0


def test_lo_que_no_se_ve_se_ve(abierto: Browser, direccion: str) -> None:
    with pantalla(abierto) as vista:
        vista.pagina.goto(direccion + VISTAS["de todo"])
        desplegar(vista)
        assert vista.pagina.get_by_title("U+202E RIGHT-TO-LEFT OVERRIDE").first.is_visible()
        assert vista.pagina.get_by_title("U+200B ZERO WIDTH SPACE").first.is_visible()
        assert vista.pagina.get_by_text(HOSTIL).first.is_visible()


def test_se_pregunta_por_un_id_y_lo_que_aun_no_llego_aparece_solo(
    abierto: Browser, direccion: str, puertos: PuertosEnMemoria
) -> None:
    puertos.cuantos_consumidores = 0
    evento = {"id": HOSTIL + "2", "campaña_id": "cmp-1"}
    httpx2.post(f"{direccion}/tracking/impresiones", json=evento).raise_for_status()
    with pantalla(abierto) as vista:
        vista.pagina.goto(f"{direccion}/panel/evento")
        vista.pagina.get_by_role("main").get_by_role("searchbox").fill(HOSTIL + "2")
        vista.pagina.get_by_role("button", name="Explicar").click()
        vista.pagina.get_by_role("heading", name="No consta nada de").wait_for()
        assert "ahora no hay ninguno" in vista.pagina.inner_text("main")
        puertos.cuantos_consumidores = 1
        puertos.consumir()
        vista.pagina.get_by_role("heading", name="Registrada").wait_for()
        expect(vista.pagina.get_by_role("heading", name="No consta nada de")).to_have_count(0)
        assert vista.pagina.url.endswith(f"?id={quote(HOSTIL + '2', safe='*-._').replace('%20', '+')}")
        assert vista.quejas == []


# Lo que un lector de pantalla anunciaría por su cuenta: cada cambio dentro de una región viva.
ESCUCHAR = """() => {
    window.anunciado = [];
    const vivas = '[aria-live]:not([aria-live="off"]), [role="status"], [role="alert"]';
    new MutationObserver((cambios) => {
        for (const {target} of cambios) {
            const viva = (target.closest ? target : target.parentElement).closest(vivas);
            if (viva && viva.textContent.trim()) window.anunciado.push(viva.textContent.trim());
        }
    }).observe(document.body, {subtree: true, childList: true, characterData: true});
}"""


def test_de_lo_que_la_pagina_mira_sola_solo_se_anuncia_lo_nuevo(
    abierto: Browser, direccion: str, puertos: PuertosEnMemoria
) -> None:
    puertos.cuantos_consumidores = 0
    evento = {"id": "tarde", "campaña_id": "cmp-1"}
    httpx2.post(f"{direccion}/tracking/impresiones", json=evento).raise_for_status()
    with pantalla(abierto) as vista:
        vista.pagina.goto(f"{direccion}/panel/evento?id=tarde")
        vista.pagina.evaluate(ESCUCHAR)
        vista.pagina.locator("#espera[hx-get$='vuelta=3']").wait_for()
        assert vista.pagina.evaluate("anunciado") == []
        puertos.cuantos_consumidores = 1
        puertos.consumir()
        vista.pagina.get_by_role("heading", name="Registrada").wait_for()
        assert vista.pagina.evaluate("anunciado") == ["Registrada (impresión)"]


def test_quien_esta_en_el_enlace_de_mirar_otra_vez_sigue_en_el_cuando_la_pagina_mira_sola(
    abierto: Browser, direccion: str
) -> None:
    with pantalla(abierto) as vista:
        vista.pagina.goto(f"{direccion}{VISTAS['nadie']}")
        vista.pagina.get_by_role("link", name="Mirar otra vez").focus()
        vista.pagina.locator("#espera[hx-get$='vuelta=2']").wait_for()
        assert vista.pagina.evaluate("document.activeElement.textContent") == "Mirar otra vez"
        assert vista.pagina.get_by_text("la página mira sola").is_visible()


def test_desde_cuando_se_elige_en_un_calendario_y_vuelve_a_el(abierto: Browser, direccion: str) -> None:
    with pantalla(abierto, guiones=False) as vista:
        vista.pagina.goto(f"{direccion}/panel/rechazos?desde=2026-01-15T10:36:02.123456Z")
        campo = vista.pagina.get_by_label("Decididos desde (UTC)")
        assert campo.input_value() == "2026-01-15T10:36:02.123"
        vista.pagina.get_by_role("button", name="Filtrar").click()
        vista.pagina.wait_for_url("**desde=2026-01-15T10:36:02.123000Z**")
        campo.fill("2026-01-15T10:36:05")
        vista.pagina.get_by_role("button", name="Filtrar").click()
        vista.pagina.wait_for_url("**desde=2026-01-15T10:36:05Z**")
        expect(vista.pagina.get_by_role("article")).to_have_count(1)


def test_sin_guiones_se_pregunta_se_filtra_y_se_va_de_la_lista_a_la_historia(
    abierto: Browser, direccion: str
) -> None:
    with pantalla(abierto, guiones=False) as vista:
        vista.pagina.goto(f"{direccion}/panel/rechazos")
        vista.pagina.get_by_label("Motivo").select_option("moneda_desconocida")
        vista.pagina.get_by_role("button", name="Filtrar").click()
        expect(vista.pagina.get_by_role("article")).to_have_count(1)
        vista.pagina.get_by_role("article").get_by_role("link", name=DE_TODO).click()
        expect(vista.pagina.get_by_role("heading", level=3)).to_have_count(7)
        conflicto = vista.pagina.get_by_role("row", name="valor (decide el dinero)")
        assert conflicto.get_by_role("cell").all_inner_texts() == ["15000.00", "150000.00"]
