"""`POST /tracking/importaciones`: lo que supo quien recibió un evento vuelve, si lo dice quien opera."""

from collections.abc import Mapping
from typing import Any, Final

import httpx2
import pytest

from tests.apoyo.claves import ClavesEnMemoria, llavero_con
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria, cliente_de

RUTA: Final = "/tracking/importaciones"
CLIC: Final = {"clase": "impresion", "id": "c-1", "campaña_id": "cmp", "tipo_evento": "CLIC"}
EXPORTADO: Final = {**CLIC, "lectura": {"reglas": "1", "recibidas": ["visita_repetida"]}}


async def _enviar(
    puertos: PuertosEnMemoria, elemento: Mapping[str, Any], *alcances: str, ruta: str = RUTA
) -> httpx2.Response:
    claves = ClavesEnMemoria()
    cabeceras = {"Authorization": f"Bearer {claves.crear(*alcances)}"} if alcances else {}
    async with cliente_de(api_en_memoria(puertos, guardadas=await llavero_con(claves))) as cliente:
        return await cliente.post(ruta, json=[elemento], headers=cabeceras)


def _publicado(puertos: PuertosEnMemoria) -> tuple[tuple[str, ...], Mapping[str, str]]:
    (comando,) = [publicado for publicado, _, _ in puertos.publicados]
    return comando.señales, comando.propiedades


@pytest.mark.parametrize("alcances", [(), ("captura", "operacion")])
async def test_lo_que_supo_quien_lo_recibio_son_las_señales_si_lo_dice_quien_opera(
    puertos: PuertosEnMemoria, alcances: tuple[str, ...]
) -> None:
    respuesta = await _enviar(puertos, EXPORTADO, *alcances)
    assert (respuesta.status_code, respuesta.json()["aceptados"]) == (200, 1)
    assert _publicado(puertos) == (("visita_repetida",), {})


async def test_a_quien_solo_envia_no_se_le_cree_y_se_le_dice(puertos: PuertosEnMemoria) -> None:
    (resultado,) = (await _enviar(puertos, EXPORTADO, "captura")).json()["resultados"]
    (falta,) = resultado["errores"]
    assert (resultado["estado"], falta["campo"], falta["codigo"]) == ("RECHAZADA", "lectura", "sin_permiso")
    assert puertos.publicados == []


async def test_quien_solo_envia_importa_lo_que_no_dice_nada_de_eso(puertos: PuertosEnMemoria) -> None:
    sin_nada = {**CLIC, "lectura": {"reglas": "1", "red": "directo", "recibidas": []}}
    assert (await _enviar(puertos, sin_nada, "captura")).json()["aceptados"] == 1
    assert _publicado(puertos) == ((), {})


async def test_en_un_lote_corriente_una_lectura_es_un_campo_desconocido(puertos: PuertosEnMemoria) -> None:
    await _enviar(puertos, EXPORTADO, "captura", "operacion", ruta="/tracking/lotes")
    señales, propiedades = _publicado(puertos)
    assert (señales, [*propiedades]) == ((), ["lectura.reglas", "lectura.recibidas"])


@pytest.mark.parametrize(
    ("lectura", "señales"),
    [
        ({"reglas": "1", "recibidas": "precarga"}, ()),
        ({"reglas": "1", "recibidas": [[], None, "No Es Un Código", "precarga", "precarga"]}, ("precarga",)),
        ({"reglas": "1", "recibidas": [f"s{numero}" for numero in range(100)]}, 16),
    ],
)
async def test_lo_que_no_son_codigos_no_pasa_y_no_caben_mas_de_dieciseis(
    puertos: PuertosEnMemoria, lectura: object, señales: tuple[str, ...] | int
) -> None:
    await _enviar(puertos, {**CLIC, "lectura": lectura})
    publicadas, propiedades = _publicado(puertos)
    assert señales in (publicadas, len(publicadas))
    assert propiedades == {}


async def test_la_lectura_de_otro_es_un_campo_desconocido_tambien_aqui(puertos: PuertosEnMemoria) -> None:
    await _enviar(puertos, {**CLIC, "lectura": "de poesía"})
    assert _publicado(puertos) == ((), {"lectura": "de poesía"})
