"""El sistema en un navegador de verdad: qué se ve, cómo se pone al día y qué no se mueve al hacerlo."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.apoyo.espera import hasta
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria
from tests.apoyo.navegador import CHROMIUM
from tests.apoyo.pantalla import ANCHO_DE_TELEFONO, navegador, pantalla
from tests.apoyo.servicio import instalacion
from tests.apoyo.servidor import servidor

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="falta Chromium (paquete chromium)")

EVENTO = {"id": "uno", "campaña_id": "cmp-1"}


@pytest.fixture(scope="module")
def abierto() -> Iterator[Browser]:
    with navegador() as chromium:
        yield chromium


@pytest.fixture
def puertos() -> PuertosEnMemoria:
    return PuertosEnMemoria()


@pytest.fixture
def direccion(puertos: PuertosEnMemoria) -> Iterator[str]:
    with servidor(api_en_memoria(puertos)) as puerto:
        yield f"http://127.0.0.1:{puerto}"


def enviar(direccion: str, **cambios: str) -> None:
    httpx2.post(f"{direccion}/tracking/impresiones", json=EVENTO | cambios).raise_for_status()


def refrescar(pagina: Page) -> None:
    """Lo que hace el reloj de la página cada cinco segundos, sin esperarlo."""
    with pagina.expect_response("**/panel/sistema"):
        pagina.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def caducar(pagina: Page, puertos: PuertosEnMemoria) -> None:
    """Se pone al día hasta que lo que se comparte es de ahora."""
    antes = puertos.consultas

    def leida_otra_vez() -> bool:
        refrescar(pagina)
        return puertos.consultas > antes

    hasta(leida_otra_vez, cada=0.2)


@pytest.mark.parametrize("oscura", [False, True])
@pytest.mark.parametrize("ancho", [1280, ANCHO_DE_TELEFONO])
@pytest.mark.parametrize("averia", ["ninguna", "broker", "base de datos", "consumidores"])
def test_se_lee_en_cualquier_pantalla_aunque_falte_algo(
    abierto: Browser, direccion: str, puertos: PuertosEnMemoria, ancho: int, averia: str, *, oscura: bool
) -> None:
    for cambios in ({}, {}, {"campaña_id": "otra"}):
        enviar(direccion, **cambios)
    puertos.disponible = averia != "broker"
    puertos.hay_base_de_datos = averia != "base de datos"
    puertos.cuantos_consumidores = 0 if averia == "consumidores" else 1
    with pantalla(abierto, ancho=ancho, oscura=oscura) as vista:
        vista.pagina.goto(f"{direccion}/panel/sistema")
        assert vista.faltas_de_accesibilidad() == []
        assert not vista.se_sale()
        assert vista.quejas == []


def test_se_pone_al_dia_sin_mover_el_foco_y_lo_anuncia_si_cambia_el_juicio(
    abierto: Browser, direccion: str, puertos: PuertosEnMemoria
) -> None:
    enviar(direccion)
    with pantalla(abierto) as vista:
        pagina = vista.pagina
        pagina.goto(f"{direccion}/panel/sistema")
        pagina.locator("#de-duplicadas").focus()
        puertos.cuantos_consumidores = 0
        caducar(pagina, puertos)
        pagina.get_by_role("heading", name="Recibe, pero no registra").wait_for()
        assert pagina.evaluate("document.activeElement.id") == "de-duplicadas"
        assert pagina.locator("#novedad").text_content() == "Recibe, pero no registra"
        assert vista.quejas == []


def test_oculta_no_pregunta_y_al_verse_otra_vez_si(abierto: Browser, direccion: str) -> None:
    with pantalla(abierto) as vista:
        pagina = vista.pagina
        pagina.clock.install()
        pagina.goto(f"{direccion}/panel/sistema")
        pagina.evaluate("Object.defineProperty(document, 'visibilityState', {get: () => window.seVe})")
        pagina.evaluate("window.seVe = 'hidden'")
        antes = len(vista.pedidas)
        pagina.clock.run_for(60_000)
        assert len(vista.pedidas) == antes
        pagina.evaluate("window.seVe = 'visible'")
        with pagina.expect_response("**/panel/sistema"):
            pagina.clock.run_for(5_000)


def test_lo_que_alguien_selecciona_no_se_deshace(abierto: Browser, direccion: str) -> None:
    with pantalla(abierto) as vista:
        pagina = vista.pagina
        pagina.clock.install()
        pagina.goto(f"{direccion}/panel/sistema")
        pagina.evaluate("getSelection().selectAllChildren(document.getElementById('juicio'))")
        antes = len(vista.pedidas)
        pagina.clock.run_for(60_000)
        assert len(vista.pedidas) == antes
        assert pagina.evaluate("String(getSelection()).trim()") == "Funciona"


def test_si_el_servicio_calla_se_dice_que_lo_que_se_ve_es_lo_ultimo(abierto: Browser, direccion: str) -> None:
    with pantalla(abierto) as vista:
        pagina = vista.pagina
        pagina.goto(f"{direccion}/panel/sistema")
        pagina.route("**/panel/sistema", lambda ruta: ruta.abort())
        pagina.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        aviso = pagina.locator("#sin-noticias")
        aviso.wait_for()
        assert aviso.text_content() == "El servicio no responde: lo que se ve es lo último que dijo."
        assert not pagina.locator("#aviso").text_content()
        juicio = pagina.get_by_role("heading", name="Funciona")
        expect(juicio).to_have_css("text-decoration-line", "line-through")
        assert vista.faltas_de_accesibilidad() == []
        pagina.unroute("**/panel/sistema")
        refrescar(pagina)
        aviso.wait_for(state="hidden")
        expect(juicio).to_have_css("text-decoration-line", "none")


def test_sin_guiones_se_lee_igual(abierto: Browser, direccion: str) -> None:
    enviar(direccion)
    with pantalla(abierto, guiones=False) as vista:
        vista.pagina.goto(f"{direccion}/panel/sistema")
        assert vista.pagina.get_by_role("heading", name="Funciona").is_visible()
        assert vista.pagina.get_by_text("Recargue la página para ver lo de ahora.").is_visible()


def en_pantalla(pagina: Page, fila: str) -> list[int]:
    celdas = pagina.get_by_role("row").filter(has_text=fila).get_by_role("cell").all_text_contents()
    return [int("".join(celda.split())) for celda in celdas]


def test_en_el_servicio_de_verdad_las_cifras_son_las_del_balance_aunque_muera_quien_consume(
    abierto: Browser, tmp_path: Path
) -> None:
    with instalacion(tmp_path) as servicio:
        servicio.api()
        consumidores = servicio.consumidores()
        servicio.esperar_consumidores()
        direccion = f"http://127.0.0.1:{servicio.puerto}"
        for numero in range(30):
            enviar(direccion, id=f"imp-{numero % 25}", campaña_id="cmp-1" if numero < 28 else "otra")

        def procesadas() -> Any:
            balance = servicio.http.get("/tracking/balance").json()
            return balance if balance["comandos"][0]["total"] == 30 else None

        cuenta = hasta(procesadas)["comandos"][0]
        with pantalla(abierto) as vista:
            vista.pagina.goto(f"{direccion}/panel/sistema")
            assert en_pantalla(vista.pagina, "Registradas")[0] == cuenta["registradas"] == 25
            assert en_pantalla(vista.pagina, "Duplicadas")[0] == cuenta["duplicadas"] == 3
            assert en_pantalla(vista.pagina, "conflicto_de_id")[0] == cuenta["rechazadas"]["conflicto_de_id"]
            assert en_pantalla(vista.pagina, "Procesadas")[0] == 30
            consumidores.kill()
            consumidores.wait()
            enviar(direccion, id="espera")
            vista.pagina.get_by_role("heading", name="Recibe, pero no registra").wait_for()
            assert vista.pagina.get_by_text("No hay señal de que se haya perdido nada").is_visible()
            assert en_pantalla(vista.pagina, "Procesadas")[0] == 30
