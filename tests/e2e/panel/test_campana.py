"""La vista de una campaña en un navegador de verdad: sus gráficos, su formulario y su informe impreso."""

import shutil
from collections.abc import Iterator
from itertools import pairwise
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
    llenar_de_influencers,
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
    llenar_de_influencers(puertos, "otra", 1)
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


# Qué parte está pintada de lo que va de un punto a otro de la primera serie.
PINTADO = """([uno, otro]) => {
    const marco = document.querySelector(".grafico .u-over").getBoundingClientRect();
    const lienzo = document.querySelector(".grafico canvas");
    const caja = lienzo.getBoundingClientRect();
    const doble = lienzo.width / caja.width;
    const partes = [...Array(181).keys()].map((lugar) => 0.05 + lugar / 200);
    return partes.filter((parte) => {
        const [x, y] = [0, 1].map((eje) => uno[eje] + (otro[eje] - uno[eje]) * parte);
        const punto = [(marco.left - caja.left + x) * doble, (marco.top - caja.top + y) * doble];
        const [rojo, , azul, opaco] = lienzo.getContext("2d").getImageData(...punto, 1, 1).data;
        return opaco > 60 && azul - rojo > 40;
    }).length / partes.length;
}"""


def señalado(pagina: Page, parte: float) -> list[float]:
    """Dónde está el punto de la primera serie que se señala a esa parte del ancho."""
    marco = pagina.locator(".grafico .u-over").first
    caja = marco.bounding_box()
    assert caja is not None
    marco.hover(position={"x": min(caja["width"] * parte, caja["width"] - 1), "y": caja["height"] / 2})
    hallado = pagina.locator(".grafico .u-cursor-pt").first.evaluate(
        """(punto) => {
            const [caja, marco] = [punto, punto.parentElement].map((uno) => uno.getBoundingClientRect());
            return [caja.left + caja.width / 2 - marco.left, caja.top + caja.height / 2 - marco.top];
        }"""
    )
    return [float(eje) for eje in hallado]


@pytest.mark.parametrize(("hasta", "ultimo_a_trazos"), [("2024-04-16", True), ("2024-04-15", False)])
def test_la_linea_solo_va_a_trazos_hasta_el_dia_que_no_ha_acabado(
    abierto: Browser, direccion: str, hasta: str, *, ultimo_a_trazos: bool
) -> None:
    desde = "2024-04-12" if ultimo_a_trazos else "2024-04-11"
    with pantalla(abierto) as vista:
        vista.pagina.goto(f"{direccion}{VISTA}?zona=UTC&desde={desde}&hasta={hasta}")
        titulos_de_los_graficos(vista.pagina)
        primero, penultimo, ultimo = (señalado(vista.pagina, parte) for parte in (1 / 3, 2 / 3, 1))
        # Sin el cursor, que también pinta.
        vista.pagina.mouse.move(0, 0)
        pintado = [vista.pagina.evaluate(PINTADO, [*dos]) for dos in pairwise([primero, penultimo, ultimo])]
        assert pintado[0] > 0.9
        assert 0.2 < pintado[1] < 0.8 if ultimo_a_trazos else pintado[1] > 0.9, pintado
        assert vista.pagina.get_by_text("A trazos cortos").is_visible() is ultimo_a_trazos
        assert vista.quejas == []


