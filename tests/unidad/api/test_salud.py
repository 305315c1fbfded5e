"""`/salud/viva` y `/salud/lista`."""

import asyncio

import httpx2
import pytest
from structlog.testing import capture_logs

from alpespartners.api.operacion import metricas, salud
from alpespartners.modulos.tracking.aplicacion.puertos import EstadoDelBroker
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria, cliente_de


async def test_viva_responde_aunque_todo_lo_demas_falle(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    puertos.disponible = puertos.hay_base_de_datos = False
    respuesta = await cliente.get("/salud/viva")
    assert (respuesta.status_code, respuesta.json()) == (200, {"estado": "viva"})


@pytest.mark.parametrize(
    ("broker", "base_de_datos", "codigo", "estado"),
    [
        (True, True, 200, "lista"),
        (True, False, 200, "degradada"),
        (False, True, 503, "no_lista"),
        (False, False, 503, "no_lista"),
    ],
)
async def test_solo_el_broker_decide_si_esta_lista(
    cliente: httpx2.AsyncClient,
    puertos: PuertosEnMemoria,
    *,
    broker: bool,
    base_de_datos: bool,
    codigo: int,
    estado: str,
) -> None:
    puertos.disponible, puertos.hay_base_de_datos = broker, base_de_datos
    respuesta = await cliente.get("/salud/lista")
    assert respuesta.status_code == codigo
    assert respuesta.json() == {
        "estado": estado,
        "broker": "disponible" if broker else "no_disponible",
        "base_datos": "disponible" if base_de_datos else "no_disponible",
        "consumidores": 1 if base_de_datos else None,
    }


async def test_a_una_base_de_datos_muda_no_se_la_espera(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def callar(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(salud, "LIMITE_DE_UNA_SONDA", 0.01)
    monkeypatch.setattr(metricas, "LIMITE_DE_UNA_SONDA", 0.01)
    monkeypatch.setattr(puertos, "leer", callar)
    monkeypatch.setattr(puertos, "consumidores", callar)
    respuesta = await cliente.get("/salud/lista")
    assert (respuesta.status_code, respuesta.json()["estado"]) == (200, "degradada")
    assert respuesta.json()["consumidores"] is None
    assert "alpes_base_datos_disponible 0.0" in (await cliente.get("/metricas")).text


async def test_el_registro_cuenta_una_vez_por_que_no_se_lee_la_base_de_datos_y_otra_que_vuelve(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    with capture_logs() as anotado:
        for hay in (True, False, False, True, True):
            puertos.hay_base_de_datos = hay
            await cliente.get("/salud/lista")
    dichas = [(linea["event"], "fallo" in linea) for linea in anotado if "base de datos" in linea["event"]]
    assert dichas == [
        ("la base de datos no se puede leer", True),
        ("la base de datos se lee otra vez", False),
    ]


async def test_dice_cuando_nadie_consume(cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria) -> None:
    puertos.cuantos_consumidores = 0
    respuesta = await cliente.get("/salud/lista")
    assert (respuesta.status_code, respuesta.json()["consumidores"]) == (200, 0)


@pytest.mark.parametrize(
    "puesto",
    [
        EstadoDelBroker(retencion="desconocida", suscripciones="desconocidas"),
        EstadoDelBroker(retencion="insuficiente", suscripciones="faltan"),
        EstadoDelBroker(retencion="suficiente", suscripciones="presentes"),
    ],
)
async def test_como_esta_puesto_el_broker_se_dice_y_no_decide_si_esta_lista(puesto: EstadoDelBroker) -> None:
    class Puesto:
        async def estado(self) -> EstadoDelBroker:
            return puesto

    async with cliente_de(api_en_memoria(PuertosEnMemoria(), administracion=Puesto())) as cliente:
        respuesta = await cliente.get("/salud/lista")
    cuerpo = respuesta.json()
    assert (respuesta.status_code, cuerpo["estado"]) == (200, "lista")
    assert (cuerpo["retencion"], cuerpo["suscripciones"]) == (puesto.retencion, puesto.suscripciones)
