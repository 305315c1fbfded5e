"""La sonda de un proceso de consumidores: qué dice de los comandos que esperan a una versión posterior."""

from collections.abc import Mapping

import httpx2
from prometheus_client import CollectorRegistry

from alpespartners.api.http.acceso import ReglasDeAcceso
from alpespartners.api.http.llavero import LlaveroDelServicio
from alpespartners.api.operacion.sonda import crear_sonda
from alpespartners.modulos.tracking.infraestructura.consumo.en_espera import Espera

ESPERA = {"t": Espera(mensajes=3, huellas=("0123456789abcdef",), segundos=12.4)}


async def preguntar(
    ruta: str, en_espera: Mapping[str, Espera], *, hay_base_datos: bool = True
) -> httpx2.Response:
    sonda = crear_sonda(
        suscripciones=lambda: {"t": True, "otro": True},
        hay_base_datos=lambda: hay_base_datos,
        en_espera=lambda: en_espera,
        acceso=ReglasDeAcceso(llavero=LlaveroDelServicio(), sin_clave=False, nombres=()),
        registro=CollectorRegistry(),
    )
    transporte = httpx2.ASGITransport(app=sonda, client=("127.0.0.1", 1))
    async with httpx2.AsyncClient(transport=transporte, base_url="http://127.0.0.1") as cliente:
        return await cliente.get(ruta)


async def test_sin_nada_que_espere_esta_lista_y_no_lo_menciona() -> None:
    respuesta = await preguntar("/salud/lista", {})
    assert (respuesta.status_code, respuesta.json()["estado"]) == (200, "lista")
    assert "en_espera" not in respuesta.json()


async def test_si_algo_espera_lo_demas_se_consume_y_dice_cuanto_y_por_que() -> None:
    respuesta = await preguntar("/salud/lista", ESPERA)
    assert (respuesta.status_code, respuesta.json()["estado"]) == (200, "degradada")
    assert respuesta.json()["en_espera"] == {
        "t": {"mensajes": 3, "esquemas": ["0123456789abcdef"], "segundos": 12}
    }


async def test_si_ademas_falta_la_base_de_datos_no_esta_lista() -> None:
    respuesta = await preguntar("/salud/lista", ESPERA, hay_base_datos=False)
    assert (respuesta.status_code, respuesta.json()["estado"]) == (503, "no_lista")


async def test_la_metrica_vale_cero_en_el_topico_donde_nada_espera() -> None:
    texto = (await preguntar("/metricas", ESPERA)).text
    assert 'alpes_comandos_en_espera{topico="t"} 3.0' in texto
    assert 'alpes_comandos_en_espera{topico="otro"} 0.0' in texto
