"""NDJSON: cada línea se envía tal cual, salvo lo que pone el servidor."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpespartners.modulos.tracking.aplicacion.clases import CONVERSIONES, IMPRESIONES, Clase
from alpespartners.traspaso.filas import Fila, FilaRota
from alpespartners.traspaso.lineas import LINEA_MAXIMA, lineas_de
from alpespartners.traspaso.ndjson import filas_de_ndjson


def leidas(octetos: bytes, clase: Clase | None = CONVERSIONES) -> list[Fila | FilaRota]:
    return list(filas_de_ndjson(lineas_de(io.BytesIO(octetos)), clase))


def cuerpos(octetos: bytes) -> list[bytes]:
    return [fila.cuerpo for fila in leidas(octetos) if isinstance(fila, Fila)]


def test_una_linea_se_envia_octeto_por_octeto() -> None:
    linea = b'{ "valor": 99999999999999.990,"id":"c-\\u00f1" , "id2": 1e3}'
    assert cuerpos(linea + b"\r\n\n" + linea) == [linea, linea]


def test_lo_que_pone_el_servidor_se_quita_y_lo_demas_sigue_como_estaba() -> None:
    linea = (
        b'{"id":"c","valor":1.50,"nota":"\\ud800","comando_id":"x","ocurrido_en":"2024-01-15T10:30:00Z",'
        b'"advertencias":[]}'
    )
    assert cuerpos(linea) == [b'{"id":"c","valor":1.50,"nota":"\\ud800","timestamp":"2024-01-15T10:30:00Z"}']


@pytest.mark.parametrize("linea", [b"{", b"[1]", b'{"a":1,"a":2}', b"\xff", b"5"])
def test_lo_que_no_es_un_objeto_json_lo_juzga_la_api(linea: bytes) -> None:
    assert cuerpos(linea) == [linea]


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


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.booleans() | st.none(), max_size=5))
def test_un_objeto_cualquiera_dice_lo_mismo_al_enviarse(campos: dict[str, object]) -> None:
    linea = json.dumps(campos).encode()
    con_de_mas = json.dumps({**campos, "comando_id": "x"}).encode()
    campos.pop("comando_id", None)
    enviado, sin_lo_de_mas = (json.loads(cuerpo) for cuerpo in cuerpos(linea + b"\n" + con_de_mas))
    assert sin_lo_de_mas == campos
    assert enviado == campos
