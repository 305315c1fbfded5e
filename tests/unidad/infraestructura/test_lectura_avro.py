"""Leer un registro con el esquema que lo escribió: uno de antes, el de hoy o uno desconocido."""

import time
from io import BytesIO
from typing import Any

import pytest
from fastavro import schemaless_writer
from hypothesis import given
from hypothesis import strategies as st

from alpespartners.modulos.tracking.aplicacion.puertos import EsquemaDesconocido
from alpespartners.modulos.tracking.aplicacion.topicos import (
    COMANDO_REGISTRAR_CONVERSION,
    COMANDO_REGISTRAR_IMPRESION,
)
from alpespartners.modulos.tracking.infraestructura.mensajes.esquemas import (
    ESQUEMAS,
    Definicion,
    Esquema,
    ce_dataschema_de,
    huella_de_esquema,
    leer_historial,
    preparar,
)
from alpespartners.modulos.tracking.infraestructura.mensajes.lectura_avro import (
    RegistroIlegible,
    leer_registro,
)
from tests.apoyo.estrategias import registros_avro

REGISTROS = {nombre: next(iter(suyos.values())) for nombre, suyos in leer_historial().items()}
PRIMERO = REGISTROS["ComandoRegistrarConversion"]
URN = "urn:avro:com.alpespartners.tracking.v1.ComandoRegistrarConversion"
CUPON: dict[str, Any] = {"name": "cupon_de_prueba", "type": ["null", "string"], "default": None}
ETIQUETAS: dict[str, Any] = {
    "name": "etiquetas_de_prueba",
    "type": {"type": "map", "values": "string"},
    "default": {},
}

TIPOS_NUEVOS: list[tuple[Any, Any]] = [
    (["null", "string"], None),
    (["null", {"type": "long", "logicalType": "timestamp-micros"}], None),
    (["null", {"type": "bytes", "logicalType": "decimal", "precision": 18, "scale": 4}], None),
    ("string", "por omisión"),
    ({"type": "map", "values": "string"}, {}),
    ({"type": "array", "items": "string"}, []),
]


def con(definicion: Definicion, *campos: dict[str, Any], en: int | None = None) -> Definicion:
    """La misma, con esos campos en ese lugar o al final."""
    de_antes = definicion["fields"]
    lugar = len(de_antes) if en is None else en
    return {**definicion, "fields": [*de_antes[:lugar], *campos, *de_antes[lugar:]]}


def que_lee(definicion: Definicion, *publicados: Definicion) -> Esquema:
    """Quien escribe con esa definición y conoce además las publicadas, de la primera a la última."""
    return preparar(definicion, {ce_dataschema_de(otra, publicados[0]): otra for otra in publicados})


def escribir(definicion: Definicion, registro: dict[str, Any]) -> bytes:
    salida = BytesIO()
    schemaless_writer(salida, definicion, {"tipo_mensaje": definicion["name"], **registro})
    return salida.getvalue()


MINIMO = {"campana_id": "cmp-1", "tipo_conversion": "VENTA"}
SEGUNDO = con(PRIMERO, CUPON)
CON_CUPON = f"{URN}#{huella_de_esquema(SEGUNDO)}"


@st.composite
def evoluciones(draw: st.DrawFn) -> tuple[Definicion, Definicion]:
    """Uno de nuestros registros, y el mismo con hasta cuatro campos más en cualquier lugar."""
    antes = draw(st.sampled_from(sorted(REGISTROS)).map(REGISTROS.__getitem__))
    despues = antes
    for numero in range(draw(st.integers(1, 4))):
        tipo, omision = draw(st.sampled_from(TIPOS_NUEVOS))
        campo = {"name": f"nuevo_{numero}", "type": tipo, "default": omision}
        despues = con(despues, campo, en=draw(st.integers(1, len(despues["fields"]))))
    return antes, despues


