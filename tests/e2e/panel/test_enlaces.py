"""Hacer un enlace corto en un navegador de verdad: desde su campaña, hasta el código QR en un archivo."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.apoyo.capturas import Guardar
from tests.apoyo.codigos_qr import modulos_de, modulos_que_dicen
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria
from tests.apoyo.navegador import CHROMIUM
from tests.apoyo.pantalla import ANCHO_DE_TELEFONO, navegador, pantalla
from tests.apoyo.servicio import instalacion
from tests.apoyo.servidor import servidor

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="falta Chromium (paquete chromium)")


@pytest.fixture(scope="module")
def abierto() -> Iterator[Browser]:
    with navegador() as chromium:
        yield chromium


def escribir(pagina: Page, **campos: str) -> None:
    for nombre, valor in campos.items():
        pagina.locator(f"#{nombre}").fill(valor)
    pagina.get_by_role("button", name="Hacer el enlace").click()


def test_desde_la_pagina_de_una_campaña_se_hace_un_enlace_y_su_codigo_dice_la_direccion(
    abierto: Browser, tmp_path: Path
) -> None:
    with instalacion(tmp_path) as servicio, pantalla(abierto) as vista:
        servicio.api()
        servicio.consumidores()
        servicio.esperar_lista()
        direccion = f"http://127.0.0.1:{servicio.puerto}"
        evento = {"id": "i", "campaña_id": "verano", "influencer_id": "ana", "tipo_evento": "CLIC"}
        espera = {"Prefer": "wait=30"}
        servicio.http.post("/tracking/impresiones", json=evento, headers=espera).raise_for_status()
        pagina = vista.pagina
        pagina.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=direccion)
        pagina.goto(f"{direccion}/panel/campa%C3%B1as/verano")
        pagina.get_by_role("link", name="Hacer un enlace corto").click()
        expect(pagina.locator("#campaña_id")).to_have_value("verano")
        escribir(pagina, influencer_id="ana", enlace_id="ana-verano", destino="https://tienda.com/zapatos")
        enlace = f"{direccion}/c/ana-verano"
        pagina.get_by_role("heading", name="ana-verano").wait_for()
        assert modulos_de(pagina.locator(".qr").inner_html()) == modulos_que_dicen(enlace)
        pagina.get_by_role("button", name="Copiar").click()
        expect(pagina.get_by_role("button", name="Copiado")).to_be_visible()
        assert pagina.evaluate("navigator.clipboard.readText()") == enlace
        with pagina.expect_download() as bajada:
            pagina.get_by_role("link", name="Descargar el código QR (SVG)").click()
        assert bajada.value.suggested_filename == "ana-verano.svg"
        archivo = Path(bajada.value.path()).read_text(encoding="utf-8")
        assert modulos_de(archivo) == modulos_que_dicen(enlace)
        guardado = servicio.http.get("/tracking/enlaces/ana-verano").raise_for_status().json()
        assert (guardado["campaña_id"], guardado["influencer_id"]) == ("verano", "ana")
        assert vista.quejas == []


@pytest.mark.parametrize("oscura", [False, True])
@pytest.mark.parametrize("ancho", [1280, ANCHO_DE_TELEFONO])
def test_las_faltas_se_leen_junto_a_su_campo_en_cualquier_pantalla(
    abierto: Browser, guardar: Guardar, ancho: int, *, oscura: bool
) -> None:
    with (
        servidor(api_en_memoria(PuertosEnMemoria())) as puerto,
        pantalla(abierto, ancho=ancho, oscura=oscura) as vista,
    ):
        vista.pagina.goto(f"http://127.0.0.1:{puerto}/panel/enlace-nuevo")
        escribir(vista.pagina, destino="tienda.com", enlace_id="con espacios no", parametro_clic="sub1")
        vista.pagina.get_by_text("No se ha hecho: hay 4 campos que no valen.").wait_for()
        guardar(vista.pagina, f"enlace-con-faltas-{ancho}-{'dark' if oscura else 'light'}")
        assert vista.faltas_de_accesibilidad() == []
        assert not vista.se_sale()


def test_sin_guiones_se_hace_un_enlace(abierto: Browser) -> None:
    puertos = PuertosEnMemoria()
    with servidor(api_en_memoria(puertos)) as puerto, pantalla(abierto, guiones=False) as vista:
        vista.pagina.goto(f"http://127.0.0.1:{puerto}/panel/enlaces")
        vista.pagina.get_by_role("link", name="Hacer un enlace corto").click()
        escribir(vista.pagina, campaña_id="verano", enlace_id="juan", destino="https://tienda.com/")
        vista.pagina.get_by_role("heading", name="juan").wait_for()
        assert puertos.enlaces.guardados["juan"].campaña_id == "verano"
