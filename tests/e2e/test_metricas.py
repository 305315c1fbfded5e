"""`/metricas` y `/salud/*` de los dos procesos, en el servicio de verdad."""

import socket
from contextlib import closing
from pathlib import Path

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from alpespartners.modulos.tracking.infraestructura.motores.sqlite.archivo import (
    archivo_de,
    biblioteca_sqlite,
)
from tests.apoyo.espera import hasta
from tests.apoyo.procesos import escuchas
from tests.apoyo.puertos import puerto_libre
from tests.apoyo.servicio import instalacion

VENTA = {"campaña_id": "cmp-456", "tipo_conversion": "VENTA", "valor": 150000.0, "moneda": "COP"}


def _suma(direccion: str, nombre: str, **etiquetas: str) -> float:
    """Lo que suman las muestras de ese nombre que llevan esas etiquetas."""
    texto = httpx2.get(direccion, trust_env=False).text
    return sum(
        muestra.value
        for familia in text_string_to_metric_families(texto)
        for muestra in familia.samples
        if muestra.name == nombre and etiquetas.items() <= muestra.labels.items()
    )


def test_api_y_consumidores_cuentan_lo_que_paso_con_cada_comando(tmp_path: Path) -> None:
    puerto = puerto_libre()
    with instalacion(tmp_path, ALPES_METRICAS_CONSUMIDOR=f"127.0.0.1:{puerto}") as servicio:
        servicio.api()
        servicio.consumidores()
        servicio.esperar_consumidores()
        for cuerpo in (VENTA, VENTA, VENTA | {"valor": 1}):
            servicio.http.post(
                "/tracking/conversiones", json=cuerpo | {"id": "a"}, headers={"Prefer": "wait=10"}
            )
        sonda, api = f"http://127.0.0.1:{puerto}", f"http://127.0.0.1:{servicio.puerto}"
        topico = {"topico": "comando-registrar-conversion"}
        hasta(lambda: _suma(f"{sonda}/metricas", "alpes_envios_publicados_total") == 1)
        for nombre, donde in (("alpes_comandos_total", api), ("alpes_destinos_total", sonda)):
            cuentas = {
                estado: _suma(f"{donde}/metricas", nombre, estado=estado, **topico)
                for estado in ("REGISTRADA", "DUPLICADA", "RECHAZADA", "ILEGIBLE")
            }
            assert cuentas == {"REGISTRADA": 1, "DUPLICADA": 1, "RECHAZADA": 1, "ILEGIBLE": 0}
        assert _suma(f"{sonda}/metricas", "alpes_destinos_total", motivo="conflicto_de_id") == 1
        assert _suma(f"{api}/metricas", "alpes_comandos_aceptados_total", **topico) == 3
        assert _suma(f"{api}/metricas", "alpes_confirmacion_segundos_count", **topico) == 3
        assert _suma(f"{sonda}/metricas", "alpes_lote_mensajes_sum", **topico) == 3
        assert 0 < _suma(f"{sonda}/metricas", "alpes_retraso_segundos_sum", **topico) < 60
        assert _suma(f"{sonda}/metricas", "process_resident_memory_bytes") > 0
        for direccion in (api, sonda):
            assert "_created" not in httpx2.get(f"{direccion}/metricas", trust_env=False).text

        lista = httpx2.get(f"{sonda}/salud/lista", trust_env=False)
        assert (lista.status_code, lista.json()["estado"]) == (200, "lista")
        assert httpx2.get(f"{sonda}/salud/viva", trust_env=False).json() == {"estado": "viva"}
        assert httpx2.get(f"{sonda}/tracking/balance", trust_env=False).status_code == 404
        assert httpx2.get(f"{sonda}/metricas", headers={"Host": "otro"}, trust_env=False).status_code == 421


def test_si_otro_programa_tiene_la_base_de_datos_la_sonda_lo_dice_y_se_sigue_aceptando(
    tmp_path: Path,
) -> None:
    puerto = puerto_libre()
    with instalacion(tmp_path, ALPES_METRICAS_CONSUMIDOR=f"127.0.0.1:{puerto}") as servicio:
        servicio.api()
        servicio.consumidores()
        servicio.esperar_consumidores()

        def lista() -> httpx2.Response:
            return httpx2.get(f"http://127.0.0.1:{puerto}/salud/lista", trust_env=False)

        hasta(lambda: lista().status_code == 200)
        with closing(biblioteca_sqlite().connect(archivo_de(servicio.datos), isolation_level=None)) as ajena:
            ajena.execute("BEGIN IMMEDIATE")
            assert servicio.http.post("/tracking/conversiones", json=VENTA | {"id": "a"}).status_code == 202
            hasta(lambda: lista().status_code == 503)
            assert lista().json()["base_datos"] == "no_disponible"
            ajena.execute("ROLLBACK")
        hasta(lambda: lista().status_code == 200)
        hasta(lambda: servicio.http.get("/tracking/conversiones/a").status_code == 200)


def test_la_sonda_escucha_solo_donde_se_le_dice_y_dice_que_no_esta_lista_sin_broker(tmp_path: Path) -> None:
    puerto = puerto_libre()
    ajustes = {"ALPES_PULSAR_URL": "pulsar://127.0.0.1:1", "ALPES_METRICAS_CONSUMIDOR": f"127.0.0.1:{puerto}"}
    with instalacion(tmp_path, **ajustes) as servicio:
        consumidores = servicio.consumidores()
        hasta(lambda: escuchas(consumidores.pid))
        assert escuchas(consumidores.pid) == {("127.0.0.1", puerto)}
        lista = hasta(lambda: httpx2.get(f"http://127.0.0.1:{puerto}/salud/lista", trust_env=False))
        assert (lista.status_code, lista.json()["estado"]) == (503, "no_lista")
        assert set(lista.json()["broker"].values()) == {"no_disponible"}


def test_dos_consumidores_en_la_misma_direccion_es_una_frase(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as ocupado:
        puerto = ocupado.getsockname()[1]
        with instalacion(tmp_path, ALPES_METRICAS_CONSUMIDOR=f"127.0.0.1:{puerto}") as servicio:
            consumidores = servicio.consumidores()
            assert consumidores.wait(60) == 1
            salida = servicio.salida(consumidores)
    assert f"El puerto {puerto} de 127.0.0.1 está ocupado" in salida
    assert "ALPES_METRICAS_CONSUMIDOR" in salida
    assert "Traceback" not in salida
