"""Un lote por el servicio de verdad: cada elemento llega a su destino, y sin broker se sabe de cuáles no."""

import http.client
import json
import os
import signal
from pathlib import Path
from typing import Any

from tests.apoyo.base_datos import sql
from tests.apoyo.espera import hasta
from tests.apoyo.servicio import Instalacion, instalacion

_NDJSON = "application/x-ndjson"
_CUANTOS = 1_000


def _linea(numero: int) -> bytes:
    evento: dict[str, object] = {"id": f"ev-{numero}", "campaña_id": "cmp-1"}
    if numero % 2:
        evento |= {"clase": "conversion", "tipo_conversion": "VENTA", "valor": "7.50", "moneda": "USD"}
    else:
        evento["clase"] = "impresion"
    return json.dumps(evento).encode() + b"\n"


def _lote(servicio: Instalacion, cuerpo: bytes) -> dict[str, Any]:
    respuesta = servicio.http.post("/tracking/lotes", content=cuerpo, headers={"Content-Type": _NDJSON})
    recibido: dict[str, Any] = respuesta.json()
    assert respuesta.status_code in (200, 503)
    return recibido


def _registrados(servicio: Instalacion) -> int:
    return sum(
        len(sql(servicio.datos, f"SELECT id FROM {tabla}"))  # noqa: S608 (son las dos tablas)
        for tabla in ("impresiones", "conversiones")
    )


def test_si_el_broker_muere_a_mitad_de_un_lote_se_sabe_de_cada_uno_y_repetirlo_no_duplica(
    tmp_path: Path,
) -> None:
    lineas = [_linea(numero) for numero in range(_CUANTOS)]
    with instalacion(tmp_path, ALPES_LIMITE_CONFIRMACION="1") as servicio:
        servicio.iniciar()
        servicio.esperar_consumidores()
        conexion = http.client.HTTPConnection("127.0.0.1", servicio.puerto, timeout=30)
        conexion.putrequest("POST", "/tracking/lotes")
        conexion.putheader("Content-Type", _NDJSON)
        conexion.putheader("Content-Length", str(sum(map(len, lineas))))
        conexion.endheaders(b"".join(lineas[: _CUANTOS // 2]))
        hasta(lambda: _registrados(servicio) >= 100)
        guardian = servicio.numero_de("broker_embebido.guardian")
        os.kill(guardian, signal.SIGSTOP)
        os.kill(servicio.numero_de("--db-path"), signal.SIGKILL)
        conexion.send(b"".join(lineas[_CUANTOS // 2 :]))
        respuesta = conexion.getresponse()
        primero: dict[str, Any] = json.loads(respuesta.read())
        conexion.close()
        os.kill(guardian, signal.SIGCONT)
        estados = [resultado["estado"] for resultado in primero["resultados"]]
        assert len(estados) == _CUANTOS
        assert set(estados) == {"ACEPTADA", "SIN_CONFIRMAR"}
        assert estados[0] == "ACEPTADA"

        def repetido() -> bool:
            aceptados: int = _lote(servicio, b"".join(lineas))["aceptados"]
            return aceptados == _CUANTOS

        hasta(repetido)
        hasta(lambda: _registrados(servicio) == _CUANTOS)
        assert servicio.orden("conciliar").returncode == 0


def test_lo_que_llega_en_un_lote_tiene_un_destino_como_lo_que_llega_solo(tmp_path: Path) -> None:
    with instalacion(tmp_path) as servicio:
        servicio.iniciar()
        servicio.esperar_consumidores()
        servicio.http.post("/tracking/impresiones", json={"id": "ev-0", "campaña_id": "cmp-2"})
        respuesta = servicio.http.post(
            "/tracking/lotes",
            content=b"".join(_linea(numero) for numero in (0, 1, 1, 2)),
            headers={"Content-Type": _NDJSON, "Prefer": "wait=10"},
        )
        assert [resultado["estado"] for resultado in respuesta.json()["resultados"]] == [
            "RECHAZADA",
            "REGISTRADA",
            "DUPLICADA",
            "REGISTRADA",
        ]
        destino = servicio.http.get("/tracking/conversiones/ev-1/destino").json()
        assert [suceso["estado"] for suceso in destino["destinos"]] == ["REGISTRADA", "DUPLICADA"]
