"""Los enlaces en el servicio de verdad: con el consumidor escribiendo y en varios procesos."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import httpx2
import pytest
import uuid_utils

from alpespartners.modulos.enlaces.dominio.clic import acuñar
from alpespartners.modulos.enlaces.dominio.secreto import Secreto
from tests.apoyo.espera import hasta
from tests.apoyo.servicio import BINARIOS, Instalacion, instalacion

_ALPES = str(BINARIOS / "alpespartners")
_SECRETO = "un secreto que conoce la prueba"
_JUAN = {
    "enlace_id": "juan",
    "campaña_id": "cmp-1",
    "destino": "https://tienda.com/",
    "dominios_permitidos": ["otra.com"],
}


@pytest.fixture
def servicio(tmp_path: Path) -> Iterator[Instalacion]:
    with instalacion(tmp_path) as nueva:
        yield nueva


def _firmado(servicio: Instalacion) -> str:
    """El que firma el proceso que atiende una conexión nueva."""
    with httpx2.Client(base_url=str(servicio.http.base_url), timeout=30, trust_env=False) as cliente:
        respuesta = cliente.post("/tracking/enlaces/juan/firma", json={"destino": "https://otra.com/"})
        assert respuesta.status_code == httpx2.codes.OK
        return str(respuesta.json()["enlace"].partition("/c/")[2])


def test_creado_a_la_vez_por_varios_queda_uno_y_todos_los_procesos_firman_con_el_mismo_secreto(
    servicio: Instalacion,
) -> None:
    servicio.lanzar([_ALPES, "iniciar", "--procesos", "2"])
    servicio.esperar_consumidores()

    def crear(_numero: int) -> int:
        with httpx2.Client(base_url=str(servicio.http.base_url), timeout=30, trust_env=False) as cliente:
            cliente.post("/tracking/impresiones", json={"campaña_id": "cmp-1"})
            return cliente.post("/tracking/enlaces", json=_JUAN).status_code

    with ThreadPoolExecutor(6) as hilos:
        estados = list(hilos.map(crear, range(12)))
    assert sorted(estados) == [200] * 11 + [201]
    # Cada conexión es del proceso que la acepta: con tantas, se habla con los dos.
    firmados = {_firmado(servicio) for _ in range(12)}
    assert len(firmados) == 1
    en_la_terminal = servicio.orden("enlaces", "firmar", "juan", "--destino", "https://otra.com/")
    assert en_la_terminal.stdout.strip().partition("/c/")[2] in firmados


def test_lo_que_cambia_la_terminal_lo_ve_la_api_y_al_reves(servicio: Instalacion) -> None:
    assert (
        servicio.orden(
            "enlaces", "crear", "--campaña", "cmp-1", "--enlace", "ana", "--destino", "http://a.co"
        )
    ).returncode == 0
    servicio.iniciar()
    servicio.esperar_consumidores()
    cambiado = servicio.http.patch("/tracking/enlaces/ana", json={"destino": "https://b.co"})
    assert cambiado.json()["destino"] == "https://b.co"
    assert "lleva a https://b.co" in servicio.orden("enlaces", "ver", "ana").stdout
    assert servicio.orden("enlaces", "cambiar", "ana", "--cupon", "ANA10").returncode == 0
    assert servicio.http.get("/tracking/enlaces/ana").json()["cupon"] == "ANA10"


def test_una_conversion_dice_que_fue_de_su_clic_y_cambia_cuando_el_clic_llega(servicio: Instalacion) -> None:
    servicio.lanzar([_ALPES, "iniciar"], ALPES_SECRETO_DE_ENLACES=_SECRETO)
    servicio.esperar_consumidores()
    clic_id = acuñar("juan", Secreto(_SECRETO.encode()), UUID(str(uuid_utils.uuid7())))
    venta = {"id": "v", "campaña_id": "cmp-1", "tipo_conversion": "REGISTRO", "clic_id": clic_id}
    servicio.http.post("/tracking/conversiones", json=venta, headers={"Prefer": "wait=10"})

    def motivo() -> object:
        respuesta = servicio.http.get("/tracking/conversiones/v/clic")
        return respuesta.json()["motivo"] if respuesta.status_code == httpx2.codes.OK else "no está"

    hasta(lambda: motivo() == "clic_desconocido")
    clic = {"id": clic_id, "campaña_id": "cmp-1", "tipo_evento": "CLIC"}
    servicio.http.post("/tracking/impresiones", json=clic, headers={"Prefer": "wait=10"})
    hasta(lambda: motivo() is None)
