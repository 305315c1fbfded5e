"""La imagen del panel que enseñan los dos README: la hace esta prueba, y siempre está.

`bin/probar tests/e2e/panel/test_imagen_del_leeme.py --capturas docs` la vuelve a hacer. No se compara punto
por punto: la letra es la de cada máquina.
"""

import re
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from tests.apoyo.capturas import Guardar
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria
from tests.apoyo.navegador import CHROMIUM
from tests.apoyo.pantalla import navegador, pantalla
from tests.apoyo.repositorio import RAIZ
from tests.apoyo.servidor import servidor

IMAGEN = "docs/panel.png"
DIRECCION = "/panel"
ANCHO, ALTO = 1280, 640
PESO_MAXIMO = 200_000
LOTES = "/tracking/lotes"
COMIENZO = datetime(2023, 12, 17, tzinfo=UTC)
"""Treinta días antes de la hora del servicio en memoria."""
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
            lote = [
                elemento for orden in range(cuantos * 90) for elemento in elementos(campaña, cuantos, orden)
            ]
            assert cliente.post(LOTES, json=lote).json()["aceptados"] == len(lote)


def elementos(campaña: str, cuantos: int, orden: int) -> Iterator[dict[str, Any]]:
    """Una impresión o un clic y, a veces, su venta; de cada campaña crecen o menguan a su manera."""
    dias = 29 * (orden * 7919 % 1000 / 1000) ** (cuantos / 6)
    evento = {
        "clase": "impresion",
        "campaña_id": campaña,
        "influencer_id": INFLUENCERS[orden % len(INFLUENCERS)],
        "usuario_id": f"usuario-{orden}",
        "timestamp": (COMIENZO + timedelta(days=dias)).isoformat(),
    }
    yield evento | {"tipo_evento": "IMPRESION" if orden % 12 else "CLIC"}
    if orden % 84 == 0:
        venta = {"tipo_conversion": "VENTA", "valor": f"{cuantos * 12_900}.00", "moneda": "COP"}
        yield evento | venta | {"clase": "conversion"}


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
