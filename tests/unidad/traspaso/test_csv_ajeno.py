"""CSV: cada fila se envía con sus campos, y la que está rota se dice sin detener a las demás."""

import io
import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpespartners.modulos.tracking.aplicacion.clases import CONVERSIONES, IMPRESIONES, Clase
from alpespartners.seedwork.csv_protegido import en_csv
from alpespartners.traspaso.csv_ajeno import filas_de_csv
from alpespartners.traspaso.filas import ArchivoIlegible, Fila, FilaRota
from alpespartners.traspaso.lineas import LINEA_MAXIMA, lineas_de


def leidas(octetos: bytes, clase: Clase | None = CONVERSIONES) -> list[Fila | FilaRota]:
    return list(filas_de_csv(lineas_de(io.BytesIO(octetos)), clase))


def enviadas(octetos: bytes, clase: Clase | None = CONVERSIONES) -> list[dict[str, Any]]:
    filas = leidas(octetos, clase)
    assert not [fila for fila in filas if isinstance(fila, FilaRota)]
    return [json.loads(fila.cuerpo) for fila in filas if isinstance(fila, Fila)]


def rotas(octetos: bytes) -> list[tuple[int, str, str]]:
    return [(fila.numero, fila.texto, fila.detalle) for fila in leidas(octetos) if isinstance(fila, FilaRota)]


def test_una_celda_vacia_no_se_envia() -> None:
    assert enviadas(b"id,campa\xc3\xb1a_id,valor\r\nc-1,cmp,\r\n") == [{"id": "c-1", "campaña_id": "cmp"}]


def test_lo_que_pone_el_servidor_no_se_envia() -> None:
    cabecera = b"id,ocurrido_en,recibido_en,registrado_en,comando_id,advertencias,lectura,timestamp\r\n"
    fila = b'c-1,2024-01-15T10:30:00Z,x,x,x,"[""a""]","{""reglas"":""1""}",2024-01-15T10:30:00Z\r\n'
    assert enviadas(cabecera + fila) == [{"id": "c-1", "timestamp": "2024-01-15T10:30:00Z"}]


@pytest.mark.parametrize("timestamp", ["", "2024-01-15T10:30:01Z", "2024-01-15T12:30:01+01:00"])
def test_sin_timestamp_o_con_uno_que_se_adelanta_el_instante_es_el_que_conto(timestamp: str) -> None:
    octetos = f"id,timestamp,ocurrido_en\nc-1,{timestamp},2024-01-15T10:30:00Z\n".encode()
    assert enviadas(octetos) == [{"id": "c-1", "timestamp": "2024-01-15T10:30:00Z"}]


def test_el_timestamp_que_no_se_adelanta_va_como_esta() -> None:
    octetos = b"id,timestamp,ocurrido_en\nc-1,2024-01-15T05:30:00-05:00,2024-01-15T10:30:00Z\n"
    assert enviadas(octetos) == [{"id": "c-1", "timestamp": "2024-01-15T05:30:00-05:00"}]


def test_el_importe_va_como_esta_escrito() -> None:
    assert enviadas(b'id;valor\n1;"150.000"\n2;19,90\n') == [
        {"id": "1", "valor": "150.000"},
        {"id": "2", "valor": "19,90"},
    ]


def test_las_propiedades_son_su_json_y_lo_que_no_lo_es_su_texto() -> None:
    octetos = b'id,propiedades\n1,"{""a"":1.50,""b"":""c""}"\n2,suelto\n'
    assert [fila.cuerpo for fila in leidas(octetos) if isinstance(fila, Fila)] == [
        b'{"id":"1","propiedades":{"a":1.50,"b":"c"}}',
        b'{"id":"2","propiedades":"suelto"}',
    ]