@given(evoluciones(), st.data())
def test_lo_que_escribe_un_esquema_lo_leen_igual_el_y_el_que_lo_sucede(
    evolucion: tuple[Definicion, Definicion], datos: st.DataObject
) -> None:
    antes, despues = evolucion
    nuevos = {c["name"]: c["default"] for c in despues["fields"] if c["name"].startswith("nuevo_")}
    for escritor in evolucion:
        registro = datos.draw(registros_avro(escritor["fields"][1:]))
        propiedades = {"ce_dataschema": ce_dataschema_de(escritor, antes)}
        carga = escribir(escritor, registro)
        del_de_antes = leer_registro(que_lee(antes, antes, despues), carga, propiedades)
        del_de_hoy = leer_registro(que_lee(despues, antes, despues), carga, propiedades)
        assert set(del_de_antes) == {campo["name"] for campo in antes["fields"][1:]}
        assert {nombre: valor for nombre, valor in del_de_hoy.items() if nombre not in nuevos} == del_de_antes
        if escritor is antes:
            assert {nombre: del_de_hoy[nombre] for nombre in nuevos} == nuevos


def test_el_de_hoy_se_lee_entero() -> None:
    carga = escribir(SEGUNDO, {**MINIMO, CUPON["name"]: "ANA10"})
    assert (
        leer_registro(que_lee(SEGUNDO, PRIMERO), carga, {"ce_dataschema": CON_CUPON})[CUPON["name"]]
        == "ANA10"
    )


@pytest.mark.parametrize(
    "ce_dataschema",
    [
        None,
        "",
        URN,
        f"{URN}#{huella_de_esquema(PRIMERO)}",
        f"{URN}#{huella_de_esquema(PRIMERO).upper()}",
        "https://esquemas.ejemplo/conversion",
        f"{URN}#no-es-una-huella",
        f"{URN}#",
        f"{URN}X#{'0' * 16}",
        f"urn:avro:com.alpespartners.tracking.v1.ComandoRegistrarImpresion#{'0' * 16}",
    ],
)
@pytest.mark.parametrize("definicion", [PRIMERO, SEGUNDO], ids=["sin evolucionar", "evolucionado"])
def test_sin_una_huella_de_su_registro_lo_escribio_el_primero(
    ce_dataschema: str | None, definicion: Definicion
) -> None:
    propiedades = {} if ce_dataschema is None else {"ce_dataschema": ce_dataschema}
    leido = leer_registro(que_lee(definicion, PRIMERO), escribir(PRIMERO, MINIMO), propiedades)
    assert leido["campana_id"] == "cmp-1"
    assert leido.get(CUPON["name"]) is None


@pytest.mark.parametrize("huella", ["0123456789abcdef", "0123456789ABCDEF"])
def test_una_huella_que_no_se_conoce_no_es_un_mensaje_ilegible(huella: str) -> None:
    with pytest.raises(
        EsquemaDesconocido, match=r"ComandoRegistrarConversion.*posterior.*actualice"
    ) as dicho:
        leer_registro(que_lee(PRIMERO), escribir(PRIMERO, MINIMO), {"ce_dataschema": f"{URN}#{huella}"})
    assert dicho.value.huella == "0123456789abcdef"


def test_quien_no_conoce_el_esquema_siguiente_no_lee_lo_que_escribe_a_medias() -> None:
    carga = escribir(SEGUNDO, {**MINIMO, CUPON["name"]: "ANA10"})
    with pytest.raises(EsquemaDesconocido):
        leer_registro(que_lee(PRIMERO, PRIMERO), carga, {"ce_dataschema": CON_CUPON})


def test_una_huella_que_no_es_de_nadie_hace_ilegible_el_mensaje() -> None:
    propiedades = {"ce_dataschema": f"{URN}#0123456789abcdef"}
    with pytest.raises(RegistroIlegible, match="no es de nadie"):
        leer_registro(que_lee(PRIMERO), escribir(PRIMERO, MINIMO), propiedades, ajenas={"0123456789abcdef"})


def test_una_huella_que_se_conoce_se_lee_aunque_se_dijera_que_no_es_de_nadie() -> None:
    carga = escribir(SEGUNDO, MINIMO)
    ajenas = {huella_de_esquema(SEGUNDO)}
    assert leer_registro(que_lee(SEGUNDO, PRIMERO), carga, {"ce_dataschema": CON_CUPON}, ajenas=ajenas)


