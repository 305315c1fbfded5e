"""El producto en marcha sobre PostgreSQL: con una orden, por partes, y con el servidor que se va y vuelve."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.apoyo.espera import hasta
from tests.apoyo.postgresql import CLAVE, ServidorDePrueba, servidor_de_prueba, sql
from tests.apoyo.servicio import BINARIOS, Instalacion, instalacion

VENTA = {"campaña_id": "cmp-456", "tipo_conversion": "VENTA", "valor": 150000.0, "moneda": "COP"}


@pytest.fixture
def servidor(servidor_postgresql: ServidorDePrueba) -> Iterator[ServidorDePrueba]:
    # Uno propio, porque se va y vuelve; el de todas dice antes si está instalado.
    del servidor_postgresql
    with servidor_de_prueba() as propio:
        yield propio


def enviar(servicio: Instalacion, id_evento: str, espera: int = 10) -> int:
    respuesta = servicio.http.post(
        "/tracking/conversiones",
        json={**VENTA, "id": id_evento},
        headers={"Prefer": f"wait={espera}"},
        timeout=30,
    )
    return respuesta.status_code


def test_una_sola_orden_migra_registra_y_aguanta_que_el_servidor_se_vaya_y_vuelva(
    servidor: ServidorDePrueba, tmp_path: Path
) -> None:
    url = servidor.base_vacia()
    with instalacion(tmp_path, ALPES_BASE_DATOS=url) as servicio:
        proceso = servicio.iniciar()
        servicio.esperar_consumidores()
        assert [enviar(servicio, id_evento) for id_evento in ("a", "a", "b")] == [201, 200, 201]

        servidor.detener()
        assert servicio.http.get("/salud/lista").json()["base_datos"] == "no_disponible"
        assert enviar(servicio, "c", espera=0) == 202
        assert servicio.http.get("/tracking/conversiones/a").status_code == 503
        servidor.arrancar()

        hasta(lambda: servicio.http.get("/tracking/conversiones/c").status_code == 200, 30)
        servicio.esperar_consumidores()
        hasta(lambda: sql(url, "SELECT count(*) FROM bandeja_salida") == [["0"]], 60)
        salida = servicio.salida(proceso)
        assert not (servicio.datos / "tracking.sqlite3").exists()
    sumado = sql(url, "SELECT estado, sum(cuantos) FROM balance WHERE topico LIKE 'comando-%' GROUP BY 1")
    assert sorted(sumado) == [["DUPLICADA", "1"], ["REGISTRADA", "3"]]
    assert CLAVE not in salida
    assert url not in salida
    assert f"postgresql://127.0.0.1:{servidor.puerto}/" in salida


def test_por_partes_nadie_mas_migra_y_mientras_tanto_se_aceptan_eventos(
    servidor_postgresql: ServidorDePrueba, tmp_path: Path
) -> None:
    url = servidor_postgresql.base_vacia()
    with instalacion(tmp_path, ALPES_BASE_DATOS=url) as servicio:
        servicio.api()
        servicio.esperar_lista()
        assert enviar(servicio, "a", espera=0) == 202
        lista = servicio.http.get("/tracking/campañas/cmp-456/conversiones")
        assert (lista.status_code, lista.json()["elementos"]) == (200, [])
        assert servicio.http.get("/tracking/conversiones/a").status_code == 404

        sin_tablas = servicio.consumidores()
        assert sin_tablas.wait(30) == 1
        assert "ejecute `alpespartners migrar`" in servicio.salida(sin_tablas)

        entorno = os.environ | {"ALPES_DATOS": str(servicio.datos), "ALPES_BASE_DATOS": url}
        orden = [str(BINARIOS / "alpespartners"), "migrar"]
        migrada = subprocess.run(orden, env=entorno, check=True, capture_output=True, text=True)
        assert f"127.0.0.1:{servidor_postgresql.puerto}/" in migrada.stdout
        assert CLAVE not in migrada.stdout + migrada.stderr

        servicio.consumidores()
        servicio.esperar_consumidores()
        hasta(lambda: servicio.http.get("/tracking/conversiones/a").status_code == 200, 30)
        segundo = servicio.consumidores()
        assert segundo.wait(30) == 1
        assert "el broker embebido admite uno" in servicio.salida(segundo)
        assert servicio.http.get("/salud/lista").json()["consumidores"] == 1