def test_vale_la_marca_bom_y_el_punto_y_coma_de_una_hoja_en_espanol() -> None:
    octetos = "\ufeffid;campaña_id;cupon\r\nc-1;cmp;'=HOY()\r\n;;\r\n\r\n".encode()
    assert enviadas(octetos) == [{"id": "c-1", "campaña_id": "cmp", "cupon": "=HOY()"}]


def test_la_clase_la_dice_la_columna_de_tipo() -> None:
    (fila,) = leidas(b"id,tipo_evento\n1,CLIC\n", None)
    assert isinstance(fila, Fila)
    assert fila.clase is IMPRESIONES


@pytest.mark.parametrize(
    "octetos",
    [
        b"id,campana_id\n1,c\n",
        b"id,tipo_evento,tipo_conversion\n1,CLIC,VENTA\n",
        b"nombre,precio\n1,2\n",
        b"id,id,tipo_evento\n1,2,CLIC\n",
        b"id,,tipo_evento\n1,2,CLIC\n",
        b"\xff\xfei\x00d\x00\n\x00",
        b"\n1\n",
    ],
)
def test_una_cabecera_que_no_dice_lo_que_hace_falta_es_un_archivo_ilegible(octetos: bytes) -> None:
    with pytest.raises(ArchivoIlegible):
        leidas(octetos, None)


def test_un_archivo_vacio_no_tiene_filas() -> None:
    assert leidas(b"") == []


def test_unas_comillas_sin_cerrar_solo_cuestan_su_linea() -> None:
    octetos = b'id,cupon\n1,"A\n2,B\n3,"C"\n4,D\n'
    assert rotas(octetos) == [(2, '1,"A', "la línea tiene comillas mal puestas o sin cerrar")]
    assert [fila.id for fila in leidas(octetos) if isinstance(fila, Fila)] == ["2", "3", "4"]


def test_una_fila_de_mas_de_mil_lineas_tiene_las_comillas_sin_cerrar() -> None:
    """Sin ese tope, unas en cada línea hacen leer otra vez, con cada una, lo que cabe en un envío."""
    octetos = b'id,cupon\n1,"A' + b"\n" * 1_000 + b'"\n2,B\n'
    assert rotas(octetos)[0] == (2, '1,"A', "la línea tiene comillas mal puestas o sin cerrar")
    assert [fila.id for fila in leidas(octetos.replace(b"\n\n", b"\n", 1)) if isinstance(fila, Fila)] == [
        "1",
        "2",
    ]


def test_una_linea_sin_fin_o_que_no_es_utf8_solo_se_cuesta_a_si_misma() -> None:
    octetos = b"id,cupon\n1," + b"x" * LINEA_MAXIMA + b"\n2,\xff\n3,C,D\n4,E\n"
    assert [(numero, detalle) for numero, _, detalle in rotas(octetos)] == [
        (2, "la línea no cabe en un envío"),
        (3, "la fila no es UTF-8"),
        (4, "la fila tiene 3 celdas y la cabecera 2"),
    ]
    assert [fila.id for fila in leidas(octetos) if isinstance(fila, Fila)] == ["4"]


def test_una_fila_se_numera_por_la_linea_en_que_empieza() -> None:
    filas = leidas(b'id,user_agent\n1,"a\nb"\n2,c\n')
    assert [(fila.numero, fila.texto) for fila in filas] == [(2, '1,"a\nb"'), (4, "2,c")]


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=2, max_size=2)))
def test_todo_lo_que_se_escribe_en_csv_se_envia_como_era(filas: Sequence[Sequence[str]]) -> None:
    octetos = en_csv([["id", "user_agent"], *filas]).encode()
    con_algo = [fila for fila in filas if any(fila)]
    assert enviadas(octetos) == [
        {nombre: celda for nombre, celda in zip(("id", "user_agent"), fila, strict=True) if celda}
        for fila in con_algo
    ]


@given(st.binary())
def test_nada_detiene_al_lector(octetos: bytes) -> None:
    leidas(b"id,cupon\n" + octetos)