@pytest.mark.parametrize(
    ("escritor", "ce_dataschema"), [(PRIMERO, URN), (SEGUNDO, CON_CUPON)], ids=["de antes", "de hoy"]
)
def test_lo_que_sobra_o_falta_se_mide_con_el_esquema_que_escribio(
    escritor: Definicion, ce_dataschema: str
) -> None:
    esquema, propiedades = que_lee(SEGUNDO, PRIMERO), {"ce_dataschema": ce_dataschema}
    carga = escribir(escritor, MINIMO)
    assert leer_registro(esquema, carga, propiedades)["campana_id"] == "cmp-1"
    with pytest.raises(RegistroIlegible, match="sobran octetos tras el registro"):
        leer_registro(esquema, carga + b"\x00", propiedades)
    with pytest.raises(RegistroIlegible, match="los octetos no son Avro de este registro"):
        leer_registro(esquema, carga[:-1], propiedades)


def test_lo_escrito_con_un_esquema_y_dicho_de_otro_es_ilegible() -> None:
    esquema = que_lee(SEGUNDO, PRIMERO)
    with pytest.raises(RegistroIlegible, match="sobran octetos"):
        leer_registro(esquema, escribir(SEGUNDO, MINIMO), {"ce_dataschema": URN})
    with pytest.raises(RegistroIlegible, match="no son Avro"):
        leer_registro(esquema, escribir(PRIMERO, MINIMO), {"ce_dataschema": CON_CUPON})


def test_dos_mensajes_de_antes_no_comparten_el_mapa_que_no_traian() -> None:
    esquema = que_lee(con(PRIMERO, ETIQUETAS), PRIMERO)
    uno, otro = (leer_registro(esquema, escribir(PRIMERO, MINIMO), {}) for _ in range(2))
    uno[ETIQUETAS["name"]]["a"] = "b"
    assert otro[ETIQUETAS["name"]] == {}


def test_un_decimal_enorme_de_antes_se_queda_en_octetos() -> None:
    enorme = b"\x7f" * 1_000_000
    en_octetos = {**PRIMERO, "fields": [dict(campo) for campo in PRIMERO["fields"]]}
    (valor,) = [campo for campo in en_octetos["fields"] if campo["name"] == "valor"]
    valor["type"] = ["null", "bytes"]
    carga = escribir(en_octetos, {**MINIMO, "valor": enorme})
    inicio = time.process_time()
    assert leer_registro(que_lee(SEGUNDO, PRIMERO), carga, {})["valor"] == enorme
    assert time.process_time() - inicio < 2


def test_la_huella_es_la_que_da_cualquier_biblioteca_de_avro() -> None:
    # Avro 1.12, «Schema Fingerprints»: la de Rabin, con su primer octeto delante.
    assert huella_de_esquema({"type": "record", "name": "n", "fields": []}) == rabin(
        b'{"name":"n","type":"record","fields":[]}'
    )


def rabin(octetos: bytes) -> str:
    """El algoritmo de la especificación, sin tabla."""
    vacia = 0xC15D213AA4D7A795
    resto = vacia
    for octeto in octetos:
        bajo = (resto ^ octeto) & 0xFF
        for _ in range(8):
            bajo = (bajo >> 1) ^ (vacia & -(bajo & 1))
        resto = (resto >> 8) ^ bajo
    return resto.to_bytes(8, "little").hex()


@pytest.mark.parametrize("topico", [COMANDO_REGISTRAR_IMPRESION, COMANDO_REGISTRAR_CONVERSION])
def test_lo_que_se_escribe_hoy_dice_con_que_esquema_y_se_lee_con_el(topico: str) -> None:
    esquema = ESQUEMAS[topico]
    assert esquema.lecturas[esquema.ce_dataschema].lector is None
    assert esquema.ce_dataschema.partition("#")[0] == esquema.sin_huella
