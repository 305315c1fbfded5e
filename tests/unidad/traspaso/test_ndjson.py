"""NDJSON: cada línea se envía tal cual, salvo lo que pone el servidor."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpespartners.modulos.tracking.aplicacion.clases import CONVERSIONES, IMPRESIONES, Clase
from alpespartners.modulos.tracking.aplicacion.mapeadores import RESERVADOS
from alpespartners.traspaso.cuerpos import elemento_de
from alpespartners.traspaso.filas import Fila, FilaRota
from alpespartners.traspaso.lineas import LINEA_MAXIMA, lineas_de
from alpespartners.traspaso.ndjson import filas_de_ndjson


def leidas(octetos: bytes, clase: Clase | None = CONVERSIONES) -> list[Fila | FilaRota]:
    return list(filas_de_ndjson(lineas_de(io.BytesIO(octetos)), clase))


def cuerpos(octetos: bytes) -> list[bytes]:
    return [fila.cuerpo for fila in leidas(octetos) if isinstance(fila, Fila)]


def test_una_linea_se_envia_octeto_por_octeto() -> None:
    linea = b'{ "valor": 99999999999999.990,"id":"c-\\u00f1" , "id2": 1e3}'
    assert cuerpos(linea + b"\r\n\n " + linea) == [linea, linea]


def test_lo_que_pone_el_servidor_se_quita_y_lo_demas_sigue_como_estaba() -> None:
    linea = (
        b'{"id":"c","valor":1.50,"nota":"\\ud800","comando_id":"x","ocurrido_en":"2024-01-15T10:30:00Z",'
        b'"advertencias":[]}'
    )
    assert cuerpos(linea) == [b'{"id":"c","valor":1.50,"nota":"\\ud800","timestamp":"2024-01-15T10:30:00Z"}']


@pytest.mark.parametrize(
    ("linea", "codigo"),
    [
        (b"{", "json_ilegible"),
        (b'{"a":1,"a":2}', "json_ilegible"),
        (b"\xff", "json_ilegible"),
        (b"[1]", "tipo_incorrecto"),
        (b"5", "tipo_incorrecto"),
    ],
)
def test_lo_que_no_es_un_objeto_json_no_se_envia_y_dice_por_que(linea: bytes, codigo: str) -> None:
    (fila,) = leidas(linea)
    assert isinstance(fila, FilaRota)
    assert fila.codigo == codigo


def test_una_linea_de_un_lote_ya_dice_su_clase_y_otra_clase_es_un_campo_desconocido() -> None:
    lineas = b'{"clase":"impresion","id":"1"}\n{"clase":"VIP","tipo_evento":"CLIC"}\n'
    enviadas = [fila.cuerpo for fila in leidas(lineas, None) if isinstance(fila, Fila)]
    assert enviadas == [b'{"id":"1"}', b'{"tipo_evento":"CLIC","propiedades":{"clase":"VIP"}}']


def test_la_clase_la_dice_el_campo_de_tipo_de_cada_linea() -> None:
    filas = leidas(b'{"tipo_evento":"CLIC"}\n{"tipo_conversion":"VENTA"}\n', None)
    assert [fila.clase for fila in filas if isinstance(fila, Fila)] == [IMPRESIONES, CONVERSIONES]


def test_la_linea_de_la_que_no_se_sabe_la_clase_se_dice_y_no_detiene_a_las_demas() -> None:
    octetos = b'{"id":"1"}\n{\n{"tipo_evento":"CLIC"}\n' + b"x" * (LINEA_MAXIMA + 1) + b"\n"
    filas = leidas(octetos, None)
    assert [(fila.numero, fila.codigo) for fila in filas if isinstance(fila, FilaRota)] == [
        (1, "clase_desconocida"),
        (2, "json_ilegible"),
        (4, "linea_demasiado_larga"),
    ]
    assert len(filas) == 4


@pytest.mark.parametrize(
    ("linea", "id_evento"),
    [(b"{}", None), (b'{"id":null}', None), (b'{"id":"x"}', "x"), (b'{"id":"\\ud800"}', "\\ud800")],
)
def test_se_sabe_si_trae_id(linea: bytes, id_evento: str | None) -> None:
    (fila,) = leidas(linea)
    assert isinstance(fila, Fila)
    assert fila.id == id_evento


@pytest.mark.parametrize(
    ("campos", "propiedades"),
    [
        ({"clase": ["a"]}, {"clase": ["a"]}),
        ({"clase": "a", "propiedades": {"b": "c"}}, {"clase": "a", "b": "c"}),
        ({"clase": "a", "propiedades": "texto"}, {"clase": "a", "propiedades": "texto"}),
        ({"clase": "conversion"}, None),
    ],
)
def test_un_campo_clase_que_no_dice_la_de_la_fila_no_se_pierde(
    campos: dict[str, object], propiedades: object
) -> None:
    (cuerpo,) = cuerpos(json.dumps(campos).encode())
    assert json.loads(cuerpo).get("propiedades") == propiedades


def test_de_la_lectura_que_puso_el_servidor_va_lo_que_supo_quien_lo_recibio() -> None:
    lectura = {"reglas": "1", "red": "directo", "recibidas": ["precarga"], "clase": "INVALIDO"}
    (cuerpo,) = cuerpos(json.dumps({"id": "x", "lectura": lectura}).encode())
    assert json.loads(cuerpo) == {"id": "x", "lectura": {"reglas": "1", "recibidas": ["precarga"]}}


def test_la_lectura_que_puso_el_servidor_no_se_envia_y_la_de_otro_no_se_pierde() -> None:
    exportada = {"id": "x", "lectura": {"reglas": "1", "red": "directo"}}
    ajena = {"id": "x", "lectura": "de poesía"}
    lineas = b"\n".join(json.dumps(campos).encode() for campos in (exportada, ajena))
    assert [json.loads(cuerpo) for cuerpo in cuerpos(lineas)] == [{"id": "x"}, ajena]


@pytest.mark.parametrize(
    ("cuerpo", "asignado", "elemento"),
    [
        (b"{}", None, b'{"clase":"conversion"}'),
        (b"{ }", "x", b'{"clase":"conversion","id":"x"}'),
        (b'{ "a":1.50 }', "x", b'{"clase":"conversion","id":"x","a":1.50 }'),
        (b'{"id":"y"}', None, b'{"clase":"conversion","id":"y"}'),
    ],
)
def test_el_elemento_de_una_fila_es_su_cuerpo_con_su_clase_y_el_id_que_se_le_asigna(
    cuerpo: bytes, asignado: str | None, elemento: bytes
) -> None:
    assert elemento_de(CONVERSIONES, cuerpo, asignado) == elemento


@given(
    st.dictionaries(
        st.text().filter(lambda nombre: nombre not in {*RESERVADOS, "id", "clase"}),
        st.text() | st.integers() | st.booleans() | st.none(),
        max_size=5,
    )
)
def test_un_objeto_cualquiera_dice_lo_mismo_al_enviarse(campos: dict[str, object]) -> None:
    linea = json.dumps(campos).encode()
    con_de_mas = json.dumps({**campos, "comando_id": "x"}).encode()
    enviado, sin_lo_de_mas = (json.loads(cuerpo) for cuerpo in cuerpos(linea + b"\n" + con_de_mas))
    assert sin_lo_de_mas == campos
    assert enviado == campos
