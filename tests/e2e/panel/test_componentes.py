"""Lo que se repite en las vistas, todo en una página: el muestrario de `plantillas/componentes.html`."""

from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page

from alpespartners.api.http.claves import Alcance
from alpespartners.panel.idiomas import Idioma
from alpespartners.panel.paginas import entorno
from tests.apoyo.capturas import Guardar
from tests.apoyo.memoria import AHORA, PuertosEnMemoria, api_en_memoria
from tests.apoyo.navegador import CHROMIUM
from tests.apoyo.pantalla import ANCHO_DE_TELEFONO, navegador, pantalla
from tests.apoyo.servidor import servidor

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="falta Chromium (paquete chromium)")

TEMAS: tuple[Literal["light", "dark"], ...] = ("light", "dark")
ORDEN = 'curl -X POST http://localhost:8000/tracking/impresiones \\\n  -d \'{"id": "<b>"}\' # ' + "x" * 100
MUESTRARIO = """
{%- extends "base.html" -%}
{%- from "componentes.html" import barra, cifra, codigo, paginacion -%}
{% block titulo %}Muestrario{% endblock %}
{% block contenido %}
<h1>Muestrario</h1>
<p class="aviso bien">Bien. No falta nada.</p>
<p class="aviso regular">Atención. Hay tres por publicar.</p>
<div class="aviso mal"><p>Mal. La base de datos no responde.</p></div>
<dl class="cifras">{{ cifra("Clics", 1234567 | cantidad) }}{{ cifra("Valor", "150 000,00 COP") }}</dl>
<h2>Tabla</h2>
<div class="tabla" role="region" tabindex="0" aria-label="Por influencer">
<table>
<thead><tr><th scope="col">Influencer</th><th scope="col" class="cifra">Clics</th><th scope="col">Parte</th>
<th scope="col">Último evento</th></tr></thead>
<tbody><tr><th scope="row">{{ "x" * 128 }}</th><td class="cifra">{{ 12345 | cantidad }}</td>
<td>{{ barra(0.375) }}</td><td><time>{{ ahora | instante }}</time></td></tr></tbody>
</table>
</div>
{{ paginacion("/panel?a", "/panel?b") }}
<h2>Historia</h2>
<ol class="linea-de-tiempo">
<li class="bien"><time>{{ ahora | instante }}</time>Recibido</li>
<li class="mal"><time>{{ ahora | instante }}</time>Rechazado</li>
</ol>
<form method="get" class="campos-del-formulario">
<label>Desde <input type="date" name="desde"></label>
<label>Zona <select name="zona"><option>America/Bogota</option></select></label>
<button>Ver</button>
</form>
{{ codigo("Orden", orden) }}
{% endblock %}
"""


@pytest.fixture(scope="module")
def abierto() -> Iterator[Browser]:
    with navegador() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def direccion() -> Iterator[str]:
    with servidor(api_en_memoria(PuertosEnMemoria())) as puerto:
        yield f"http://127.0.0.1:{puerto}"


def mostrar(pagina: Page, direccion: str) -> None:
    """Abre el muestrario como si el servicio lo sirviera, con la política de contenido de las vistas."""
    politica = pagina.request.get(f"{direccion}/panel").headers["content-security-policy"]
    plantilla = entorno(Idioma.ESPAÑOL).from_string(MUESTRARIO)
    texto = plantilla.render(
        idioma=Idioma.ESPAÑOL,
        aqui="/panel",
        ruta="/panel",
        alcances=[*Alcance],
        con_sesion=False,
        version="1",
        ahora=AHORA,
        orden=ORDEN,
    )
    cabeceras = {"content-security-policy": politica}
    pagina.route(
        "**/muestrario",
        lambda ruta: ruta.fulfill(body=texto, content_type="text/html; charset=utf-8", headers=cabeceras),
    )
    pagina.goto(f"{direccion}/muestrario")


@pytest.mark.parametrize("ancho", [1280, ANCHO_DE_TELEFONO])
def test_los_componentes_se_leen_en_cualquier_pantalla_y_tema(
    abierto: Browser, direccion: str, ancho: int, guardar: Guardar
) -> None:
    with pantalla(abierto, ancho=ancho) as vista:
        for tema in TEMAS:
            vista.pagina.emulate_media(color_scheme=tema, reduced_motion="reduce")
            mostrar(vista.pagina, direccion)
            guardar(vista.pagina, f"muestrario-{ancho}-{tema}")
            assert vista.faltas_de_accesibilidad() == [], tema
            assert not vista.se_sale(), tema
        assert vista.quejas == []


def test_un_estado_se_distingue_sin_ver_colores(abierto: Browser, direccion: str, guardar: Guardar) -> None:
    with pantalla(abierto) as vista:
        vista.pagina.emulate_media(forced_colors="active")
        mostrar(vista.pagina, direccion)
        guardar(vista.pagina, "muestrario-colores-forzados")
        avisos = vista.pagina.locator(".aviso:not(:empty)")
        assert [texto.partition(".")[0] for texto in avisos.all_inner_texts()] == ["Bien", "Atención", "Mal"]
        simbolos = avisos.evaluate_all(
            "todos => todos.map((uno) => getComputedStyle(uno, '::before').content.split('/')[0].trim())"
        )
        assert len(set(simbolos)) == 3
        partes = vista.pagina.evaluate(
            """[...document.querySelectorAll(".barra > rect")].map((uno) => getComputedStyle(uno).fill)"""
        )
        assert len(set(partes)) == 2


def test_se_copia_lo_que_se_ve_letra_a_letra_y_se_dice(abierto: Browser, direccion: str) -> None:
    with pantalla(abierto) as vista:
        vista.pagina.context.grant_permissions(["clipboard-read", "clipboard-write"])
        mostrar(vista.pagina, direccion)
        vista.pagina.get_by_role("button", name="Copiar").click()
        vista.pagina.get_by_role("button", name="Copiado").wait_for()
        assert vista.pagina.evaluate("navigator.clipboard.readText()") == ORDEN
        assert vista.quejas == []


def test_sin_guiones_no_hay_un_boton_que_no_hace_nada(abierto: Browser, direccion: str) -> None:
    with pantalla(abierto, guiones=False) as vista:
        mostrar(vista.pagina, direccion)
        assert vista.pagina.get_by_text("curl -X POST").is_visible()
        assert not vista.pagina.locator("[data-copiar]").is_visible()


def test_una_tabla_que_no_cabe_se_desplaza_con_el_teclado_y_la_fila_no_pierde_su_nombre(
    abierto: Browser, direccion: str
) -> None:
    with pantalla(abierto, ancho=ANCHO_DE_TELEFONO) as vista:
        mostrar(vista.pagina, direccion)
        tabla = vista.pagina.get_by_role("region", name="Por influencer")
        tabla.focus()
        for _ in range(10):
            vista.pagina.keyboard.press("ArrowRight")
        # `wait_for_function` evalúa un texto, y la política de contenido de la página no deja.
        tabla.evaluate(
            """una => new Promise((hecho) => {
                const mirar = () => (una.scrollLeft > 100 ? hecho() : requestAnimationFrame(mirar));
                mirar();
            })"""
        )
        nombre = tabla.get_by_role("rowheader").bounding_box()
        assert nombre is not None
        assert 0 <= nombre["x"] < ANCHO_DE_TELEFONO / 4
