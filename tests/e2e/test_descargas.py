"""Descargas con un servidor de verdad: lo que se corta a la mitad se ve, y lo que va entero llega entero."""

import csv
import io
import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import httpx2
import pytest
from structlog.testing import capture_logs

from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.consultas.cursores import LIMITE_MAXIMO
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible, Consulta
from tests.apoyo.espera import hasta
from tests.apoyo.eventos import impresion
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria
from tests.apoyo.servicio import BINARIOS, Instalacion, instalacion
from tests.apoyo.servidor import servidor

T = TypeVar("T")

LISTA = "/tracking/campanas/cmp-456/impresiones"
INFORME = "/tracking/campanas/cmp-456/informe"
EVENTOS = 3 * LIMITE_MAXIMO


class _QueFallaALaTercera(PuertosEnMemoria):
    async def leer(self, consulta: Callable[[Consulta], T]) -> T:
        if self.consultas == 2:
            raise BaseDatosNoDisponible("se fue")
        return await super().leer(consulta)


def guardar(respuesta: httpx2.Response, recibido: bytearray) -> None:
    for trozo in respuesta.iter_raw():
        recibido += trozo


@pytest.mark.parametrize("formato", ["csv", "ndjson"])
def test_si_la_base_de_datos_falla_a_la_mitad_la_conexion_se_corta_y_queda_anotado(formato: str) -> None:
    puertos = _QueFallaALaTercera()
    puertos.registrado.libros[clases.IMPRESIONES].eventos.update(
        (f"i{numero}", impresion(id=f"i{numero}")) for numero in range(EVENTOS)
    )
    recibido = bytearray()
    with capture_logs() as anotado, servidor(api_en_memoria(puertos)) as puerto:
        direccion = f"http://127.0.0.1:{puerto}{LISTA}?formato={formato}"
        with httpx2.Client(trust_env=False) as cliente, cliente.stream("GET", direccion) as respuesta:
            assert respuesta.status_code == 200
            with pytest.raises(httpx2.RemoteProtocolError):
                guardar(respuesta, recibido)
        # Y quien atiende a los demás sigue atendiendo.
        puertos.consultas = 0
        assert httpx2.get(f"http://127.0.0.1:{puerto}{LISTA}", trust_env=False).status_code == 200
    assert recibido.count(b"\n") == 2 * LIMITE_MAXIMO + (formato == "csv")
    [corte] = [linea for linea in anotado if linea["log_level"] == "error"]
    assert corte["event"] == "respuesta cortada"
    assert corte["ruta"] == "/tracking/campanas/{campana_id}/impresiones"


def test_un_servidor_que_termina_corta_las_descargas_y_lo_dice_sin_una_traza(
    caplog: pytest.LogCaptureFixture,
) -> None:
    puertos = PuertosEnMemoria()
    puertos.registrado.libros[clases.IMPRESIONES].eventos.update(
        (f"i{numero}", impresion(id=f"i{numero}", user_agent="a" * 2_000)) for numero in range(EVENTOS)
    )
    with capture_logs() as anotado, socket.socket() as lento:
        # Con tan poco sitio no caben ni dos páginas entre los dos: la descarga sigue a medias.
        lento.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        with servidor(api_en_memoria(puertos)) as puerto:
            lento.connect(("127.0.0.1", puerto))
            lento.sendall(f"GET {LISTA}?formato=csv HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            hasta(lambda: puertos.consultas >= 1)
    assert [linea["event"] for linea in anotado] == ["respuesta cortada al terminar"]
    assert not [linea for linea in caplog.records if linea.exc_info]


@pytest.fixture
def servicio(tmp_path: Path) -> Iterator[Instalacion]:
    with instalacion(tmp_path) as nueva:
        yield nueva


def test_de_un_servicio_en_marcha_se_guarda_todo_con_curl_y_el_informe_de_la_terminal_es_el_suyo(
    servicio: Instalacion, tmp_path: Path
) -> None:
    servicio.iniciar()
    servicio.esperar_lista()
    for numero in range(3):
        cuerpo = {"id": f"=i{numero}", "campaña_id": "cmp-456", "user_agent": 'a,"b"\r\n\x1b☃'}
        assert servicio.http.post("/tracking/impresiones", json=cuerpo).status_code == 202
    hasta(lambda: len(servicio.http.get(LISTA).json()["elementos"]) == 3)
    for direccion in (LISTA, "/tracking/impresiones", "/tracking/destinos"):
        carpeta = tmp_path / direccion.rpartition("/")[2]
        carpeta.mkdir(exist_ok=True)
        curl = ["curl", "--silent", "--fail", "--noproxy", "*", "--remote-name", "--remote-header-name"]
        curl += ["--header", "Accept: text/csv", f"http://127.0.0.1:{servicio.puerto}{direccion}"]
        subprocess.run(curl, cwd=carpeta, check=True, timeout=30)
        [guardado] = carpeta.iterdir()
        assert guardado.name.endswith(".csv")
        filas = list(csv.DictReader(io.StringIO(guardado.read_bytes().decode(), newline=""), strict=True))
        assert sorted(fila["id"] for fila in filas) == ["'=i0", "'=i1", "'=i2"]
        guardado.unlink()

    periodo = {"zona": "America/Bogota", "comparar": "periodo_anterior", "por": "tipo"}
    por_http = servicio.http.get(INFORME, params={**periodo, "formato": "csv"})
    opciones = [f"--{nombre}={valor}" for nombre, valor in periodo.items()]
    en_la_terminal = subprocess.run(
        [str(BINARIOS / "alpespartners"), "informe", "cmp-456", *opciones, "--csv"],
        env=os.environ | {"ALPES_DATOS": str(servicio.datos)},
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert por_http.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
    assert en_la_terminal.stdout == por_http.content
    assert b",IMPRESION,3," in por_http.content
