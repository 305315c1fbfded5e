"""Los SDK públicos de CloudEvents, de Python y de Node, apuntados al servicio entero sin tocarlos.

Se instalan, con sus versiones bloqueadas, en `.venv/clientes`; otra vez, si cambian.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alpespartners.composicion.mensajes import TIPOS_DE_COMANDO
from alpespartners.modulos.tracking.aplicacion.clases import CONVERSIONES
from tests.apoyo.espera import hasta
from tests.apoyo.instalados import ejecutar, paquetes_de_npm, paquetes_de_python
from tests.apoyo.repositorio import RAIZ
from tests.apoyo.servicio import Instalacion, instalacion

pytestmark = [pytest.mark.servidores, pytest.mark.timeout(300)]

_APOYO = RAIZ / "tests" / "apoyo" / "cloudevents"
_TIPO = next(tipo for tipo, clase in TIPOS_DE_COMANDO.items() if clase is CONVERSIONES)

PROGRAMA = """import json
import sys
import urllib.request
from datetime import UTC, datetime

from cloudevents.core.bindings.http import HTTPMessage, to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent

DIRECCION, TIPO = sys.argv[1:]


def evento(modo: str, **datos: object) -> CloudEvent:
    return CloudEvent(
        attributes={
            "id": f"ñ-{modo}",
            "source": "/tienda",
            "type": TIPO,
            "time": datetime(2024, 1, 15, 10, 35, tzinfo=UTC),
            "extension": "con acento: á",
            "datacontenttype": "application/json",
        },
        data={
            "id": f"py-{modo}",
            "campaña_id": "cmp-ñ",
            "tipo_conversion": "VENTA",
            "valor": "150000.50",
            "moneda": "COP",
            **datos,
        },
    )


def enviar(mensaje: HTTPMessage) -> object:
    peticion = urllib.request.Request(DIRECCION, data=mensaje.body, headers=mensaje.headers)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(peticion) as respuesta:
        return json.load(respuesta)


# Para un lote el SDK da cada evento en JSON; la lista la pone quien envía.
EVENTOS = [to_structured_event(evento(modo)).body for modo in ("lote-1", "lote-2")]
LOTE = HTTPMessage({"Content-Type": "application/cloudevents-batch+json"}, b"[" + b",".join(EVENTOS) + b"]")
EN_BASE64 = CloudEvent(
    attributes=evento("").get_attributes(),
    data=json.dumps(evento("base64").get_data()).encode(),
)
DICHO = {
    "estructurado": enviar(to_structured_event(evento("estructurado"))),
    "binario": enviar(to_binary_event(evento("binario"))),
    "lote": enviar(LOTE),
    "base64": enviar(to_structured_event(EN_BASE64)),
    "repetidos": [enviar(to_binary_event(evento("sin-id", id=None))) for _ in range(2)],
}
sys.stdout.write(json.dumps(DICHO))
"""


@pytest.fixture
def servicio(tmp_path: Path) -> Iterator[Instalacion]:
    with instalacion(tmp_path) as nueva:
        nueva.iniciar()
        nueva.esperar_consumidores()
        yield nueva


def direccion(servicio: Instalacion) -> str:
    return f"http://127.0.0.1:{servicio.puerto}/tracking/cloudevents"


def registrada(servicio: Instalacion, id_evento: str) -> dict[str, Any]:
    """La conversión de ese `id`, en cuanto esté registrada."""
    ruta = f"/tracking/conversiones/{id_evento}"
    hasta(lambda: servicio.http.get(ruta).is_success)
    conversion: dict[str, Any] = servicio.http.get(ruta).json()
    return conversion


def es_la_enviada(conversion: dict[str, Any]) -> None:
    """Falla si no dice lo que el SDK envió."""
    assert (conversion["valor"], conversion["moneda"]) == (150000.5, "COP")
    assert conversion["campaña_id"] == "cmp-ñ"
    assert conversion["timestamp"] == "2024-01-15T10:35:00Z"
    assert conversion["propiedades"] == {"ce_extension": "con acento: á"}


def test_el_sdk_de_python_envia_en_los_tres_modos(servicio: Instalacion, tmp_path: Path) -> None:
    binarios = paquetes_de_python(RAIZ / "requisitos" / "cloudevents.txt", "cloudevents-python")
    dicho = json.loads(ejecutar([binarios / "python", "-c", PROGRAMA, direccion(servicio), _TIPO], tmp_path))
    for modo in ("estructurado", "binario", "base64"):
        assert (dicho[modo]["id"], dicho[modo]["estado"]) == (f"py-{modo}", "ACEPTADA")
        es_la_enviada(registrada(servicio, f"py-{modo}"))
    assert [uno["estado"] for uno in dicho["lote"]["resultados"]] == ["ACEPTADA", "ACEPTADA"]
    for uno in dicho["lote"]["resultados"]:
        es_la_enviada(registrada(servicio, uno["id"]))
    primera, segunda = dicho["repetidos"]
    assert primera["id"] == segunda["id"]
    assert primera["advertencias"] == ["id_derivado"]
    es_la_enviada(registrada(servicio, primera["id"]))


@pytest.mark.skipif(shutil.which("npm") is None, reason="faltan Node.js y npm (paquetes nodejs y npm)")
def test_el_sdk_de_node_envia_en_los_tres_modos_por_trozos_y_sin_longitud(
    servicio: Instalacion, tmp_path: Path
) -> None:
    shutil.copy(_APOYO / "enviar.mjs", tmp_path)
    (tmp_path / "node_modules").symlink_to(paquetes_de_npm(_APOYO, "cloudevents-node"))
    dicho = json.loads(ejecutar(["node", "enviar.mjs", direccion(servicio), _TIPO], tmp_path))
    for modo in ("estructurado", "binario"):
        assert (dicho[modo].get("id"), dicho[modo].get("estado")) == (f"js-{modo}", "ACEPTADA"), dicho[modo]
        es_la_enviada(registrada(servicio, f"js-{modo}"))
    assert [uno["estado"] for uno in dicho["lote"]["resultados"]] == ["ACEPTADA", "ACEPTADA"]
    for uno in dicho["lote"]["resultados"]:
        es_la_enviada(registrada(servicio, uno["id"]))
