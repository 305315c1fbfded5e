"""Entrar, salir, elegir idioma y leer un error, en un navegador de verdad."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria
from tests.apoyo.navegador import CHROMIUM
from tests.apoyo.pantalla import ANCHO_DE_TELEFONO, navegador, pantalla
from tests.apoyo.servidor import servidor

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="falta Chromium (paquete chromium)")

CLAVE = "la-de-los-ajustes"


@pytest.fixture(scope="module")
def abierto() -> Iterator[Browser]:
    with navegador() as chromium:
        yield chromium


@pytest.fixture
def puertos() -> PuertosEnMemoria:
    return PuertosEnMemoria()


@pytest.fixture
def direccion(puertos: PuertosEnMemoria) -> Iterator[str]:
    with servidor(api_en_memoria(puertos, claves=[CLAVE])) as puerto:
        yield f"http://127.0.0.1:{puerto}"


def entrar(pagina: Page, clave: str = CLAVE) -> None:
    """Escribe la clave en la página que la pide y la envía."""
    pagina.get_by_label("Clave").fill(clave)
    pagina.get_by_role("button", name="Entrar").click()


@pytest.mark.parametrize("guiones", [True, False])
def test_se_entra_con_la_clave_se_vuelve_a_lo_que_se_pedia_y_se_sale(
    abierto: Browser, direccion: str, *, guiones: bool
) -> None:
    with pantalla(abierto, guiones=guiones) as vista:
        vista.pagina.goto(f"{direccion}/panel?prefijo=ver")
        entrar(vista.pagina, "otra")
        expect(vista.pagina.get_by_role("alert").filter(has_text="Esa clave no vale")).to_be_visible()
        entrar(vista.pagina)
        expect(vista.pagina.get_by_role("heading", name="Campañas")).to_be_visible()
        assert vista.pagina.url == f"{direccion}/panel?prefijo=ver"
        vista.pagina.get_by_role("button", name="Salir").click()
        expect(vista.pagina.get_by_label("Clave")).to_be_visible()
        vista.pagina.goto(f"{direccion}/panel")
        expect(vista.pagina.get_by_label("Clave")).to_be_visible()


def test_con_la_sesion_se_descarga_de_la_api_y_se_mira_en_vivo(abierto: Browser, direccion: str) -> None:
    mirar = """async () => {
      const descargado = await fetch("/tracking/destinos?formato=csv");
      const fuente = new EventSource("/tracking/campanas/c/en-vivo");
      const abierta = await new Promise((dicho) => {
        fuente.onopen = () => dicho(true);
        fuente.onerror = () => dicho(false);
      });
      fuente.close();
      const enviado = await fetch("/tracking/impresiones", {
        method: "POST", body: "{}", headers: {"Content-Type": "application/json"},
      });
      return [descargado.status, abierta, enviado.status];
    }"""
    with pantalla(abierto) as vista:
        vista.pagina.goto(f"{direccion}/panel")
        entrar(vista.pagina)
        expect(vista.pagina.get_by_role("button", name="Salir")).to_be_visible()
        assert vista.pagina.evaluate(mirar) == [200, True, 401]


@pytest.mark.parametrize("oscura", [False, True])
@pytest.mark.parametrize("ancho", [1280, ANCHO_DE_TELEFONO])
def test_entrar_y_los_errores_se_leen_en_cualquier_pantalla(
    abierto: Browser, direccion: str, ancho: int, *, oscura: bool
) -> None:
    with pantalla(abierto, ancho=ancho, oscura=oscura) as vista:
        vista.pagina.goto(f"{direccion}/panel")
        entrar(vista.pagina, "otra")
        for que in ("entrar", "nada", "x" * 300, "falta"):
            if que == "nada":
                entrar(vista.pagina)
            if que == "falta":
                vista.pagina.goto(f"{direccion}/panel?{'y' * 100}=<b>1</b>")
            elif que != "entrar":
                vista.pagina.goto(f"{direccion}/panel/{que}")
            assert vista.faltas_de_accesibilidad() == []
            assert not vista.se_sale()
        assert [queja for queja in vista.quejas if "Failed to load resource" not in queja] == []


def test_lo_que_falla_sin_recargar_se_dice_hasta_que_vuelve_a_ir_bien(
    abierto: Browser, direccion: str, puertos: PuertosEnMemoria
) -> None:
    with pantalla(abierto) as vista:
        vista.pagina.goto(f"{direccion}/panel?prefijo=v")
        entrar(vista.pagina)
        aviso = vista.pagina.locator("#aviso")
        expect(aviso).to_be_empty()
        puertos.hay_base_de_datos = False
        vista.pagina.get_by_role("searchbox").fill("ver")
        expect(aviso.get_by_role("heading", name="Ahora no se puede consultar")).to_be_visible()
        expect(vista.pagina.get_by_role("searchbox")).to_have_value("ver")
        assert vista.faltas_de_accesibilidad() == []
        puertos.hay_base_de_datos = True
        vista.pagina.get_by_role("searchbox").fill("vera")
        expect(aviso).to_be_empty()
        vista.pagina.route("**/panel?*", lambda pedida: pedida.abort())
        vista.pagina.get_by_role("searchbox").fill("verano")
        expect(aviso).to_contain_text("El servicio no responde")


def test_si_la_sesion_acaba_mientras_se_mira_se_pide_la_clave_y_se_vuelve(
    abierto: Browser, direccion: str
) -> None:
    with pantalla(abierto) as vista:
        vista.pagina.goto(f"{direccion}/panel?prefijo=v")
        entrar(vista.pagina)
        expect(vista.pagina.get_by_role("button", name="Salir")).to_be_visible()
        vista.pagina.context.clear_cookies()
        vista.pagina.get_by_role("searchbox").fill("ve")
        expect(vista.pagina.get_by_label("Clave")).to_be_visible()
        entrar(vista.pagina)
        expect(vista.pagina.get_by_role("heading", name="Campañas")).to_be_visible()
        assert vista.pagina.url == f"{direccion}/panel?prefijo=v"


def test_atras_vuelve_a_lo_de_antes_y_nada_de_lo_visto_queda_en_el_navegador_al_salir(
    abierto: Browser, direccion: str
) -> None:
    with pantalla(abierto) as vista:
        vista.pagina.goto(f"{direccion}/panel?prefijo=v")
        entrar(vista.pagina)
        vista.pagina.get_by_role("searchbox").fill("ver")
        vista.pagina.wait_for_url("**/panel?prefijo=ver")
        vista.pagina.get_by_role("link", name="Influencers").click()
        vista.pagina.wait_for_url("**/panel/influencers")
        vista.pagina.go_back()
        vista.pagina.wait_for_url("**/panel?prefijo=ver")
        expect(vista.pagina.get_by_role("searchbox")).to_have_value("ver")
        guardado = vista.pagina.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
        assert "<" not in guardado
        vista.pagina.get_by_role("button", name="Salir").click()
        expect(vista.pagina.get_by_label("Clave")).to_be_visible()
        vista.pagina.go_back()
        expect(vista.pagina.get_by_label("Clave")).to_be_visible()


@pytest.mark.parametrize("guiones", [True, False])
def test_se_cambia_de_idioma_sin_perder_lo_que_se_mira(
    abierto: Browser, direccion: str, *, guiones: bool
) -> None:
    with pantalla(abierto, guiones=guiones) as vista:
        vista.pagina.goto(f"{direccion}/panel?prefijo=ver")
        vista.pagina.get_by_role("link", name="English").click()
        vista.pagina.get_by_label("Key").fill(CLAVE)
        vista.pagina.get_by_role("button", name="Sign in").click()
        expect(vista.pagina.get_by_role("heading", name="Campaigns")).to_be_visible()
        assert vista.pagina.url == f"{direccion}/panel?prefijo=ver"
        vista.pagina.get_by_role("link", name="Español").click()
        expect(vista.pagina.get_by_role("heading", name="Campañas")).to_be_visible()
        assert vista.pagina.url == f"{direccion}/panel?prefijo=ver"
