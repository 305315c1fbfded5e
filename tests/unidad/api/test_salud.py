"""`/salud/viva` y `/salud/lista`."""

import httpx2
import pytest

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
