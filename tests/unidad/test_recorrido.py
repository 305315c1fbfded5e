"""Los nueve pasos seguidos, sin broker ni base de datos: sale lo que entró, normalizado."""

from hypothesis import given, settings

from tests.apoyo.libro_en_memoria import TransaccionEnMemoria
from tests.apoyo.recorrido import (
    Envio,
    asentar_conversion,
    asentar_impresion,
    conversion_leida,
    envios_de_conversion,
    envios_de_impresion,
    impresion_leida,
)


@given(envios_de_impresion())
@settings(deadline=None)
def test_lo_que_se_lee_de_una_impresion_es_lo_que_se_envio(envio: Envio) -> None:
    transaccion = TransaccionEnMemoria()
    asentar_impresion(envio, transaccion)
    assert impresion_leida(transaccion, envio.esperado["id"]) == envio.esperado


@given(envios_de_conversion())
@settings(deadline=None)
def test_lo_que_se_lee_de_una_conversion_es_lo_que_se_envio(envio: Envio) -> None:
    transaccion = TransaccionEnMemoria()
    asentar_conversion(envio, transaccion)
    assert conversion_leida(transaccion, envio.esperado["id"]) == envio.esperado
