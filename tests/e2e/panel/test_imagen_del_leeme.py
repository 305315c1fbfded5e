"""La imagen del panel que enseñan los dos README: la hace esta prueba, y siempre está.

`bin/probar tests/e2e/panel/test_imagen_del_leeme.py --capturas docs` la vuelve a hacer. No se compara punto
por punto: la letra es la de cada máquina.
"""

import re
import struct

import httpx2
import pytest

from tests.apoyo.capturas import Guardar
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria
from tests.apoyo.navegador import CHROMIUM
from tests.apoyo.pantalla import navegador, pantalla
from tests.apoyo.repositorio import RAIZ
from tests.apoyo.servidor import servidor
from tests.apoyo.vistas_del_panel import CONVERSIONES, IMPRESIONES

IMAGEN = "docs/panel.png"
DIRECCION = "/panel"
ANCHO, ALTO = 1280, 640
PESO_MAXIMO = 200_000
CAMPAÑAS = {
    "verano-2024": 9,
    "regreso-a-clases": 6,
    "navidad-2023": 4,
    "dia-de-la-madre": 7,
    "black-friday": 3,
}
INFLUENCERS = ("ana.perez", "el_chef", "viajes-con-luz")


@pytest.mark.skipif(CHROMIUM is None, reason="falta Chromium (paquete chromium)")
def test_la_imagen_sale_de_un_servicio_con_datos_que_se_creen(guardar: Guardar) -> None:
    with (
        servidor(api_en_memoria(PuertosEnMemoria())) as puerto,
        navegador() as abierto,
        pantalla(abierto, ancho=ANCHO) as vista,
    ):
        direccion = f"http://127.0.0.1:{puerto}"
        poblar(direccion)
        vista.pagina.set_viewport_size({"width": ANCHO, "height": ALTO})
        vista.pagina.goto(direccion + DIRECCION)
        for campaña in CAMPAÑAS:
            assert vista.pagina.get_by_role("link", name=campaña).is_visible()
        assert vista.quejas == []
        guardar(vista.pagina, "panel", entera=False)


def poblar(direccion: str) -> None:
    with httpx2.Client(base_url=direccion, trust_env=False) as cliente:
        for campaña, cuantos in CAMPAÑAS.items():
            for orden in range(cuantos * 4):
                evento = {
                    "campaña_id": campaña,
                    "influencer_id": INFLUENCERS[orden % len(INFLUENCERS)],
                    "usuario_id": f"usuario-{orden}",
                    "timestamp": f"2024-01-{1 + (orden * cuantos) % 14:02}T{orden % 24:02}:{cuantos * 6}:00Z",
                }
                cliente.post(IMPRESIONES, json=evento | {"tipo_evento": "IMPRESION" if orden % 3 else "CLIC"})
                if orden % 5 == 0:
                    venta = {"tipo_conversion": "VENTA", "valor": f"{cuantos * 12_900}.00", "moneda": "COP"}
                    cliente.post(CONVERSIONES, json=evento | venta)


def test_la_imagen_existe_y_mide_lo_que_ha_de_medir() -> None:
    octetos = (RAIZ / IMAGEN).read_bytes()
    assert octetos.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", octetos[16:24]) == (ANCHO, ALTO)
    assert len(octetos) <= PESO_MAXIMO


@pytest.mark.parametrize("archivo", ["README.md", "README.en.md"])
def test_los_dos_leeme_la_enseñan_y_dicen_que_se_ve_en_ella(archivo: str) -> None:
    texto = (RAIZ / archivo).read_text(encoding="utf-8")
    hallada = re.search(rf"!\[([^\]]+)\]\({re.escape(IMAGEN)}\)", texto)
    assert hallada is not None
    assert len(hallada[1].split()) > 5
