"""Lo que se envió en un comando que no se registró, como se guarda para enseñarlo."""

from dataclasses import replace
from decimal import Decimal

import pytest

from alpespartners.modulos.tracking.aplicacion.enviado import LETRAS_MAXIMAS, acotado, lo_enviado
from tests.apoyo.eventos import CONVERSION


def test_son_los_campos_del_cliente_y_ninguno_del_servidor() -> None:
    enviado = lo_enviado(replace(CONVERSION, moneda="ZZZ"))
    assert enviado["moneda"] == "ZZZ"
    assert enviado["timestamp"] == CONVERSION.timestamp
    assert not {"recibido_en", "advertencias"} & enviado.keys()


@pytest.mark.parametrize(
    ("recibido", "escrito"),
    [("150000.0000", "150000"), ("10.5000", "10.5"), ("0.0000", "0"), ("100", "100"), ("-3.1000", "-3.1")],
)
def test_un_importe_se_dice_con_sus_digitos_y_sin_los_ceros_de_avro(recibido: str, escrito: str) -> None:
    assert str(lo_enviado(replace(CONVERSION, valor=Decimal(recibido)))["valor"]) == escrito


def test_lo_que_cabe_en_el_cuerpo_mas_grande_se_guarda_entero() -> None:
    campos = {"id": "a", "propiedades": {"k": "x" * (LETRAS_MAXIMAS - 2)}}
    assert acotado(campos) == campos


def test_lo_que_no_cabe_se_recorta_y_se_dice() -> None:
    campos = {"id": "a", "campaña_id": "c" * LETRAS_MAXIMAS, "propiedades": {"k": "v"}, "valor": Decimal(1)}
    assert acotado(campos) == {
        "id": "a",
        "campaña_id": "c" * 2_048,
        "propiedades": {},
        "valor": Decimal(1),
        "recortado": True,
    }
