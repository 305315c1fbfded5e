"""Las columnas de un cuerpo son los campos de su JSON, y sus celdas, lo que dice cada uno."""

import csv
import io

import msgspec
import pytest
from msgspec import UNSET, UnsetType

from alpespartners.api.http.columnas import celdas, columnas
from alpespartners.api.http.descripcion import CuerpoDescrito
from alpespartners.api.http.respuestas import en_json
from alpespartners.api.tracking.conversiones import CONVERSIONES
from alpespartners.api.tracking.impresiones import IMPRESIONES
from alpespartners.api.tracking.presentacion import EventoRegistrado
from alpespartners.seedwork.csv_protegido import en_csv
from tests.apoyo.eventos import conversion, impresion


@pytest.mark.parametrize(
    "recurso",
    [
        IMPRESIONES.recurso(impresion(influencer_id=None)),
        CONVERSIONES.recurso(conversion(propiedades={"a,b": 'dice "=1"\r\n'})),
    ],
    ids=["impresión", "conversión"],
)
def test_cada_celda_de_un_evento_dice_lo_que_su_campo_del_json_y_en_su_orden(
    recurso: EventoRegistrado,
) -> None:
    esperado = msgspec.json.decode(en_json(recurso), strict=True)
    assert list(columnas(type(recurso))) == list(esperado)
    [fila] = csv.reader(io.StringIO(en_csv([celdas(recurso)]), newline=""), strict=True)
    for celda, (campo, valor) in zip(fila, esperado.items(), strict=True):
        match valor:
            case None:
                assert celda == "", campo
            case str():
                assert celda == valor, campo
            case _:
                assert msgspec.json.decode(celda) == valor, campo
    if "valor" in esperado:
        assert fila[[*esperado].index("valor")] == "150000.00"


def test_lo_que_el_json_omite_es_una_celda_vacia() -> None:
    class Cuerpo(CuerpoDescrito):
        uno: int
        otro: str | UnsetType = UNSET

    assert celdas(Cuerpo(1)) == [1, None]
