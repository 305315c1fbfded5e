"""La lista de campañas en un navegador de verdad."""

from collections.abc import Iterator

import httpx2
import pytest
from playwright.sync_api import Browser

from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria
from tests.apoyo.navegador import CHROMIUM
from tests.apoyo.pantalla import ANCHO_DE_TELEFONO, navegador, pantalla
from tests.apoyo.servidor import servidor

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="falta Chromium (paquete chromium)")

HOSTIL = "<script>alert(1)</script>/ñ&\"'"


@pytest.fixture(scope="module")
def abierto() -> Iterator[Browser]:
    with navegador() as chromium:
        yield chromium


@pytest.fixture
def direccion() -> Iterator[str]:
    with servidor(api_en_memoria(PuertosEnMemoria())) as puerto:
        yield f"http://127.0.0.1:{puerto}"


def enviar(direccion: str, campaña_id: str) -> None:
    evento = {"usuario_id": "u", "campaña_id": campaña_id, "influencer_id": "i", "tipo_evento": "CLIC"}
    httpx2.post(f"{direccion}/tracking/impresiones", json=evento).raise_for_status()


@pytest.mark.parametrize("oscura", [False, True])
@pytest.mark.parametrize("ancho", [1280, ANCHO_DE_TELEFONO])
def test_se_lee_en_cualquier_pantalla_y_lo_hostil_se_ve_sin_ejecutarse(
    abierto: Browser, direccion: str, ancho: int, *, oscura: bool
) -> None:
    enviar(direccion, HOSTIL)
    with pantalla(abierto, ancho=ancho, oscura=oscura) as vista:
        vista.pagina.goto(f"{direccion}/panel")
        assert vista.pagina.get_by_role("link", name=HOSTIL, exact=True).is_visible()
        assert vista.faltas_de_accesibilidad() == []
        assert not vista.se_sale()
        assert vista.quejas == []


def test_al_escribir_quedan_las_que_empiezan_asi_y_la_direccion_lo_dice(
    abierto: Browser, direccion: str
) -> None:
    for campaña_id in ("verano-1", "invierno-1"):
        enviar(direccion, campaña_id)
    with pantalla(abierto) as vista:
        vista.pagina.goto(f"{direccion}/panel")
        vista.pagina.get_by_role("searchbox").fill("ver")
        vista.pagina.get_by_role("link", name="invierno-1").wait_for(state="detached")
        assert vista.pagina.get_by_role("link", name="verano-1").is_visible()
        assert vista.pagina.url.endswith("/panel?prefijo=ver")
        assert vista.quejas == []
