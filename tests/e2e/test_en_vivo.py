"""Las campañas en vivo en el servicio de verdad: qué llega, por dónde se sigue y que nadie estorba."""

import os
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from tests.apoyo.espera import hasta
from tests.apoyo.flujo import Flujo
from tests.apoyo.navegador import CHROMIUM, pestaña
from tests.apoyo.servicio import Instalacion, instalacion

EN_VIVO = "/tracking/campañas/cmp-1/en-vivo"


@pytest.fixture
def servicio(tmp_path: Path) -> Iterator[Instalacion]:
    with instalacion(tmp_path) as nueva:
        yield nueva


def enviar(servicio: Instalacion, *ids: str, campaña_id: str = "cmp-1", **otros: Any) -> None:
    """Envía una impresión por `id`, ocho a la vez, y vuelve cuando todas están aceptadas."""

    def una(suyo: str) -> int:
        cuerpo = {"id": suyo, "campaña_id": campaña_id, **otros}
        return servicio.http.post("/tracking/impresiones", json=cuerpo).status_code

    with ThreadPoolExecutor(8) as hilos:
        assert set(hilos.map(una, ids)) == {202}


def numerados(desde: int, hasta_cual: int) -> list[str]:
    return [f"imp-{numero}" for numero in range(desde, hasta_cual)]


def situado(flujo: Flujo) -> Flujo:
    """Espera a que ya se sepa por dónde se lee."""
    hasta(lambda: flujo.ultimo_id)
    return flujo


def espectadores(servicio: Instalacion) -> float:
    texto = servicio.http.get("/metricas").text
    (valor,) = (linea.split()[1] for linea in texto.splitlines() if linea.startswith("alpes_espectadores "))
    return float(valor)


def test_llega_lo_registrado_de_la_campaña_y_es_lo_que_da_su_lista(servicio: Instalacion) -> None:
    servicio.api()
    servicio.consumidores()
    servicio.esperar_consumidores()
    enviar(servicio, "de-antes")
    hasta(lambda: servicio.http.get("/tracking/impresiones/de-antes").status_code == 200)
    with Flujo(servicio.http, EN_VIVO) as flujo, Flujo(servicio.http, EN_VIVO.replace("1", "2")) as otro:
        situado(flujo), situado(otro)
        enviar(servicio, *numerados(0, 20))
        enviar(servicio, "ajena", campaña_id="cmp-2")
        venta = {
            "id": "venta",
            "campaña_id": "cmp-1",
            "tipo_conversion": "VENTA",
            "valor": 1.5,
            "moneda": "EUR",
        }
        assert servicio.http.post("/tracking/conversiones", json=venta).status_code == 202
        hasta(lambda: len(flujo.ids) >= 21 and otro.ids)
    assert sorted(flujo.ids) == sorted([*numerados(0, 20), "venta"])
    assert otro.ids == ["ajena"]
    for clase, recurso in (("impresion", "impresiones"), ("conversion", "conversiones")):
        lista = servicio.http.get(f"/tracking/campañas/cmp-1/{recurso}?limite=1000").json()["elementos"]
        vistos = {r.datos["id"]: r.datos for r in flujo.eventos if r.nombre == clase}
        assert {e["id"]: e for e in lista if e["id"] != "de-antes"} == vistos


def test_tras_reiniciar_la_api_se_sigue_por_el_ultimo_id_sin_perder_ni_repetir(servicio: Instalacion) -> None:
    api = servicio.api()
    servicio.consumidores()
    servicio.esperar_consumidores()
    with Flujo(servicio.http, EN_VIVO) as flujo:
        situado(flujo)
        enviar(servicio, *numerados(0, 10))
        hasta(lambda: len(flujo.ids) == 10)
    enviar(servicio, *numerados(10, 30))
    hasta(lambda: len(servicio.http.get(EN_VIVO.replace("en-vivo", "impresiones")).json()["elementos"]) == 30)
    api.kill()
    api.wait()
    servicio.api()
    servicio.esperar_lista()
    with Flujo(servicio.http, EN_VIVO, flujo.ultimo_id) as vuelto:
        enviar(servicio, *numerados(30, 40))
        hasta(lambda: len(vuelto.ids) >= 30)
    assert sorted(vuelto.ids) == sorted(numerados(10, 40))
    assert {recibido.nombre for recibido in vuelto.eventos} == {"impresion"}


