"""Una red que avisa de una venta, con el servicio de verdad: del clic de un enlace a la conversión."""

from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import httpx2

from tests.apoyo.espera import hasta
from tests.apoyo.servicio import Instalacion, instalacion

_DE_TODO: Final = "una-clave-de-prueba-que-vale-para-todo"
_CON_CLAVE: Final = {"Authorization": f"Bearer {_DE_TODO}"}
_ENLACE: Final = {
    "enlace_id": "ana",
    "campaña_id": "cmp-1",
    "influencer_id": "ana",
    "destino": "https://tienda.example/",
}


class _Red:
    """La que lleva a sus visitas por un enlace y avisa de lo que compran, como lo hace Everflow."""

    def __init__(self, servicio: Instalacion, clave: str) -> None:
        self._servicio = servicio
        self._clave = clave

    def llevar(self) -> str:
        """Alguien sigue el enlace; devuelve el identificador del clic con que llega a la tienda."""
        self._servicio.http.cookies.clear()
        seguido = self._servicio.http.get("/c/ana", headers={"User-Agent": "Mozilla/5.0"})
        assert seguido.status_code == httpx2.codes.FOUND
        return parse_qs(urlsplit(seguido.headers["Location"]).query)["alp_clic"][0]

    def avisar(self, **parametros: str) -> tuple[str, str]:
        """Llama al postback; devuelve cuántos se aceptaron y cuántos se rechazaron."""
        respuesta = self._servicio.http.get(
            "/tracking/postback/everflow", params={"clave": self._clave, "currency": "COP", **parametros}
        )
        assert (respuesta.status_code, respuesta.text) == (httpx2.codes.OK, "OK")
        return respuesta.headers["Alpes-Aceptados"], respuesta.headers["Alpes-Rechazados"]


def _leido(servicio: Instalacion, direccion: str) -> dict[str, Any] | None:
    respuesta = servicio.http.get(direccion, headers=_CON_CLAVE)
    leido: dict[str, Any] = respuesta.json()
    return leido if respuesta.status_code == httpx2.codes.OK else None


def _conversiones(servicio: Instalacion) -> dict[str, Any]:
    balance = _leido(servicio, "/tracking/balance")
    assert balance is not None
    (cuenta,) = [suya for suya in balance["comandos"] if suya["topico"].endswith("conversion")]
    return dict(cuenta)


def test_la_venta_que_avisa_una_red_consta_una_vez_con_su_clic_y_consta_la_que_trae_una_macro(
    tmp_path: Path,
) -> None:
    with instalacion(tmp_path, ALPES_CLAVES_API=_DE_TODO) as servicio:
        creada = servicio.orden(
            *("claves", "crear", "--nombre", "red", "--dialecto", "postback", "--campaña", "cmp-1")
        )
        red = _Red(servicio, creada.stdout.strip())
        servicio.iniciar()
        servicio.esperar_consumidores()
        hecho = servicio.http.post("/tracking/enlaces", json=_ENLACE, headers=_CON_CLAVE)
        assert hecho.status_code == httpx2.codes.CREATED

        clic_id = red.llevar()
        venta = {"transaction_id": clic_id, "order_id": "ped-1", "amount": "150000.50"}
        assert red.avisar(**venta) == ("1", "0")
        conversion = hasta(lambda: _leido(servicio, "/tracking/conversiones/ped-1"))
        assert (conversion["clic_id"], conversion["campaña_id"]) == (clic_id, "cmp-1")
        assert (conversion["valor"], conversion["moneda"]) == (150000.5, "COP")
        suyo = {"clic_id": clic_id, "estado": "VALIDO", "motivo": None}
        hasta(lambda: _leido(servicio, "/tracking/conversiones/ped-1/clic") == suyo)

        assert red.avisar(**venta) == ("1", "0")
        hasta(lambda: _conversiones(servicio)["duplicadas"] == 1)

        assert red.avisar(transaction_id=clic_id, order_id="{order_id}", amount="10") == ("0", "1")
        hasta(lambda: _conversiones(servicio)["rechazadas"] == {"macro_sin_reemplazar": 1})
        assert _conversiones(servicio)["registradas"] == 1
