"""La vista de una campaña en un navegador de verdad: sus gráficos, su formulario y su informe impreso."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import httpx2
import pytest
from playwright.sync_api import Browser, Page

from tests.apoyo.campana import (
    AHORA,
    HOSTIL,
    INFORME,
    VISTA,
    EnElPanel,
    fila_de_la_serie,
    llenar,
    monedas_de,
)
from tests.apoyo.instalados import ejecutar
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria
from tests.apoyo.navegador import CHROMIUM
from tests.apoyo.pantalla import ANCHO_DE_TELEFONO, navegador, pantalla
from tests.apoyo.servidor import servidor

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="falta Chromium (paquete chromium)")

COMPARADA = "?comparar=periodo_anterior&zona=America/Bogota"
XHTML = "{http://www.w3.org/1999/xhtml}"
LETRA_MENOR = 5.5
GRAFICOS = ["Impresiones", "Clics", "Visualizaciones", "Conversiones", "Valor en COP", "Valor en USD"]


@pytest.fixture(scope="module")
def abierto() -> Iterator[Browser]:
    with navegador() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def direccion() -> Iterator[str]:
    puertos = PuertosEnMemoria()
    llenar(puertos)
    with servidor(api_en_memoria(puertos, reloj=lambda: AHORA)) as puerto:
        yield f"http://127.0.0.1:{puerto}"


def titulos_de_los_graficos(pagina: Page) -> list[str]:
    pagina.locator(".grafico canvas").first.wait_for()
    return pagina.locator(".grafico figcaption").all_text_contents()


@pytest.mark.parametrize("oscura", [False, True])
@pytest.mark.parametrize("ancho", [1280, ANCHO_DE_TELEFONO])
def test_se_lee_en_cualquier_pantalla_con_sus_graficos_y_lo_hostil_no_se_ejecuta(
    abierto: Browser, direccion: str, ancho: int, *, oscura: bool
) -> None:
    with pantalla(abierto, ancho=ancho, oscura=oscura) as vista:
        vista.pagina.goto(f"{direccion}{VISTA}{COMPARADA}")
        assert titulos_de_los_graficos(vista.pagina) == GRAFICOS
        vista.pagina.locator("summary").evaluate_all("todos => todos.forEach(uno => uno.click())")
        assert vista.pagina.get_by_role("heading", level=1).inner_text() == HOSTIL
        assert vista.faltas_de_accesibilidad() == []
        assert not vista.se_sale()
        assert vista.quejas == []


def test_los_puntos_y_los_rotulos_de_un_grafico_son_los_de_la_tabla(abierto: Browser, direccion: str) -> None:
    with pantalla(abierto) as vista:
        vista.pagina.goto(f"{direccion}{VISTA}?zona=Asia/Kolkata&desde=2024-03-01&hasta=2024-03-11")
        titulos_de_los_graficos(vista.pagina)
        marco = vista.pagina.locator(".grafico .u-over").first
        caja = marco.bounding_box()
        assert caja is not None
        marco.hover(position={"x": caja["width"] - 1, "y": caja["height"] / 2})
        leyenda = vista.pagina.locator(".grafico .u-legend").first
        ultima = vista.pagina.locator("table[data-grafico] tbody tr").last
        assert [texto.strip() for texto in leyenda.locator(".u-value").all_text_contents()] == [
            texto.strip() for texto in ultima.locator("th, td").all_text_contents()[:2]
        ]


def test_el_grafico_cambia_de_ancho_con_la_pagina_y_no_se_repite(abierto: Browser, direccion: str) -> None:
    with pantalla(abierto) as vista:
        vista.pagina.goto(f"{direccion}{VISTA}")
        titulos_de_los_graficos(vista.pagina)
        vista.pagina.set_viewport_size({"width": ANCHO_DE_TELEFONO, "height": 900})
        vista.pagina.wait_for_function("document.querySelector('.uplot').getBoundingClientRect().width < 360")
        vista.pagina.emulate_media(color_scheme="dark")
        assert titulos_de_los_graficos(vista.pagina) == GRAFICOS
        assert not vista.se_sale()


def test_se_eligen_dias_que_cuentan_los_dos_y_la_zona_propia_es_la_primera(
    abierto: Browser, direccion: str
) -> None:
    with pantalla(abierto) as vista:
        vista.pagina.goto(f"{direccion}{VISTA}")
        propia = vista.pagina.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone")
        assert vista.pagina.locator("select[name=zona] option").first.inner_text() == propia
        vista.pagina.get_by_label("Primer día").fill("2024-03-01")
        vista.pagina.get_by_label("Último día, incluido").fill("2024-03-31")
        vista.pagina.get_by_label("Zona horaria").select_option("America/Bogota")
        vista.pagina.get_by_role("button", name="Ver", exact=True).click()
        vista.pagina.get_by_text("31 días enteros").wait_for()
        assert vista.pagina.url.endswith(
            "?desde=2024-03-01&zona=America/Bogota&granularidad=dia&hasta=2024-04-01"
        )
        assert vista.pagina.get_by_label("Último día, incluido").input_value() == "2024-03-31"


def test_sin_guiones_se_lee_todo_y_se_elige_igual(abierto: Browser, direccion: str) -> None:
    with pantalla(abierto, guiones=False) as vista:
        vista.pagina.goto(f"{direccion}{VISTA}")
        vista.pagina.get_by_text("Los números", exact=True).click()
        assert vista.pagina.locator("table[data-grafico] tbody tr").first.is_visible()
        vista.pagina.get_by_label("Comparar con").select_option("periodo_anterior")
        vista.pagina.get_by_role("button", name="Ver", exact=True).click()
        vista.pagina.get_by_text("Frente a: El periodo anterior").wait_for()


def test_impresa_lleva_sus_numeros_y_sus_graficos_sin_controles(abierto: Browser, direccion: str) -> None:
    dicho: Any = httpx2.get(f"{direccion}{INFORME}{COMPARADA}", timeout=60).json()
    with pantalla(abierto, oscura=True) as vista:
        vista.pagina.goto(f"{direccion}{VISTA}{COMPARADA}")
        titulos_de_los_graficos(vista.pagina)
        vista.pagina.emulate_media(media="print", color_scheme="light")
        assert titulos_de_los_graficos(vista.pagina) == GRAFICOS
        texto = vista.pagina.locator("main").inner_text()
        for cifra in EnElPanel(dicho["total"], list(dicho["total"]["valor"])).cifras().values():
            assert cifra in texto
        assert f"{direccion}{VISTA}{COMPARADA}&desde=2024-03-17&hasta=2024-04-16" in texto
        assert "zona horaria: America/Bogota" in texto
        assert vista.pagina.locator("table[data-grafico] tbody tr").last.is_visible()
        assert not vista.pagina.get_by_role("button").first.is_visible()
        assert not vista.pagina.get_by_role("link", name="7 días").is_visible()


def sin_huecos(texto: str) -> str:
    return " ".join(texto.split())


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="falta pdftotext (paquete poppler-utils)")
@pytest.mark.parametrize(
    ("pedido", "paginas"), [("", 3), (COMPARADA, 4), ("?granularidad=semana&comparar=dia_semana", 4)]
)
def test_el_pdf_dice_lo_que_el_informe_y_nada_se_corta_ni_se_encoge(
    abierto: Browser, direccion: str, tmp_path: Path, pedido: str, paginas: int
) -> None:
    dicho: Any = httpx2.get(f"{direccion}{INFORME}{pedido}", timeout=60).json()
    hoja = tmp_path / "informe.pdf"
    with pantalla(abierto, oscura=True) as vista:
        vista.pagina.goto(f"{direccion}{VISTA}{pedido}")
        titulos_de_los_graficos(vista.pagina)
        vista.pagina.pdf(path=hoja, prefer_css_page_size=True)
        vista.pagina.emulate_media(media="print")
        celdas = vista.pagina.locator("tbody :is(th, td)").all_inner_texts()
    lineas = ejecutar(["pdftotext", "-layout", hoja, "-"], tmp_path).splitlines()
    escrito = sin_huecos(" ".join(lineas))
    monedas = monedas_de(dicho["total"])
    for cifra in EnElPanel(dicho["total"], monedas).cifras().values():
        assert sin_huecos(cifra) in escrito
    series = {sin_huecos(linea) for linea in lineas}
    for fila in dicho["filas"]:
        suya = sin_huecos(" ".join(fila_de_la_serie(fila, monedas)))
        assert any(linea.endswith(suya) for linea in series), suya
    assert [celda for celda in celdas if not {*celda.split()} <= {*escrito.split()}] == []
    for menu in ("Primer día", "7 días", "Explicar un evento", "Llevárselo", "Documentación de la API"):
        assert menu not in escrito
    con_lugares = ejecutar(["pdftotext", "-bbox", hoja, "-"], tmp_path)
    hojas = ET.fromstring(con_lugares).iter(f"{XHTML}page")  # noqa: S314 (lo escribe pdftotext)
    for numero, pagina in enumerate(hojas, 1):
        ancho, alto = float(pagina.attrib["width"]), float(pagina.attrib["height"])
        assert numero <= paginas
        for palabra in pagina.iter(f"{XHTML}word"):
            lados = {lado: float(palabra.attrib[lado]) for lado in ("xMin", "xMax", "yMin", "yMax")}
            assert lados["xMin"] >= 0, palabra.text
            assert lados["yMin"] >= 0, palabra.text
            assert lados["xMax"] <= ancho, palabra.text
            assert lados["yMax"] <= alto, palabra.text
            # Seis puntos de letra: lo que encoge el navegador si algo no cabe a lo ancho es más pequeño.
            assert lados["yMax"] - lados["yMin"] >= LETRA_MENOR, palabra.text
