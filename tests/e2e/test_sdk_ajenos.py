"""Los SDK de Segment, RudderStack y PostHog, sin tocarlos, contra el servicio en marcha.

Cada dialecto tiene una clave, creada como la crea quien opera el servicio.
"""

import json
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.apoyo.espera import hasta
from tests.apoyo.instalados import ejecutar, paquetes_de_npm, paquetes_de_python
from tests.apoyo.repositorio import RAIZ
from tests.apoyo.servicio import Instalacion, instalacion

pytestmark = [pytest.mark.servidores, pytest.mark.timeout(300)]

_APOYO = RAIZ / "tests" / "apoyo" / "sdk"

COMUN = """
import json, sys

def fallo(error, _):
    sys.exit(str(error))

pedido = {
    "order_id": sys.argv[2],
    "campaign_id": "cmp-sdk",
    "influencer_id": "inf-1",
    "total": 150000.55,
    "currency": "COP",
}
"""
PROGRAMAS = {
    "segment": """
from segment.analytics import Client
cliente = Client(sys.argv[3], host=sys.argv[1], on_error=fallo)
for _ in range(2):
    cliente.track("usr-1", "Order Completed", pedido)
ignorado = cliente.track("usr-1", "Email Opened", {"asunto": "hola"})[1]["messageId"]
cliente.identify("usr-1", {"plan": "gratis"})
cliente.shutdown()
print(json.dumps({"pedido": sys.argv[2], "ignorado": ignorado}))
""",
    "segment en gzip": """
from segment.analytics import Client
cliente = Client(sys.argv[3], host=sys.argv[1], on_error=fallo, gzip=True)
for _ in range(2):
    cliente.track("usr-1", "Order Completed", pedido)
ignorado = cliente.page("usr-1", "inicio", "portada")[1]["messageId"]
cliente.shutdown()
print(json.dumps({"pedido": sys.argv[2], "ignorado": ignorado}))
""",
    "rudder": """
from rudderstack.analytics.client import Client
cliente = Client(sys.argv[3], host=sys.argv[1], on_error=fallo)
for _ in range(2):
    cliente.track("usr-1", "Order Completed", pedido)
ignorado = cliente.track("usr-1", "Email Opened", {"asunto": "hola"})[1]["messageId"]
cliente.flush()
cliente.join()
print(json.dumps({"pedido": sys.argv[2], "ignorado": ignorado}))
""",
    "posthog": """
from posthog import Posthog
cliente = Posthog(sys.argv[3], host=sys.argv[1], on_error=fallo)
for _ in range(2):
    cliente.capture("Order Completed", distinct_id="usr-1", properties=pedido)
ignorado = cliente.capture("Email Opened", distinct_id="usr-1", properties={"asunto": "hola"})
cliente.shutdown()
print(json.dumps({"pedido": sys.argv[2], "ignorado": ignorado}))
""",
}
"""Lo que hace un programa con cada SDK de Python."""


class Servicio:
    """La API y sus consumidores, con una clave para enviar en cada dialecto y otra para leer."""

    def __init__(self, instalada: Instalacion) -> None:
        self._instalada = instalada
        self.direccion = f"http://127.0.0.1:{instalada.puerto}"
        self.claves = {
            dialecto: self._crear("--alcance", "captura", "--dialecto", dialecto)
            for dialecto in ("segment", "posthog")
        }
        self._para_leer = {"Authorization": f"Bearer {self._crear('--alcance', 'lectura')}"}
        # La última que se creó: las demás ya se conocen.
        hasta(lambda: self.leer("/tracking/influencers").status_code == httpx2.codes.OK)

    def _crear(self, *opciones: str) -> str:
        creada = self._instalada.orden("claves", "crear", "--nombre", "de prueba", *opciones)
        assert creada.returncode == 0, creada.stderr
        return creada.stdout.strip()

    def leer(self, ruta: str) -> httpx2.Response:
        return self._instalada.http.get(ruta, headers=self._para_leer)


@pytest.fixture(scope="module")
def servicio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servicio]:
    with instalacion(tmp_path_factory.mktemp("sdk")) as nueva:
        nueva.api()
        nueva.consumidores()
        nueva.esperar_consumidores()
        yield Servicio(nueva)


@pytest.fixture(scope="module")
def python() -> Path:
    """El intérprete que tiene los SDK de Python."""
    return paquetes_de_python(RAIZ / "requisitos" / "sdk.txt", "sdk_de_python") / "python"


@pytest.mark.parametrize("sdk", PROGRAMAS)
def test_un_sdk_de_python_registra_su_pedido_una_vez_y_lo_demas_consta(
    servicio: Servicio, python: Path, tmp_path: Path, sdk: str
) -> None:
    clave = servicio.claves["posthog" if sdk == "posthog" else "segment"]
    orden: list[str | Path] = [python, "-c", COMUN + PROGRAMAS[sdk]]
    orden += [servicio.direccion, f"pedido {sdk}", clave]
    dicho = ejecutar(orden, tmp_path, PYTHONPATH="")
    _comprobar(servicio, json.loads(dicho))


@pytest.mark.skipif(shutil.which("npm") is None, reason="faltan Node.js y npm (paquetes nodejs y npm)")
@pytest.mark.parametrize("programa", ["segment_de_node", "rudder_de_node"])
def test_un_sdk_de_node_registra_su_pedido_una_vez_y_lo_demas_consta(
    servicio: Servicio, tmp_path: Path, programa: str
) -> None:
    for archivo in ("package.json", f"{programa}.js"):
        shutil.copy(_APOYO / archivo, tmp_path)
    (tmp_path / "node_modules").symlink_to(paquetes_de_npm(_APOYO, "sdk_de_node"))
    orden = ["node", f"{programa}.js", servicio.direccion, servicio.claves["segment"]]
    _comprobar(servicio, json.loads(ejecutar(orden, tmp_path)))


def _comprobar(servicio: Servicio, dicho: dict[str, str]) -> None:
    """El pedido, enviado dos veces, es una venta con su importe exacto; lo que no es nada se ignora."""
    assert [uno["estado"] for uno in _destinos(servicio, "conversiones", dicho["pedido"], 2)] == [
        "REGISTRADA",
        "DUPLICADA",
    ]
    venta = json.loads(servicio.leer(f"/tracking/conversiones/{dicho['pedido']}").text, parse_float=Decimal)
    assert venta["valor"] == Decimal("150000.55")
    assert (venta["moneda"], venta["campaña_id"], venta["usuario_id"]) == ("COP", "cmp-sdk", "usr-1")
    (ignorado,) = _destinos(servicio, "impresiones", dicho["ignorado"], 1)
    assert (ignorado["estado"], ignorado["motivo"]) == ("IGNORADA", "sin_correspondencia")


def _destinos(servicio: Servicio, clase: str, id_evento: str, cuantos: int) -> list[Any]:
    """Los de ese `id`, cuando ya son tantos."""

    def los_que_hay() -> list[Any]:
        historia = servicio.leer(f"/tracking/{clase}/{id_evento}/destino").json()
        hallados: list[Any] = historia.get("destinos", [])
        return hallados if len(hallados) >= cuantos else []

    return hasta(los_que_hay)
