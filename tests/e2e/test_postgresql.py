"""El producto en marcha sobre PostgreSQL: con una orden, por partes, sin servidor un rato, y sin disco."""

import os
import subprocess
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.apoyo.espera import hasta
from tests.apoyo.lector import mensajes_del_topico
from tests.apoyo.por_publicar import CUANTO
from tests.apoyo.postgresql import (
    CLAVE,
    CREA_EN_EL_PEQUEÑO,
    EnDiscosPequeños,
    ServidorDePrueba,
    servidor_de_prueba,
    servidor_en_discos_pequeños,
    sql,
)
from tests.apoyo.puertos import puerto_libre
from tests.apoyo.servicio import BINARIOS, Instalacion, instalacion
from tests.apoyo.tabla_cambiada import FALTA, QUITAR, comprobar_que_se_dice_y_los_eventos_esperan
from tests.muerte.auditoria import Auditado, auditar, esperar_calma
from tests.muerte.carga import Carga
from tests.muerte.libro import libro_postgresql

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

        hasta(lambda: servicio.http.get("/tracking/conversiones/c").status_code == 200)
        servicio.esperar_consumidores()
        hasta(lambda: sql(url, CUANTO) == [["0"]], 60)
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
        assert sin_tablas.wait(60) == 1
        assert "ejecute `.venv/bin/alpespartners migrar`" in servicio.salida(sin_tablas)

        entorno = os.environ | {"ALPES_DATOS": str(servicio.datos), "ALPES_BASE_DATOS": url}
        orden = [str(BINARIOS / "alpespartners"), "migrar"]
        migrada = subprocess.run(orden, env=entorno, check=True, capture_output=True, text=True)
        assert f"127.0.0.1:{servidor_postgresql.puerto}/" in migrada.stdout
        assert CLAVE not in migrada.stdout + migrada.stderr

        servicio.consumidores()
        servicio.esperar_consumidores()
        hasta(lambda: servicio.http.get("/tracking/conversiones/a").status_code == 200)
        segundo = servicio.consumidores()
        assert segundo.wait(60) == 1
        assert "el broker embebido admite uno" in servicio.salida(segundo)
        assert servicio.http.get("/salud/lista").json()["consumidores"] == 1


def test_un_esquema_al_que_le_falta_una_columna_detiene_el_arranque_y_se_dice_cual(
    servidor_postgresql: ServidorDePrueba, tmp_path: Path
) -> None:
    url = servidor_postgresql.base_nueva()
    sql(url, QUITAR)
    with instalacion(tmp_path, ALPES_BASE_DATOS=url) as servicio:
        for arrancar in (servicio.iniciar, servicio.consumidores, servicio.api):
            proceso = arrancar()
            assert proceso.wait(60) != 0
            assert FALTA in servicio.salida(proceso)
        orden = servicio.orden("migrar")
        assert (orden.returncode, FALTA in orden.stderr, "Traceback" in orden.stderr) == (1, True, False)


def test_una_tabla_cambiada_en_marcha_se_dice_y_los_eventos_esperan(
    servidor_postgresql: ServidorDePrueba, tmp_path: Path
) -> None:
    url = servidor_postgresql.base_nueva()
    comprobar_que_se_dice_y_los_eventos_esperan(
        tmp_path, lambda _datos, sentencia: sql(url, sentencia), ALPES_BASE_DATOS=url
    )


@pytest.fixture
def pequeño(servidor_postgresql: ServidorDePrueba) -> Iterator[EnDiscosPequeños]:
    del servidor_postgresql
    with servidor_en_discos_pequeños() as propio:
        yield propio


def test_con_el_disco_de_los_datos_lleno_se_acepta_y_se_lee_y_al_haber_sitio_nada_falta_ni_sobra(
    pequeño: EnDiscosPequeños, tmp_path: Path
) -> None:
    with _bajo_carga(pequeño.servidor.base_vacia(CREA_EN_EL_PEQUEÑO), tmp_path) as (
        servicio,
        proceso,
        carga,
        sonda,
    ):
        pequeño.datos.llenar()
        hasta(lambda: sonda()["base_datos"] == "no_disponible")
        aceptados = len(carga.aceptados)
        hasta(lambda: len(carga.aceptados) > aceptados + 50)
        assert servicio.lista()
        assert servicio.http.get("/tracking/balance").status_code == 200
        assert "no le queda sitio en el disco (53100)" in servicio.salida(proceso)
        pequeño.datos.vaciar()
        hasta(lambda: sonda()["estado"] == "lista")


def test_con_el_disco_del_wal_lleno_postgresql_cae_se_sigue_aceptando_y_al_volver_nada_falta_ni_sobra(
    pequeño: EnDiscosPequeños, tmp_path: Path
) -> None:
    servidor = pequeño.servidor
    url = servidor.base_vacia()

    def cae() -> bool:
        # Lo que se escribe acaba llegando al final de lo que tenía; así llega antes.
        with suppress(subprocess.CalledProcessError):
            sql(url, "SELECT pg_switch_wal()")
        return servidor.caido

    with _bajo_carga(url, tmp_path) as (servicio, _, carga, sonda):
        pequeño.wal.llenar()
        hasta(cae, 60)
        hasta(lambda: sonda()["base_datos"] == "no_disponible")
        aceptados = len(carga.aceptados)
        hasta(lambda: len(carga.aceptados) > aceptados + 50)
        salud = servicio.http.get("/salud/lista")
        assert (salud.status_code, salud.json()["estado"]) == (200, "degradada")
        assert servicio.http.get("/tracking/balance").status_code == 503
        pequeño.wal.vaciar()
        servidor.arrancar()
        hasta(lambda: sonda()["estado"] == "lista")


@contextmanager
def _bajo_carga(
    url: str, carpeta: Path
) -> Generator[tuple[Instalacion, "subprocess.Popen[bytes]", Carga, Callable[[], dict[str, Any]]]]:
    """El servicio entero, quien le envía sin parar y la sonda del consumidor; al final todo cuadra."""
    lugar = f"127.0.0.1:{puerto_libre()}"
    with instalacion(carpeta, ALPES_BASE_DATOS=url, ALPES_METRICAS_CONSUMIDOR=lugar) as servicio:
        proceso = servicio.iniciar()
        servicio.esperar_consumidores()
        carga = Carga([servicio.puerto], semilla=1, clientes=3)
        carga.empezar()
        try:
            hasta(lambda: len(carga.aceptados) > 50, 60)
            yield servicio, proceso, carga, lambda: httpx2.get(f"http://{lugar}/salud/lista").json()
        finally:
            carga.terminar()
        mensajes = partial(mensajes_del_topico, servicio.datos)
        auditado = Auditado(libro_postgresql(url), servicio.http, mensajes)
        esperar_calma(auditado, carga)
        assert auditar(auditado, carga).discrepancias == []
        dicho = servicio.orden("conciliar", "--espera", "0", "--margen", "0")
        assert (dicho.returncode, "0 discrepancias." in dicho.stdout) == (0, True), dicho
        # Nadie murió, y nada de esto fue un defecto.
        salida = servicio.salida(proceso)
        assert '"level": "error"' not in salida
        assert "terminó con código" not in salida
