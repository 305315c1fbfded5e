"""Lo que se escribe es, octeto por octeto, lo que escribiría fastavro."""

from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from fastavro import schemaless_writer
from hypothesis import given
from hypothesis import strategies as st

from alpespartners.modulos.tracking.infraestructura.mensajes.escritura_avro import escritor_de
from alpespartners.modulos.tracking.infraestructura.mensajes.esquemas import ESQUEMAS
from tests.apoyo.estrategias import registros_avro


@pytest.mark.parametrize("topico", ESQUEMAS)
@given(datos=st.data())
def test_cualquier_registro_da_los_octetos_de_fastavro(topico: str, datos: st.DataObject) -> None:
    esquema = ESQUEMAS[topico]
    _, *campos = esquema.definicion["fields"]
    registro = datos.draw(registros_avro(campos))
    salida = BytesIO()
    schemaless_writer(salida, esquema.definicion, {"tipo_mensaje": esquema.registro, **registro})
    preparado = {campo["name"]: _como_se_da(campo["type"], registro[campo["name"]]) for campo in campos}
    assert esquema.escribir(preparado) == salida.getvalue()


def _como_se_da(tipo: Any, valor: Any) -> Any:
    """Un registro anidado es la tupla de sus valores, en el orden de su esquema; lo demás, tal cual."""
    match tipo:
        case ["null", {"type": "record", "fields": campos}] if valor is not None:
            suyos = [valor[campo["name"]] for campo in campos]
            return tuple(tuple(suyo) if isinstance(suyo, list) else suyo for suyo in suyos)
    return valor


@pytest.mark.parametrize(
    "instante",
    [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(1978, 12, 1, tzinfo=UTC),
        datetime(1978, 12, 31, tzinfo=UTC),
        datetime(3111, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC),
    ],
)
def test_los_instantes_de_cualquier_longitud_son_los_de_fastavro(instante: datetime) -> None:
    definicion: dict[str, Any] = {
        "type": "record",
        "name": "r",
        "fields": [{"name": "i", "type": {"type": "long", "logicalType": "timestamp-micros"}}],
    }
    salida = BytesIO()
    schemaless_writer(salida, definicion, {"i": instante})
    assert escritor_de(definicion, {})({"i": instante}) == salida.getvalue()


@pytest.mark.parametrize("importe", [Decimal("0.00001"), Decimal(10) ** 14, -(Decimal(10) ** 14)])
def test_un_importe_que_no_cabe_en_su_tipo_no_se_escribe(importe: Decimal) -> None:
    definicion = ESQUEMAS["comando-registrar-conversion"].definicion
    (campo,) = [campo for campo in definicion["fields"] if campo["name"] == "valor"]
    with pytest.raises(ValueError, match="no cabe en decimal"):
        escritor_de({"fields": [campo]}, {})({"valor": importe})


def test_un_tipo_que_no_se_sabe_escribir_se_dice_al_prepararlo() -> None:
    with pytest.raises(ValueError, match="double"):
        escritor_de({"fields": [{"name": "x", "type": "double"}]}, {})
