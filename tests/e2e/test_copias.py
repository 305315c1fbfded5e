"""Copiar y restaurar como dice docs/operacion.md: lo que estaba vuelve, y lo que faltaba se rehace."""

import shutil
import signal
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from subprocess import Popen

import pytest

from alpespartners.medicion.servidor_postgresql import binarios
from alpespartners.modulos.tracking.aplicacion.topicos import (
    COMANDO_REGISTRAR_CONVERSION,
    EVENTO_CONVERSION_REGISTRADA,
)
from tests.apoyo.espera import hasta
from tests.apoyo.por_publicar import CUANTO
from tests.apoyo.postgresql import ServidorDePrueba, sql
from tests.apoyo.pulsar_apache import ServidorApache, mensajes_de_apache
from tests.apoyo.servicio import Instalacion, instalacion

VENTA = {"campaña_id": "cmp-456", "tipo_conversion": "VENTA", "valor": 150000.0, "moneda": "COP"}
FILAS = "SELECT id, comando_id, valor, moneda, recibido_en FROM conversiones ORDER BY id"


def registrar(servicio: Instalacion, *ids: str) -> None:
    for id_evento in ids:
        respuesta = servicio.http.post(
            "/tracking/conversiones",
            json=VENTA | {"id": id_evento},
            headers={"Prefer": "wait=10"},
            timeout=30,
        )
        assert respuesta.status_code == 201


def terminar(proceso: "Popen[bytes]") -> None:
    proceso.send_signal(signal.SIGTERM)
    proceso.wait(60)


def listadas(servicio: Instalacion) -> list[dict[str, object]]:
    elementos: list[dict[str, object]] = servicio.http.get("/tracking/campañas/cmp-456/conversiones").json()[
        "elementos"
    ]
    return elementos


def test_la_carpeta_copiada_con_el_servicio_detenido_lo_devuelve_todo(tmp_path: Path) -> None:
    copia = tmp_path / "copia"
    with instalacion(tmp_path) as servicio:
        principal = servicio.iniciar()
        servicio.esperar_consumidores()
        registrar(servicio, "a", "b")
        antes = listadas(servicio)
        terminar(principal)
        hasta(lambda: not servicio.procesos())
        shutil.copytree(servicio.datos, copia)
        principal = servicio.iniciar()
        servicio.esperar_consumidores()
        registrar(servicio, "c")
        terminar(principal)
        hasta(lambda: not servicio.procesos())

        shutil.rmtree(servicio.datos)
        copia.rename(servicio.datos)
        servicio.iniciar()
        servicio.esperar_consumidores()
        assert listadas(servicio) == antes
        registrar(servicio, "c")


@pytest.mark.servidores
def test_una_base_de_datos_restaurada_se_completa_con_lo_que_pulsar_vuelve_a_entregar(
    servidor_postgresql: ServidorDePrueba, pulsar_apache: ServidorApache, tmp_path: Path
) -> None:
    pulsar_apache.arrancar_si_falta()
    espacio, url, otra = (
        pulsar_apache.espacio_nuevo(),
        servidor_postgresql.base_nueva(),
        servidor_postgresql.base_vacia(),
    )
    donde = binarios()
    assert donde is not None
    volcado = str(tmp_path / "tracking.dump")
    pulsar = {"ALPES_PULSAR_URL": pulsar_apache.url, "ALPES_PULSAR_ESPACIO": espacio}
    with instalacion(tmp_path, **pulsar, ALPES_BASE_DATOS=url) as servicio:
        servicio.api()
        servicio.consumidores()
        servicio.esperar_consumidores()
        registrar(servicio, "a", "b")
        desde = datetime.now(UTC)
        orden = [str(donde / "pg_dump"), "--format=custom", f"--file={volcado}", url]
        subprocess.run(orden, check=True, capture_output=True)
        registrar(servicio, "c", "d")
        hasta(lambda: sql(url, CUANTO) == [["0"]])
    filas = sql(url, FILAS)

    orden = [str(donde / "pg_restore"), f"--dbname={otra}", volcado]
    subprocess.run(orden, check=True, capture_output=True)
    assert sql(otra, "SELECT id FROM conversiones ORDER BY id") == [["a"], ["b"]]
    milisegundos = int(desde.timestamp() * 1000) - 60_000
    topico = f"persistent/{espacio}/{COMANDO_REGISTRAR_CONVERSION}"
    pulsar_apache.administrar("POST", f"{topico}/subscription/tracking/resetcursor/{milisegundos}")

    with instalacion(tmp_path / "otra", **pulsar, ALPES_BASE_DATOS=otra) as servicio:
        servicio.api()
        servicio.consumidores()
        servicio.esperar_consumidores()
        hasta(lambda: sql(otra, "SELECT count(*) FROM conversiones") == [["4"]])
        # La copia pudo llevarse un envío recién arrendado: antes de publicarlo vence su arriendo.
        hasta(lambda: sql(otra, CUANTO) == [["0"]], 60)
        conciliado = servicio.orden("conciliar", "--espera", "0", "--margen", "0")
        assert "0 discrepancias." in conciliado.stdout, conciliado
    assert sql(otra, FILAS) == filas
    assert sql(otra, "SELECT count(*) FROM destinos") == [["0"]]
    eventos = mensajes_de_apache(pulsar_apache.url, espacio, EVENTO_CONVERSION_REGISTRADA)
    assert len({evento.properties()["ce_id"] for evento in eventos}) == 4
