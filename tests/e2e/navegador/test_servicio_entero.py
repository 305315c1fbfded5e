"""Una página contra el servicio entero: lo que envía llega al libro aunque el servicio se pare entretanto."""

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.apoyo.navegador import CHROMIUM
from tests.apoyo.pantalla import navegador, pantalla
from tests.apoyo.servicio import Instalacion, instalacion
from tests.apoyo.tienda import Tienda, tienda

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="falta Chromium (paquete chromium)")

_PLAZO = 60.0
LISTO = "!!(window.alpes && alpes.conversion)"
EN_COLA = "Object.keys(localStorage).some(nombre => nombre.startsWith('alpes:'))"


@pytest.fixture(scope="module")
def servicio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instalacion]:
    with instalacion(tmp_path_factory.mktemp("pagina")) as nueva:
        nueva.consumidores()
        yield nueva


@pytest.fixture
def suya() -> Iterator[Tienda]:
    with tienda() as puesta:
        yield puesta


@pytest.fixture
def pagina() -> Iterator[Page]:
    with navegador() as chromium, pantalla(chromium) as nueva:
        yield nueva.pagina


def _veces(servicio: Instalacion, pagina: Page, evento_id: str) -> int:
    """Cuántas veces está registrado, cuando el navegador ya no tiene nada por enviar."""
    limite = time.monotonic() + _PLAZO
    direccion = f"/tracking/conversiones/{evento_id}/destino"
    while pagina.evaluate(EN_COLA) or not servicio.http.get(direccion).is_success:
        assert time.monotonic() < limite
        pagina.wait_for_timeout(50)
    destinos = servicio.http.get(direccion).json()["destinos"]
    return sum(destino["estado"] == "REGISTRADA" for destino in destinos)


def test_sin_claves_una_pagina_de_esta_maquina_envia_y_lo_que_dijo_con_el_servicio_parado_llega_una_vez(
    servicio: Instalacion, suya: Tienda, pagina: Page
) -> None:
    api = servicio.api()
    servicio.esperar_consumidores()
    guion = f'<script src="http://127.0.0.1:{servicio.puerto}/t.js" data-campaña="cmp-1" defer></script>'
    suya.poner("/", guion=guion)
    pagina.goto(f"{suya.origen}/?alp_clic=clic-A")
    pagina.wait_for_function(LISTO)
    pagina.evaluate("alpes.conversion({id: 'pedido-1', tipo_conversion: 'REGISTRO'})")
    assert _veces(servicio, pagina, "pedido-1") == 1
    registrada = servicio.http.get("/tracking/conversiones/pedido-1").json()
    assert (registrada["clic_id"], registrada["ip_address"]) == ("clic-A", "127.0.0.1")

    api.terminate()
    api.wait(60)
    pagina.evaluate("alpes.conversion({id: 'pedido-2', tipo_conversion: 'REGISTRO'})")
    pagina.reload()
    pagina.wait_for_function("!!window.alpes")
    assert pagina.evaluate(EN_COLA)
    servicio.api()
    servicio.esperar_consumidores()
    pagina.reload()
    assert _veces(servicio, pagina, "pedido-2") == 1

    origen = {"Origin": suya.origen, "Access-Control-Request-Method": "POST"}
    permiso = servicio.http.options("/tracking/captura", headers=origen)
    assert (permiso.status_code, permiso.headers["Access-Control-Allow-Origin"]) == (204, suya.origen)
    pixel = servicio.http.get("/p.gif", params={"c": "cmp-1"}, headers={"Referer": suya.origen})
    assert (len(pixel.content), pixel.headers.get("Alpes-Error")) == (43, None)
    ajena = servicio.http.get("/p.gif", params={"c": "cmp-1"}, headers={"Referer": "https://mala.com/"})
    assert (len(ajena.content), ajena.headers["Alpes-Error"]) == (43, "origen_no_registrado")
