"""Toda vista del panel, para cualquier persona: pantalla, tema, idioma, teclado, zoom y sin guiones.

Recorre `tests/apoyo/vistas_del_panel.py`: una vista nueva entra aquí con una línea en esa tabla.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Literal

import httpx2
import pytest
from playwright.sync_api import Browser, Page, Response

from tests.apoyo.capturas import Guardar
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria
from tests.apoyo.navegador import CHROMIUM
from tests.apoyo.pantalla import ANCHO_DE_TELEFONO, Pantalla, navegador, pantalla
from tests.apoyo.servidor import servidor
from tests.apoyo.vistas_del_panel import TODAS, Vista, peticiones

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="falta Chromium (paquete chromium)")

IDIOMAS = {"es": "es-CO", "en": "en-GB"}
ANCHOS = [1280, ANCHO_DE_TELEFONO]
TEMAS: tuple[Literal["light", "dark"], ...] = ("light", "dark")
ANCHOS_AL_AMPLIAR = [640, 320]
"""1280 puntos con la página al 200 % y al 400 % (WCAG 1.4.10)."""
PASOS_MAXIMOS = 400

cada_vista = pytest.mark.parametrize("vista", TODAS, ids=lambda vista: vista.direccion)


@pytest.fixture(scope="module")
def abierto() -> Iterator[Browser]:
    with navegador() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def servicio() -> Iterator[str]:
    """Uno para todas: mirar no cambia nada."""
    with servidor(api_en_memoria(PuertosEnMemoria())) as puerto:
        direccion = f"http://127.0.0.1:{puerto}"
        with httpx2.Client(base_url=direccion, trust_env=False) as cliente:
            for ruta, cuerpo in peticiones():
                cliente.post(ruta, json=cuerpo)
        yield direccion


def abrir(pagina: Page, servicio: str, vista: Vista) -> Response:
    respuesta = pagina.goto(servicio + vista.direccion)
    assert respuesta is not None
    assert respuesta.status == vista.estado
    return respuesta


def quejas(visto: Pantalla, vista: Vista) -> list[str]:
    """Las del navegador, menos la de que la página misma responde lo que se esperaba."""
    esperada = f"Failed to load resource: the server responded with a status of {vista.estado}"
    return [queja for queja in visto.quejas if not queja.startswith(esperada)]


@cada_vista
@pytest.mark.parametrize("idioma", IDIOMAS)
@pytest.mark.parametrize("ancho", ANCHOS)
def test_se_lee_en_cualquier_pantalla_tema_e_idioma(
    abierto: Browser, servicio: str, vista: Vista, ancho: int, idioma: str, guardar: Guardar
) -> None:
    with pantalla(abierto, ancho=ancho, idioma=IDIOMAS[idioma]) as visto:
        pagina = visto.pagina
        for tema in TEMAS:
            # Sin transiciones: los colores que se miden son los que se quedan.
            pagina.emulate_media(color_scheme=tema, reduced_motion="reduce")
            abrir(pagina, servicio, vista)
            guardar(pagina, f"{vista.direccion}-{ancho}-{tema}-{idioma}")
            assert visto.faltas_de_accesibilidad() == [], tema
            assert not visto.se_sale(), tema
        assert pagina.locator("html").get_attribute("lang") == idioma
        assert quejas(visto, vista) == []
        assert [pedida for pedida in visto.pedidas if not pedida.startswith((servicio, "data:"))] == []


@cada_vista
def test_lo_ajeno_se_ve_y_no_se_ejecuta(abierto: Browser, servicio: str, vista: Vista) -> None:
    with pantalla(abierto) as visto:
        politica = abrir(visto.pagina, servicio, vista).headers["content-security-policy"]
        for texto in vista.muestra:
            assert visto.pagina.get_by_text(texto).filter(visible=True).count(), texto
        # Un guion sin archivo o un atributo que ejecuta solo pueden venir de lo que envió otro.
        assert visto.pagina.locator("script:not([src]), img, iframe, [onerror], [onclick]").count() == 0
        assert "unsafe" not in politica
        assert politica.startswith("default-src 'none'")
        assert quejas(visto, vista) == []


@cada_vista
def test_nada_se_sale_con_la_pagina_ampliada_ni_con_el_texto_mas_separado(
    abierto: Browser, servicio: str, vista: Vista
) -> None:
    with pantalla(abierto) as visto:
        abrir(visto.pagina, servicio, vista)
        for ancho in ANCHOS_AL_AMPLIAR:
            visto.pagina.set_viewport_size({"width": ancho, "height": 450})
            assert not visto.se_sale(), ancho
        visto.pagina.set_viewport_size({"width": ANCHO_DE_TELEFONO, "height": 900})
        visto.pagina.evaluate(SEPARAR)
        assert not visto.se_sale()
        assert visto.pagina.evaluate(LO_CORTADO) == []
        visto.pagina.set_viewport_size({"width": 1280, "height": 900})
        visto.pagina.evaluate("document.documentElement.style.fontSize = '200%'")
        assert not visto.se_sale()
        assert visto.pagina.evaluate(LO_CORTADO) == []


# Lo que quien lee puede pedir a su navegador (WCAG 1.4.12).
SEPARAR = """() => {
    const hoja = new CSSStyleSheet();
    hoja.replaceSync(`* { line-height: 1.5 !important; letter-spacing: 0.12em !important;
        word-spacing: 0.16em !important } p { margin-bottom: 2em !important }`);
    document.adoptedStyleSheets = [hoja];
}"""

LO_CORTADO = """() => [...document.querySelectorAll("main *")].filter((uno) => {
    const estilo = getComputedStyle(uno);
    return estilo.overflowY === "hidden" && uno.scrollHeight > uno.clientHeight + 1 && uno.clientHeight > 1;
}).map((uno) => uno.outerHTML.slice(0, 200))"""


LO_QUE_SE_USA = """() => {
    const visible = (uno) => uno.checkVisibility({visibilityProperty: true}) && uno.getClientRects().length;
    const candidatos = document.querySelectorAll(
        'a[href], button, input:not([type="hidden"]), select, textarea, summary, [tabindex="0"]');
    const elegido = (uno) => uno.type !== "radio" || uno.checked
        || ![...document.getElementsByName(uno.name)].some((otro) => otro.checked);
    window.usables = [...candidatos].filter((uno) => visible(uno) && !uno.disabled && elegido(uno));
    return window.usables.map((uno) => uno.outerHTML.slice(0, 120));
}"""

EL_QUE_TIENE_EL_FOCO = """() => {
    const uno = document.activeElement;
    if (uno === document.body) return null;
    const estilo = getComputedStyle(uno);
    const [caja] = uno.getClientRects();
    const hallado = document.elementFromPoint(caja.left + caja.width / 2, caja.top + caja.height / 2);
    return {
        orden: window.usables.indexOf(uno),
        html: uno.outerHTML.slice(0, 120),
        marcado: estilo.outlineStyle !== "none" && parseFloat(estilo.outlineWidth) >= 2,
        a_la_vista: uno.contains(hallado),
        arriba: caja.top + scrollY, abajo: caja.bottom + scrollY, izquierda: caja.left, derecha: caja.right,
    };
}"""


def recorrido(pagina: Page) -> list[dict[str, Any]]:
    """Por dónde pasa el foco con el tabulador, desde el principio de la página hasta salir de ella."""
    pasos: list[dict[str, Any]] = []
    for _ in range(PASOS_MAXIMOS):
        pagina.keyboard.press("Tab")
        paso = pagina.evaluate(EL_QUE_TIENE_EL_FOCO)
        if paso is None:
            return pasos
        # Una fecha tiene varias paradas dentro de sí.
        if not pasos or paso["html"] != pasos[-1]["html"] or paso["orden"] != pasos[-1]["orden"]:
            pasos.append(paso)
    raise AssertionError("el foco no sale de la página: " + pasos[-1]["html"])


@cada_vista
@pytest.mark.parametrize("ancho", ANCHOS)
def test_todo_se_alcanza_con_el_teclado_en_orden_y_se_ve_donde_se_esta(
    abierto: Browser, servicio: str, vista: Vista, ancho: int
) -> None:
    with pantalla(abierto, ancho=ancho) as visto:
        visto.pagina.emulate_media(reduced_motion="reduce")
        abrir(visto.pagina, servicio, vista)
        usables = visto.pagina.evaluate(LO_QUE_SE_USA)
        pasos = recorrido(visto.pagina)
        assert [paso["html"] for paso in pasos if paso["orden"] >= 0] == usables
        assert [paso["html"] for paso in pasos if not paso["marcado"]] == []
        assert [paso["html"] for paso in pasos if not paso["a_la_vista"]] == []
        # Después del salto, que se pone donde quiere, nada queda arriba y a la izquierda de lo anterior.
        retrocesos = [
            (antes["html"], despues["html"])
            for antes, despues in pairwise(pasos[1:])
            if despues["abajo"] <= antes["arriba"] and despues["izquierda"] < antes["derecha"]
        ]
        assert retrocesos == []


@cada_vista
def test_el_primer_paso_lleva_al_contenido(abierto: Browser, servicio: str, vista: Vista) -> None:
    with pantalla(abierto) as visto:
        abrir(visto.pagina, servicio, vista)
        visto.pagina.keyboard.press("Tab")
        visto.pagina.keyboard.press("Enter")
        assert visto.pagina.evaluate("document.activeElement.id") == "contenido"
        visto.pagina.keyboard.press("Tab")
        assert visto.pagina.evaluate("document.activeElement.closest('body > header')") is None


@cada_vista
def test_sin_guiones_se_lee_y_se_usa_lo_mismo(abierto: Browser, servicio: str, vista: Vista) -> None:
    with pantalla(abierto, guiones=False) as visto:
        abrir(visto.pagina, servicio, vista)
        assert visto.pagina.get_by_role("heading", level=1).is_visible()
        for texto in vista.muestra:
            assert visto.pagina.get_by_text(texto).filter(visible=True).count(), texto
        # Con guiones, la gráfica pone los suyos desde el programa.
        assert visto.pagina.locator("[style]").count() == 0
        # Un formulario se envía con su botón o, si tiene un solo campo, con la tecla de entrar.
        for formulario in visto.pagina.locator("form").all():
            botones = formulario.locator("button:not([type=button]), input[type=submit]").count()
            campos = formulario.locator("input:not([type=hidden]), select, textarea")
            assert botones or (campos.count() == 1 and campos.first.evaluate("uno => uno.tagName") == "INPUT")


@cada_vista
def test_los_titulos_van_en_orden_y_cada_cosa_tiene_su_lugar(
    abierto: Browser, servicio: str, vista: Vista
) -> None:
    with pantalla(abierto) as visto:
        abrir(visto.pagina, servicio, vista)
        niveles = visto.pagina.evaluate(
            "[...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map((uno) => +uno.tagName[1])"
        )
        assert niveles[0] == 1
        assert niveles.count(1) == 1
        assert all(despues <= antes + 1 for antes, despues in pairwise(niveles))
        for lugar in ("header", "main", "footer"):
            assert visto.pagina.locator(f"body > {lugar}").count() == 1
        repetidas = visto.pagina.evaluate(
            """() => {
                const todas = [...document.querySelectorAll("[id]")].map((uno) => uno.id);
                return todas.filter((una, orden) => todas.indexOf(una) !== orden);
            }"""
        )
        assert repetidas == []


@cada_vista
def test_en_papel_solo_queda_lo_que_se_lee(
    abierto: Browser, servicio: str, vista: Vista, guardar: Guardar
) -> None:
    with pantalla(abierto, oscura=True) as visto:
        abrir(visto.pagina, servicio, vista)
        visto.pagina.emulate_media(media="print")
        assert visto.pagina.locator("button:visible, form:visible, .salto:visible").count() == 0
        assert visto.pagina.get_by_role("heading", level=1).is_visible()
        # Con tinta sobre blanco, aunque en la pantalla sea al revés.
        assert visto.pagina.evaluate(BRILLO_DEL_TEXTO) < BRILLO_MEDIO
        guardar(visto.pagina, f"{vista.direccion}-papel")


BRILLO_DEL_TEXTO = """() => {
    const [rojo, verde, azul] = getComputedStyle(document.querySelector("h1")).color.match(/[0-9.]+/g);
    return 0.2126 * rojo + 0.7152 * verde + 0.0722 * azul;
}"""
BRILLO_MEDIO = 128
