"""Los comandos de una versión posterior en el consumidor: esperan ellos, y no sus vecinos."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from alpespartners.modulos.tracking.infraestructura.consumo.en_mano import EnMano
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import abrir_comando
from alpespartners.seedwork.pausas import Pausas
from tests.apoyo.consumo_falso import RITMO, Consumo
from tests.apoyo.espera import hasta_en_el_bucle
from tests.apoyo.eventos import IMPRESION
from tests.apoyo.pulsar_falso import SuscripcionFalsa, mensaje

HUELLA = "0123456789abcdef"
AL_MOMENTO = replace(RITMO, espera_ms=20, pausas_en_espera=Pausas(minima=0.05, maxima=0.05))


@pytest.fixture
def prueba() -> Consumo:
    return Consumo()


def llegan_de_otra_version(suscripcion: SuscripcionFalsa, *ids: str) -> None:
    for id in ids:
        uno = mensaje(replace(IMPRESION, id=id), id)
        ce_dataschema = f"{uno.propiedades['ce_dataschema'].partition('#')[0]}#{HUELLA}"
        suscripcion.mensajes.append(
            uno._replace(propiedades=uno.propiedades | {"ce_dataschema": ce_dataschema})
        )


async def test_ni_se_asienta_ni_se_confirma_ni_se_devuelve_y_sus_vecinos_se_registran(
    prueba: Consumo,
) -> None:
    prueba.llegan("a")
    llegan_de_otra_version(prueba.suscripcion, "posterior")
    prueba.llegan("b")
    async with prueba.consumiendo() as consumidores:
        await prueba.confirmados("a", "b")
        (espera,) = consumidores.en_espera().values()
    assert (espera.mensajes, espera.huellas) == (1, (HUELLA,))
    assert [id for lote in prueba.libro.asentados for id in lote] == ["a", "b"]
    assert prueba.suscripcion.devueltos == []


async def test_un_lote_en_que_todos_esperan_no_detiene_a_los_siguientes(prueba: Consumo) -> None:
    llegan_de_otra_version(prueba.suscripcion, "1", "2", "3")
    async with prueba.consumiendo() as consumidores:
        await hasta_en_el_bucle(lambda: [e.mensajes for e in consumidores.en_espera().values()] == [3])
        prueba.llegan("a")
        await prueba.confirmados("a")
    assert prueba.libro.asentados == [["a"]]


async def test_con_cautela_tambien_espera(prueba: Consumo) -> None:
    EnMano(prueba.archivo, RITMO.maximo_lote).trabajando(["x", "y"]).__enter__()
    prueba.archivo.seek(0)
    llegan_de_otra_version(prueba.suscripcion, "posterior")
    prueba.llegan("a")
    async with prueba.consumiendo() as consumidores:
        await prueba.confirmados("a")
        assert [espera.mensajes for espera in consumidores.en_espera().values()] == [1]


async def test_pasada_la_pausa_vuelve_al_broker_y_quien_ya_lo_conoce_lo_registra(prueba: Consumo) -> None:
    actualizado = False

    def abrir(topico: str, *, propiedades: Mapping[str, str], **lo_demas: Any) -> Any:
        return abrir_comando(topico, propiedades={} if actualizado else propiedades, **lo_demas)

    prueba.ritmo, prueba.abrir = AL_MOMENTO, abrir
    llegan_de_otra_version(prueba.suscripcion, "posterior")
    async with prueba.consumiendo() as consumidores:
        await prueba.devuelto("posterior", 1)
        llegan_de_otra_version(prueba.suscripcion, "posterior")
        await prueba.devuelto("posterior", 2)
        assert prueba.suscripcion.confirmados == []
        actualizado = True
        llegan_de_otra_version(prueba.suscripcion, "posterior")
        await prueba.confirmados("posterior")
        await hasta_en_el_bucle(lambda: consumidores.en_espera() == {})
    assert prueba.libro.asentados == [["posterior"]]


async def test_con_otra_suscripcion_no_se_devuelve_lo_que_dejo_la_anterior(prueba: Consumo) -> None:
    otra = SuscripcionFalsa()
    llegan_de_otra_version(prueba.suscripcion, "posterior")
    async with prueba.consumiendo() as consumidores:
        await hasta_en_el_bucle(lambda: bool(consumidores.en_espera()))
        prueba.cliente.suscripciones.append(otra)
        prueba.suscripcion.rota = True
        await hasta_en_el_bucle(lambda: consumidores.en_espera() == {})


async def test_lo_que_quien_opera_dice_que_no_es_de_nadie_acaba_ilegible(prueba: Consumo) -> None:
    prueba.abrir = partial(abrir_comando, ajenas={HUELLA})
    llegan_de_otra_version(prueba.suscripcion, "ajeno")
    async with prueba.consumiendo() as consumidores:
        await prueba.confirmados("ajeno")
        assert consumidores.en_espera() == {}
    assert prueba.manejador.ilegibles == {"ajeno": "nombra un esquema que no es de nadie"}
