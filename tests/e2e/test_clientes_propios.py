"""Los clientes de `clientes/` contra el servicio en marcha: con la API, el broker o ellos mismos muertos."""

import os
import signal
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import httpx2
import pytest

from tests.apoyo.base_datos import sql
from tests.apoyo.espera import hasta
from tests.apoyo.programas_de_cliente import LENGUAJES, ProgramaDeCliente
from tests.apoyo.servicio import Instalacion, instalacion
from tests.muerte.arbol import BROKER, GUARDIAN, Arbol

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def servicio(tmp_path: Path) -> Iterator[Instalacion]:
    with instalacion(tmp_path) as nueva:
        yield nueva


def programa(lenguaje: str, servicio: Instalacion, **opciones: object) -> ProgramaDeCliente:
    direccion = f"http://127.0.0.1:{servicio.puerto}"
    return ProgramaDeCliente(lenguaje, direccion, servicio.salidas, **opciones)  # type: ignore[arg-type]


def registrados(servicio: Instalacion) -> int:
    ((cuantos,),) = sql(
        servicio.datos, "SELECT (SELECT count(*) FROM impresiones) + (SELECT count(*) FROM conversiones)"
    )
    return int(str(cuantos))


def exigir_una_vez_cada_uno(servicio: Instalacion, total: int) -> None:
    """Están los `total` menos el que no vale, una vez, con su importe, y nada más."""
    hasta(lambda: registrados(servicio) >= total - 1, 120)
    ids = [
        fila
        for tabla in ("impresiones", "conversiones")
        for (fila,) in sql(servicio.datos, f"SELECT id FROM {tabla}")  # noqa: S608 (es una de esas dos)
    ]
    assert sorted(map(str, ids)) == sorted(f"e-{n}" for n in range(total) if n != 8)
    informe = servicio.http.get("/tracking/campañas/c/informe").json()["total"]
    assert Decimal(informe["valor"]["COP"]) == Decimal("1000.10") * (len(range(0, total, 4)) - 1)


@pytest.mark.parametrize("lenguaje", LENGUAJES)
def test_con_la_api_muerta_a_medio_camino_cada_uno_queda_una_vez(
    servicio: Instalacion, lenguaje: str
) -> None:
    api = servicio.api()
    servicio.consumidores()
    servicio.esperar_consumidores()
    cliente = programa(lenguaje, servicio, total=10_000, mitad=5_000)
    hasta(lambda: servicio.http.get("/tracking/conversiones/e-0").status_code == httpx2.codes.OK)
    api.kill()
    api.wait()
    cliente.esperar_mitad()
    cliente.seguir()
    cliente.esperar_aviso("no se pudo hablar con la API")
    assert registrados(servicio) < 10_000
    servicio.api()
    assert cliente.acabar() == {"pendientes": 0, "motivo": "", "rechazados": [["e-8", "valor"]]}
    exigir_una_vez_cada_uno(servicio, 10_000)


@pytest.mark.parametrize("lenguaje", LENGUAJES)
def test_con_el_cliente_muerto_su_cola_en_archivo_la_envia_el_siguiente(
    servicio: Instalacion, tmp_path: Path, lenguaje: str
) -> None:
    servicio.iniciar()
    servicio.esperar_consumidores()
    archivo = tmp_path / "cola"
    muerto = programa(lenguaje, servicio, total=2_001, mitad=2_000, archivo=archivo)
    muerto.esperar_mitad()
    muerto.matar()
    siguiente = programa(lenguaje, servicio, total=0, archivo=archivo)
    informe = siguiente.acabar()
    assert (informe["pendientes"], informe["motivo"]) == (0, "")
    assert "e-8" in muerto.avisos + siguiente.avisos
    exigir_una_vez_cada_uno(servicio, 2_000)


@pytest.mark.parametrize("lenguaje", LENGUAJES)
def test_sin_broker_se_insiste_y_al_volver_cada_uno_queda_una_vez(
    servicio: Instalacion, lenguaje: str
) -> None:
    arbol = Arbol(servicio, 1)
    guardian, broker = arbol.numero(GUARDIAN), arbol.numero(BROKER)
    os.kill(guardian, signal.SIGSTOP)
    os.kill(broker, signal.SIGKILL)
    cliente = programa(lenguaje, servicio, total=200)
    cliente.esperar_aviso("se repetirá")
    os.kill(guardian, signal.SIGCONT)
    assert cliente.acabar()["pendientes"] == 0
    exigir_una_vez_cada_uno(servicio, 200)


@pytest.mark.parametrize("lenguaje", LENGUAJES)
def test_una_clave_mala_se_dice_y_la_cola_espera_a_la_buena(tmp_path: Path, lenguaje: str) -> None:
    with instalacion(tmp_path, ALPES_CLAVES_API="la-buena") as servicio:
        servicio.http.headers["Authorization"] = "Bearer la-buena"
        servicio.iniciar()
        servicio.esperar_consumidores()
        archivo = tmp_path / "cola"
        malo = programa(lenguaje, servicio, total=20, archivo=archivo, clave="la-mala")
        informe = malo.acabar()
        assert informe["pendientes"] == 20
        assert "401" in informe["motivo"]
        assert "la-mala" not in malo.avisos
        assert malo.avisos.count("debe arreglarlo alguien") == 1
        bueno = programa(lenguaje, servicio, total=0, archivo=archivo, clave="la-buena")
        assert bueno.acabar()["pendientes"] == 0
        exigir_una_vez_cada_uno(servicio, 20)