def test_la_leyenda_dice_nombres_y_al_señalar_valores_sin_huecos_ni_dos_puntos(
    abierto: Browser, direccion: str
) -> None:
    with pantalla(abierto) as vista:
        vista.pagina.goto(f"{direccion}{VISTA}{COMPARADA}")
        titulos_de_los_graficos(vista.pagina)
        leyenda = vista.pagina.locator(".grafico .u-legend").first
        assert leyenda.inner_text().split("\n") == ["Impresiones", "Impresiones, antes"]
        despues = "todos => [...new Set(todos.map((uno) => getComputedStyle(uno, '::after').content))]"
        assert leyenda.locator("th").evaluate_all(despues) == ["none"]
        assert leyenda.locator(".u-value").filter(visible=True).count() == 0
        señalado(vista.pagina, 1)
        assert leyenda.locator(".u-value").filter(visible=True).all_inner_texts() == [
            "15 abr 2024 (sin acabar)",
            "2",
            "4",
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


def test_la_zona_propia_es_la_primera_aunque_el_navegador_la_llame_como_antes(
    abierto: Browser, direccion: str
) -> None:
    with pantalla(abierto, zona="America/Buenos_Aires") as vista:
        vista.pagina.goto(f"{direccion}{VISTA}")
        primera = vista.pagina.locator("select[name=zona] option").first
        assert primera.inner_text() == "America/Argentina/Buenos_Aires"


@pytest.mark.parametrize("guiones", [True, False])
def test_la_zona_que_se_elige_en_una_campaña_sigue_en_otra_y_en_su_direccion(
    abierto: Browser, direccion: str, *, guiones: bool
) -> None:
    with pantalla(abierto, guiones=guiones) as vista:
        vista.pagina.goto(f"{direccion}{VISTA}")
        vista.pagina.get_by_label("Zona horaria").select_option("Asia/Kolkata")
        vista.pagina.get_by_role("button", name="Ver", exact=True).click()
        vista.pagina.get_by_text("zona horaria: Asia/Kolkata").wait_for()
        vista.pagina.get_by_role("link", name="Campañas", exact=True).first.click()
        vista.pagina.get_by_role("link", name="otra").click()
        vista.pagina.get_by_text("zona horaria: Asia/Kolkata").wait_for()
        assert vista.pagina.url == f"{direccion}/panel/campa%C3%B1as/otra?zona=Asia/Kolkata"


def test_al_volver_atras_el_formulario_dice_lo_que_se_ve(abierto: Browser, direccion: str) -> None:
    with pantalla(abierto) as vista:
        pagina = vista.pagina
        pagina.goto(f"{direccion}{VISTA}?zona=UTC")
        pagina.get_by_label("Comparar con").select_option("periodo_anterior")
        pagina.get_by_role("button", name="Ver", exact=True).click()
        pagina.get_by_text("Frente a: El periodo anterior").wait_for()
        pagina.go_back()
        pagina.get_by_text("Frente a: El periodo anterior").wait_for(state="detached")
        assert pagina.get_by_label("Comparar con").input_value() == ""


def test_sin_guiones_se_lee_todo_y_se_elige_igual(abierto: Browser, direccion: str) -> None:
    with pantalla(abierto, guiones=False) as vista:
        vista.pagina.goto(f"{direccion}{VISTA}")
        vista.pagina.get_by_text("Los números", exact=True).click()
        assert vista.pagina.locator("table[data-grafico] tbody tr").first.is_visible()
        vista.pagina.get_by_label("Comparar con").select_option("periodo_anterior")
        vista.pagina.get_by_role("button", name="Ver", exact=True).click()
        vista.pagina.get_by_text("Frente a: El periodo anterior").wait_for()


# Lo que mide en la hoja la letra con que se escribió cada lienzo.
LETRA_IMPRESA = """todos => todos.map((uno) => {
    const [, puntos] = uno.getContext("2d").font.match(/([0-9.]+)px/);
    return puntos * uno.getBoundingClientRect().width / uno.width;
})"""


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
        # El ancho de una hoja A4 menos sus márgenes: 12 puntos de pantalla son 9 de imprenta.
        vista.pagina.set_viewport_size({"width": 680, "height": 960})
        letra = vista.pagina.locator(".grafico canvas").evaluate_all(LETRA_IMPRESA)
        assert min(letra) >= 11
        leyendas = "todas => Math.min(...todas.map((una) => parseFloat(getComputedStyle(una).fontSize)))"
        assert vista.pagina.locator(".u-legend th").evaluate_all(leyendas) >= 12


def sin_huecos(texto: str) -> str:
    return " ".join(texto.split())


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="falta pdftotext (paquete poppler-utils)")
@pytest.mark.parametrize(
    ("pedido", "paginas"), [("", 4), (COMPARADA, 5), ("?granularidad=semana&comparar=dia_semana", 5)]
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
