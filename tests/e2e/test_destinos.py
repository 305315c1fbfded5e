"""Qué fue de cada evento, sobre el producto en marcha: por HTTP, esperando y desde la terminal."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.apoyo.espera import hasta
from tests.apoyo.servicio import BINARIOS, Instalacion, instalacion

VENTA = {
    "id": "FV/2024/001",
    "campaña_id": "cmp-456",
    "tipo_conversion": "VENTA",
    "valor": 150000.0,
    "moneda": "COP",
}
DESTINO = "/tracking/conversiones/FV%2F2024%2F001/destino"


@pytest.fixture
def servicio(tmp_path: Path) -> Iterator[Instalacion]:
    with instalacion(tmp_path) as nueva:
        yield nueva


def enviar(servicio: Instalacion, cuerpo: dict[str, object], espera: int) -> httpx2.Response:
    return servicio.http.post(
        "/tracking/conversiones", json=cuerpo, headers={"Prefer": f"wait={espera}"}, timeout=20
    )


def destino_en_la_terminal(datos: Path, clase: str, id_evento: str) -> tuple[int, str]:
    return en_la_terminal(datos, "destino", clase, id_evento)


def en_la_terminal(datos: Path, *orden: str) -> tuple[int, str]:
    resultado = subprocess.run(
        [str(BINARIOS / "alpespartners"), *orden],
        env=os.environ | {"ALPES_DATOS": str(datos)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert resultado.stderr == ""
    return resultado.returncode, resultado.stdout


def test_la_vida_de_un_id_se_puede_preguntar_en_todo_momento(servicio: Instalacion) -> None:
    servicio.api()
    consumidores = servicio.consumidores()
    servicio.esperar_consumidores()

    registrada = enviar(servicio, VENTA, 10)
    assert registrada.status_code == 201
    assert registrada.content == servicio.http.get(registrada.headers["Location"]).content
    repetida = enviar(servicio, VENTA, 10)
    assert (repetida.status_code, repetida.content) == (200, registrada.content)
    distinta = enviar(servicio, {**VENTA, "valor": 1}, 10)
    assert (distinta.status_code, distinta.json()["campos"]) == (409, ["valor"])
    (rechazo,) = servicio.http.get("/tracking/destinos?estado=RECHAZADA").json()["elementos"]
    assert rechazo["comando_id"] == distinta.json()["comando_id"]
    assert (rechazo["campaña_id"], rechazo["enviado"]["valor"]) == ("cmp-456", 1)
    original = registrada.json()["comando_id"]

    contado = servicio.http.get(DESTINO).json()
    assert [(suceso["estado"], suceso.get("original")) for suceso in contado["destinos"]] == [
        ("REGISTRADA", None),
        ("DUPLICADA", original),
        ("RECHAZADA", None),
    ]
    hasta_ahora = servicio.http.get("/tracking/balance").json()["comandos"][1]
    assert hasta_ahora == {
        "topico": "comando-registrar-conversion",
        "registradas": 1,
        "duplicadas": 1,
        "rechazadas": {"conflicto_de_id": 1},
        "ignoradas": {},
        "ilegibles": 0,
        "total": 3,
        "procesado_hasta": contado["destinos"][-1]["recibido_en"],
    }
    hasta(lambda: servicio.http.get("/tracking/balance").json()["bandeja_salida"]["pendientes"] == 0)
    nunca = servicio.http.get("/tracking/conversiones/nunca/destino")
    assert (nunca.status_code, nunca.json()["consumidores"]) == (404, 1)
    assert nunca.json()["procesado_hasta"] == hasta_ahora["procesado_hasta"]
    codigo, listados = en_la_terminal(servicio.datos, "destinos", "--motivo", "conflicto_de_id")
    assert (codigo, listados.count("RECHAZADA"), '"valor":1.00' in listados) == (0, 1, True)
    codigo, con_consumidores = destino_en_la_terminal(servicio.datos, "conversion", "FV/2024/001")
    assert codigo == 0
    assert [linea.split()[-1] for linea in con_consumidores.splitlines()[::3]] == [
        "REGISTRADA",
        "DUPLICADA",
        "RECHAZADA",
    ]

    consumidores.send_signal(signal.SIGTERM)
    assert consumidores.wait(60) == 0
    comienzo = time.monotonic()
    pendiente = enviar(servicio, {**VENTA, "id": "después"}, 1)
    assert time.monotonic() - comienzo >= 1
    assert (pendiente.status_code, pendiente.headers["Preference-Applied"]) == (202, "wait=1")
    todavia_no = servicio.http.get(f"{pendiente.headers['Location']}/destino")
    assert (todavia_no.status_code, todavia_no.json()["consumidores"]) == (404, 0)
    assert "ahora no hay ninguno" in todavia_no.json()["detail"]
    assert destino_en_la_terminal(servicio.datos, "conversion", "FV/2024/001") == (0, con_consumidores)
    codigo, explicacion = destino_en_la_terminal(servicio.datos, "conversion", "después")
    assert codigo == 1
    assert todavia_no.json()["detail"] in explicacion

    servicio.consumidores()
    hasta(lambda: servicio.http.get(f"{pendiente.headers['Location']}/destino").status_code == 200)


def test_desde_la_terminal_se_pregunta_aunque_no_haya_ni_carpeta_de_datos(tmp_path: Path) -> None:
    datos = tmp_path / "no-existe"
    codigo, explicacion = destino_en_la_terminal(datos, "impresion", "a")
    assert codigo == 1
    assert "Aún no se ha procesado" in explicacion
    assert not datos.exists()
