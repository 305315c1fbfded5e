"""Del enlace de un influencer a la compra, en un Chromium de verdad y contra el servicio entero."""

from collections.abc import Iterator
from typing import Any, Final

import httpx2
import pytest
from playwright.sync_api import BrowserContext, expect

from tests.apoyo.espera import hasta
from tests.apoyo.navegador import CHROMIUM
from tests.apoyo.pantalla import navegador
from tests.apoyo.servicio import Instalacion, instalacion
from tests.apoyo.tienda import Tienda, tienda

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="falta Chromium (paquete chromium)")

# El de un navegador sin pantalla dice que es un robot.
_DE_UNA_PERSONA: Final = (
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 "
    "Mobile Safari/537.36"
)
_LISTO: Final = "!!(window.alpes && alpes.conversion)"


@pytest.fixture(scope="module")
def servicio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instalacion]:
    with instalacion(tmp_path_factory.mktemp("enlace")) as nueva:
        nueva.api()
        nueva.consumidores()
        nueva.esperar_consumidores()
        yield nueva


@pytest.fixture
def suya(servicio: Instalacion) -> Iterator[Tienda]:
    guion = f'<script src="http://127.0.0.1:{servicio.puerto}/t.js" data-campaña="cmp-1" defer></script>'
    with tienda() as puesta:
        puesta.poner("/zapatos", '<a href="/gracias">Comprar</a>', guion=guion)
        yield puesta


def _poner_enlace(servicio: Instalacion, suya: Tienda, nombre: str) -> None:
    """Lo hace, y una página que lo lleva."""
    enlace = {
        "enlace_id": nombre,
        "campaña_id": "cmp-1",
        "influencer_id": "ana",
        "destino": f"{suya.origen}/zapatos?color=rojo#tallas",
    }
    servicio.http.post("/tracking/enlaces", json=enlace).raise_for_status()
    corto = f"http://127.0.0.1:{servicio.puerto}/c/{nombre}?sub1=historia"
    suya.poner("/red", f'<a href="{corto}">Mira estos zapatos</a>')


def _poner_gracias(servicio: Instalacion, suya: Tienda, pedido: str) -> None:
    venta = f'{{id: "{pedido}", tipo_conversion: "VENTA", valor: "19.90", moneda: "EUR"}}'
    guion = f'<script src="http://127.0.0.1:{servicio.puerto}/t.js" data-campaña="cmp-1" defer></script>'
    suya.poner("/gracias", f"<script>alpes.push(['conversion', {venta}])</script>", guion=guion)


def _comprar(contexto: BrowserContext, suya: Tienda) -> str:
    """Sigue el enlace, compra, recarga la página de gracias y vuelve atrás; devuelve el clic que recibió."""
    pagina = contexto.new_page()
    pagina.goto(f"{suya.origen}/red")
    pagina.get_by_role("link", name="Mira estos zapatos").click()
    pagina.wait_for_url("**/zapatos?color=rojo&sub1=historia&alp_clic=*#tallas")
    pagina.wait_for_function(_LISTO)
    clic_id: str = pagina.evaluate("new URLSearchParams(location.search).get('alp_clic')")
    pagina.get_by_role("link", name="Comprar").click()
    pagina.wait_for_url("**/gracias")
    pagina.wait_for_function(_LISTO)
    pagina.reload()
    pagina.wait_for_function(_LISTO)
    pagina.go_back()
    expect(pagina.get_by_role("link", name="Comprar")).to_be_visible()
    return clic_id


def _leido(servicio: Instalacion, direccion: str) -> dict[str, Any]:
    """Lo que hay ahí, cuando lo haya."""

    def preguntar() -> dict[str, Any] | None:
        respuesta = servicio.http.get(direccion)
        leido: dict[str, Any] = respuesta.json()
        return leido if respuesta.status_code == httpx2.codes.OK else None

    return hasta(preguntar)


def test_quien_sigue_un_enlace_y_compra_deja_una_sola_conversion_con_su_clic(
    servicio: Instalacion, suya: Tienda
) -> None:
    _poner_enlace(servicio, suya, "ana")
    _poner_gracias(servicio, suya, "pedido-1")
    with navegador() as chromium:
        contexto = chromium.new_context(user_agent=_DE_UNA_PERSONA)
        clic_id = _comprar(contexto, suya)
        venta = _leido(servicio, "/tracking/conversiones/pedido-1")
        assert (venta["clic_id"], venta["valor"]) == (clic_id, 19.90)
        clic = _leido(servicio, f"/tracking/impresiones/{clic_id}")
        assert (clic["tipo_evento"], clic["influencer_id"]) == ("CLIC", "ana")
        assert clic["propiedades"]["sub1"] == "historia"
        assert clic["lectura"]["clase"] == "UNICO"
        del_clic = _leido(servicio, "/tracking/conversiones/pedido-1/clic")
        assert (del_clic["estado"], del_clic["motivo"]) == ("VALIDO", None)
        destinos = _leido(servicio, "/tracking/conversiones/pedido-1/destino")["destinos"]
        assert [destino["estado"] for destino in destinos].count("REGISTRADA") == 1

        _poner_gracias(servicio, suya, "pedido-2")
        otro_clic_id = _comprar(contexto, suya)
        assert otro_clic_id != clic_id
        assert _leido(servicio, f"/tracking/impresiones/{otro_clic_id}")["lectura"]["clase"] == "REPETIDO"
        assert _leido(servicio, "/tracking/conversiones/pedido-2")["clic_id"] == otro_clic_id


def test_un_navegador_sin_nadie_delante_llega_y_compra_y_se_dice_que_su_clic_es_de_un_robot(
    servicio: Instalacion, suya: Tienda
) -> None:
    _poner_enlace(servicio, suya, "robot")
    _poner_gracias(servicio, suya, "pedido-3")
    with navegador() as chromium:
        clic_id = _comprar(chromium.new_context(), suya)
        assert _leido(servicio, "/tracking/conversiones/pedido-3")["clic_id"] == clic_id
    assert _leido(servicio, f"/tracking/impresiones/{clic_id}")["lectura"]["clase"] == "BOT"
    assert _leido(servicio, "/tracking/conversiones/pedido-3/clic")["motivo"] == "clic_bot"