def test_si_el_broker_muere_y_vuelve_no_falta_nada(servicio: Instalacion) -> None:
    servicio.api()
    servicio.consumidores()
    servicio.esperar_consumidores()
    with Flujo(servicio.http, EN_VIVO) as flujo:
        situado(flujo)
        for ronda in range(2):
            broker = servicio.numero_de("--db-path")
            os.kill(broker, signal.SIGKILL)
            hasta(lambda muerto=broker: servicio.numero_de("--db-path") != muerto)  # type: ignore[misc]
            primera = {"id": f"primera-{ronda}", "campaña_id": "cmp-1"}
            hasta(lambda cuerpo=primera: _aceptada(servicio, cuerpo))  # type: ignore[misc]
            enviar(servicio, *numerados(10 * ronda, 10 * ronda + 10))
            hasta(lambda cuantas=11 * (ronda + 1): len(flujo.ids) >= cuantas, 120)  # type: ignore[misc]
    assert sorted(flujo.ids) == sorted(["primera-0", "primera-1", *numerados(0, 20)])
    # Si la falta duró lo bastante para verse, también se vio que volvía.
    assert {recibido.nombre for recibido in flujo.eventos} <= {"impresion", "aviso"}


def _aceptada(servicio: Instalacion, cuerpo: dict[str, str]) -> bool:
    return servicio.http.post("/tracking/impresiones", json=cuerpo).status_code == 202


def test_quien_no_lee_nada_no_estorba_a_los_demas_y_al_irse_se_nota(servicio: Instalacion) -> None:
    servicio.api()
    servicio.consumidores()
    servicio.esperar_consumidores()
    with closing(socket.socket()) as mudo, Flujo(servicio.http, EN_VIVO) as flujo:
        mudo.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        mudo.connect(("127.0.0.1", servicio.puerto))
        mudo.sendall(b"GET /tracking/campanas/cmp-1/en-vivo HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        hasta(lambda: espectadores(servicio) == 2)
        situado(flujo)
        # Más de lo que cabe en lo que el sistema guarda por quien no lee.
        enviar(servicio, *numerados(0, 150), propiedades={f"clave-{n}": "x" * 1_800 for n in range(30)})
        hasta(lambda: len(flujo.ids) == 150)
        mudo.close()
        hasta(lambda: espectadores(servicio) == 1)
    hasta(lambda: espectadores(servicio) == 0)


@pytest.mark.parametrize("arrancar", [Instalacion.api, Instalacion.iniciar], ids=["uvicorn", "iniciar"])
def test_al_terminar_el_servicio_no_espera_a_quien_mira(
    servicio: Instalacion, arrancar: Callable[[Instalacion], "Popen[bytes]"]
) -> None:
    proceso = arrancar(servicio)
    servicio.esperar_lista()
    flujos: Sequence[Flujo] = [Flujo(servicio.http, EN_VIVO) for _ in range(3)]
    for flujo in flujos:
        situado(flujo.__enter__())
    proceso.send_signal(signal.SIGTERM)
    proceso.wait(30)
    for flujo in flujos:
        flujo.dejar()
        assert flujo.acabado
    assert "Traceback" not in servicio.salida(proceso)
    assert "Cancel" not in servicio.salida(proceso)


@pytest.mark.skipif(CHROMIUM is None, reason="falta Chromium (paquete chromium)")
def test_un_navegador_vuelve_solo_y_no_le_falta_nada(servicio: Instalacion, tmp_path: Path) -> None:
    api = servicio.api()
    servicio.consumidores()
    servicio.esperar_consumidores()
    with pestaña(tmp_path / "perfil") as pagina:
        pagina.ir(f"http://127.0.0.1:{servicio.puerto}/docs")
        hasta(lambda: pagina.evaluar("location.pathname === '/docs' && document.readyState === 'complete'"))
        pagina.evaluar(
            """
            window.vistos = [];
            window.otros = [];
            window.flujo = new EventSource("/tracking/campa%C3%B1as/cmp-1/en-vivo");
            flujo.addEventListener("impresion", (suceso) => vistos.push(JSON.parse(suceso.data).id));
            for (const otro of ["hueco", "message"]) flujo.addEventListener(otro, () => otros.push(otro));
            """
        )
        hasta(lambda: espectadores(servicio) == 1)
        enviar(servicio, "uno")
        hasta(lambda: pagina.evaluar("vistos") == ["uno"])
        api.kill()
        api.wait()
        servicio.api()
        servicio.esperar_lista()
        enviar(servicio, *numerados(0, 20))
        hasta(lambda: len(pagina.evaluar("vistos")) >= 21)
        assert sorted(pagina.evaluar("vistos")) == sorted(["uno", *numerados(0, 20)])
        assert pagina.evaluar("otros") == []
