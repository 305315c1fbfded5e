"""`alpespartners sembrar` contra una API con los puertos en memoria, y contra el producto entero."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import httpx2
import pytest
from typer.testing import CliRunner, Result

from alpespartners.cli import principal
from alpespartners.siembra.envio import Siembra
from alpespartners.siembra.visitas import Papel
from tests.apoyo.espera import hasta
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria
from tests.apoyo.puertos import puerto_libre
from tests.apoyo.servicio import Instalacion, instalacion
from tests.apoyo.servidor import servidor

HASTA = datetime(2024, 1, 15, tzinfo=UTC)
PEDIDO = Siembra(semilla=10, eventos=2_000, dias=5, hasta=HASTA)
ORDEN = ["--semilla", "10", "--eventos", "2000", "--dias", "5", "--hasta", HASTA.isoformat()]


@pytest.fixture
def puertos() -> PuertosEnMemoria:
    return PuertosEnMemoria()


def sembrar(puerto: int, *opciones: str, **entorno: str) -> Result:
    orden = ["sembrar", "--direccion", f"http://127.0.0.1:{puerto}", *opciones]
    return CliRunner().invoke(principal, orden, env=entorno)


def enviados() -> dict[Papel, int]:
    return Counter(envio.papel for envio in PEDIDO.envios())


def test_dice_lo_que_envio_y_es_lo_que_se_publico(puertos: PuertosEnMemoria) -> None:
    with servidor(api_en_memoria(puertos)) as puerto:
        dicho = sembrar(puerto, *ORDEN)
    assert dicho.exit_code == 0, dicho.output
    cuantos = enviados()
    for papel in Papel:
        aceptados = 0 if papel is Papel.CON_FALTAS else cuantos[papel]
        assert f"{papel.value:<14}{cuantos[papel]:>9}  {aceptados:>9}  " in dicho.stdout
    publicados = [comando.id for comando, *_ in puertos.publicados]
    assert len(publicados) == 2_000 - cuantos[Papel.CON_FALTAS]
    # Lo que repite un id va cuando todo lo demás está en el broker: gana siempre lo mismo.
    primeros = cuantos[Papel.NUEVO]
    assert len(set(publicados[:primeros])) == primeros
    assert set(publicados[primeros:]) <= set(publicados[:primeros])
    assert cuantos[Papel.EN_CONFLICTO]
    assert f"http://127.0.0.1:{puerto}/panel" in dicho.stdout


def test_se_niega_si_ya_hay_campañas_de_verdad_salvo_que_dé_igual(puertos: PuertosEnMemoria) -> None:
    with servidor(api_en_memoria(puertos)) as puerto:
        direccion = f"http://127.0.0.1:{puerto}/tracking/impresiones"
        httpx2.post(direccion, json={"id": "i", "campaña_id": "verano"}).raise_for_status()
        negado = sembrar(puerto, *ORDEN)
        assert negado.exit_code == 2
        assert "ya hay campañas que no son inventadas (verano)" in negado.stderr
        assert "sembrar --direccion http://localhost:8001)" in negado.stderr
        assert len(puertos.publicados) == 1
        assert sembrar(puerto, *ORDEN, "--de-todos-modos").exit_code == 0
    assert len(puertos.publicados) > 1_900


def test_sin_poder_saber_qué_campañas_hay_no_envía_nada() -> None:
    dicho = sembrar(puerto_libre(), *ORDEN)
    assert dicho.exit_code == 2
    assert "No se puede saber si ya hay campañas de verdad" in dicho.stderr
    assert "no responde" in dicho.stderr


def test_con_claves_presenta_la_suya_y_sin_ella_dice_dónde_ponerla(puertos: PuertosEnMemoria) -> None:
    with servidor(api_en_memoria(puertos, claves=["una"])) as puerto:
        sin_clave = sembrar(puerto, *ORDEN)
        assert (sin_clave.exit_code, len(puertos.publicados)) == (2, 0)
        assert "ALPES_CLAVES_API" in sin_clave.stderr
        assert sembrar(puerto, *ORDEN, ALPES_CLAVES_API="una").exit_code == 0


def test_si_el_broker_se_va_dice_cómo_repetirlo_y_no_inventa_un_total(puertos: PuertosEnMemoria) -> None:
    puertos.disponible = False
    with servidor(api_en_memoria(puertos)) as puerto:
        dicho = sembrar(puerto, *ORDEN, "--espera", "0")
    assert dicho.exit_code == 2
    assert "repetirlo es seguro" in dicho.stderr
    assert f"--hasta {HASTA:%Y-%m-%dT%H:%M:%SZ}" in dicho.stderr
    assert dicho.stdout == ""


@pytest.fixture(scope="module")
def servicio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instalacion]:
    with instalacion(tmp_path_factory.mktemp("sembrado")) as nueva:
        nueva.iniciar()
        nueva.esperar_consumidores()
        yield nueva


def resumidas(servicio: Instalacion) -> dict[str, dict[str, Any]]:
    pagina = servicio.http.get("/tracking/campanas", params={"limite": 100}).raise_for_status()
    return {una["campaña_id"]: una for una in pagina.json()["elementos"]}


def han_acabado(servicio: Instalacion, cuantos: int) -> bool:
    balance = servicio.http.get("/tracking/balance").json()
    acabados: int = sum(topico["total"] for topico in balance["comandos"])
    return acabados == cuantos


def test_lo_sembrado_es_lo_que_dicen_las_campañas_y_dos_veces_no_añade_nada(servicio: Instalacion) -> None:
    esperadas: dict[str, Counter[str]] = {}
    valor: dict[str, dict[str, Decimal]] = {}
    for envio in PEDIDO.envios():
        if envio.papel is Papel.NUEVO:
            cuerpo = envio.cuerpo
            tipos = esperadas.setdefault(cuerpo["campaña_id"], Counter())
            tipos[cuerpo.get("tipo_evento") or cuerpo["tipo_conversion"]] += 1
            importes = valor.setdefault(cuerpo["campaña_id"], {})
            if "valor" in cuerpo:
                importes[cuerpo["moneda"]] = importes.get(cuerpo["moneda"], Decimal(0)) + Decimal(
                    cuerpo["valor"]
                )
    aceptados = 2_000 - enviados()[Papel.CON_FALTAS]
    for vuelta in (1, 2):
        dicho = servicio.orden("sembrar", "--direccion", f"http://127.0.0.1:{servicio.puerto}", *ORDEN)
        assert dicho.returncode == 0, dicho.stderr
        hasta(partial(han_acabado, servicio, vuelta * aceptados))
        hubo = resumidas(servicio)
        assert hubo.keys() == esperadas.keys()
        for campaña_id, tipos in esperadas.items():
            una = hubo[campaña_id]
            assert una["impresiones"] == tipos["IMPRESION"]
            assert una["clics"] == tipos["CLIC"]
            assert una["visualizaciones"] == tipos["VISUALIZACION"]
            assert una["conversiones"] == {tipo: tipos[tipo] for tipo in una["conversiones"]}
            assert sum(una["conversiones"].values()) == tipos.total() - sum(
                una[que] for que in ("impresiones", "clics", "visualizaciones")
            )
            assert {moneda: Decimal(suma) for moneda, suma in una["valor"].items()} == valor[campaña_id]
