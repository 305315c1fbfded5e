"""Un enlace y un píxel de punta a punta: quien llega recibe lo suyo siempre, y lo suyo consta una vez."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import httpx2

from alpespartners.broker_embebido.carpeta import Carpeta
from tests.apoyo.espera import hasta
from tests.apoyo.servicio import Instalacion, instalacion

_ENLACE: Final = {
    "enlace_id": "juan",
    "campaña_id": "verano",
    "influencer_id": "juan.perez",
    "destino": "https://tienda.example/oferta#arriba",
}
_GUARDIAN: Final = "broker_embebido.guardian"


def _hacer_el_enlace(servicio: Instalacion) -> None:
    assert servicio.http.post("/tracking/enlaces", json=_ENLACE).status_code == httpx2.codes.CREATED


def _seguir(servicio: Instalacion, consulta: str = "") -> str:
    """Sigue el enlace, como quien nunca lo siguió, y devuelve el identificador del clic."""
    servicio.http.cookies.clear()
    respuesta = servicio.http.get(f"/c/juan{consulta}", headers={"User-Agent": "Mozilla/5.0"})
    assert respuesta.status_code == httpx2.codes.FOUND
    destino = urlsplit(respuesta.headers["Location"])
    assert (destino.netloc, destino.path, destino.fragment) == ("tienda.example", "/oferta", "arriba")
    return parse_qs(destino.query)["alp_clic"][0]


def _registrado(servicio: Instalacion, clic_id: str) -> dict[str, Any] | None:
    respuesta = servicio.http.get(f"/tracking/impresiones/{clic_id}")
    leido: dict[str, Any] = respuesta.json()
    return leido if respuesta.status_code == httpx2.codes.OK else None


def _balance(servicio: Instalacion) -> dict[str, Any]:
    leido: dict[str, Any] = servicio.http.get("/tracking/balance").json()
    return leido


@contextmanager
def _sin_broker(servicio: Instalacion) -> Iterator[None]:
    """Muerto, y detenido quien lo repondría; vuelve al salir."""
    carpeta = Carpeta(servicio.datos)
    guardian = servicio.numero_de(_GUARDIAN)
    os.kill(guardian, signal.SIGSTOP)
    try:
        broker = carpeta.pid_del_broker()
        assert broker is not None
        os.kill(broker, signal.SIGKILL)
        yield
    finally:
        os.kill(guardian, signal.SIGCONT)


def _esperar_que_esten_una_vez(servicio: Instalacion, clics: list[str]) -> None:
    hasta(lambda: _balance(servicio)["clics_en_espera"] == 0)
    hasta(lambda: all(_registrado(servicio, clic) for clic in clics))
    (impresiones,) = [
        cuenta for cuenta in _balance(servicio)["comandos"] if cuenta["topico"].endswith("impresion")
    ]
    assert (impresiones["registradas"], impresiones["total"]) == (len(clics), len(clics))
    assert _balance(servicio)["clics_perdidos"] == 0


def test_el_clic_se_registra_con_el_identificador_que_recibe_la_tienda(tmp_path: Path) -> None:
    with instalacion(tmp_path) as servicio:
        servicio.iniciar()
        servicio.esperar_consumidores()
        _hacer_el_enlace(servicio)
        clic_id = _seguir(servicio, "?sub1=historia&utm_source=instagram&influencer_id=otro")
        clic = hasta(lambda: _registrado(servicio, clic_id))
        assert (clic["tipo_evento"], clic["clic_id"]) == ("CLIC", clic_id)
        assert (clic["campaña_id"], clic["influencer_id"]) == ("verano", "juan.perez")
        assert (clic["ip_address"], clic["user_agent"]) == ("127.0.0.1", "Mozilla/5.0")
        propias = {"enlace_id": "juan", "sub1": "historia", "utm.source": "instagram"}
        assert propias.items() <= clic["propiedades"].items()


def test_sin_broker_se_llega_igual_y_cuando_vuelve_cada_clic_esta_una_vez(tmp_path: Path) -> None:
    with instalacion(tmp_path) as servicio:
        servicio.iniciar()
        servicio.esperar_consumidores()
        _hacer_el_enlace(servicio)
        clics = [_seguir(servicio)]
        with _sin_broker(servicio):
            with ThreadPoolExecutor(8) as personas:
                clics += personas.map(lambda _: _seguir(servicio), range(40))
            assert _balance(servicio)["clics_en_espera"] == 40
            assert "alpes_clics_en_espera 40.0" in servicio.http.get("/metricas").text
        assert len(set(clics)) == 41
        _esperar_que_esten_una_vez(servicio, clics)


def test_un_pixel_sin_broker_es_la_imagen_y_cuando_vuelve_esta_una_vez(tmp_path: Path) -> None:
    with instalacion(tmp_path) as servicio:
        servicio.iniciar()
        servicio.esperar_consumidores()
        eventos = [f"imp-{numero}" for numero in range(3)]
        with _sin_broker(servicio):
            for evento in eventos:
                respuesta = servicio.http.get(
                    f"/p.gif?id={evento}&c=verano", headers={"Referer": "http://localhost:5173/"}
                )
                assert respuesta.headers["Content-Type"] == "image/gif"
                assert "Alpes-Error" not in respuesta.headers
            assert _balance(servicio)["clics_en_espera"] == 3
        _esperar_que_esten_una_vez(servicio, eventos)


def test_si_la_api_muere_con_clics_en_la_cola_los_envia_la_siguiente(tmp_path: Path) -> None:
    with instalacion(tmp_path) as servicio:
        api = servicio.api()
        servicio.consumidores()
        servicio.esperar_consumidores()
        _hacer_el_enlace(servicio)
        clics = [_seguir(servicio)]
        with _sin_broker(servicio):
            clics += [_seguir(servicio) for _ in range(20)]
            assert _balance(servicio)["clics_en_espera"] == 20
            api.kill()
            api.wait()
        servicio.api()
        servicio.esperar_consumidores()
        _esperar_que_esten_una_vez(servicio, clics)
