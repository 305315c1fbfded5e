"""Los nueve pasos con su fila de SQLite en medio: sale lo que entró, normalizado."""

from collections.abc import Generator

import pytest
from hypothesis import given, settings
from sqlalchemy import Connection, create_engine

from alpespartners.modulos.tracking.infraestructura.libro.tablas import METADATOS
from alpespartners.modulos.tracking.infraestructura.motores.base_datos import ARRIENDO
from alpespartners.modulos.tracking.infraestructura.repositorios import ConsultaSQL, TransaccionSQL
from tests.apoyo.recorrido import (
    Envio,
    asentar_conversion,
    asentar_impresion,
    conversion_leida,
    envios_de_conversion,
    envios_de_impresion,
    impresion_leida,
)


@pytest.fixture(scope="module")
def conexion() -> Generator[Connection]:
    motor = create_engine("sqlite://")
    with motor.connect() as abierta:
        METADATOS.create_all(abierta)
        yield abierta
    motor.dispose()


@given(envios_de_impresion())
@settings(deadline=None)
def test_lo_que_se_lee_de_una_impresion_guardada_es_lo_que_se_envio(
    conexion: Connection, envio: Envio
) -> None:
    with conexion.begin_nested() as guardado:
        asentar_impresion(envio, TransaccionSQL(conexion, "esta-prueba", ARRIENDO, {}))
        leida = impresion_leida(ConsultaSQL(conexion), envio.esperado["id"])
        guardado.rollback()
    assert leida == envio.esperado


@given(envios_de_conversion())
@settings(deadline=None)
def test_lo_que_se_lee_de_una_conversion_guardada_es_lo_que_se_envio(
    conexion: Connection, envio: Envio
) -> None:
    with conexion.begin_nested() as guardado:
        asentar_conversion(envio, TransaccionSQL(conexion, "esta-prueba", ARRIENDO, {}))
        leida = conversion_leida(ConsultaSQL(conexion), envio.esperado["id"])
        guardado.rollback()
    assert leida == envio.esperado
