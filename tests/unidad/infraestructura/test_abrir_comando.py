"""Abrir un comando ajeno: qué es ilegible, qué identidad tiene, y que nada de lo que traiga haga daño."""

import time
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from fastavro import schemaless_writer
from hypothesis import given, settings
from hypothesis import strategies as st

from alpespartners.modulos.tracking.aplicacion.comandos import Comando
from alpespartners.modulos.tracking.aplicacion.mensajes import (
    ComandoRecibido,
    MensajeDeOtraVersion,
    MensajeIlegible,
    Sobre,
)
from alpespartners.modulos.tracking.aplicacion.topicos import (
    COMANDO_REGISTRAR_CONVERSION,
    COMANDO_REGISTRAR_IMPRESION,
    EVENTO_CONVERSION_REGISTRADA,
)
from alpespartners.modulos.tracking.infraestructura.mensajes.esquemas import ESQUEMAS
from alpespartners.modulos.tracking.infraestructura.mensajes.lectura_avro import MAXIMO_CARGA
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import (
    abrir_comando,
    ce_id_de_evento,
    sobre_de_comando,
)
from tests.apoyo.eventos import AHORA, CONVERSION, IMPRESION
from tests.apoyo.primer_esquema import carga_del_primero, primero


def del_primero(comando: Comando) -> Sobre:
    """Lo que publica quien no dice con qué esquema escribe."""
    return sobre_de_comando(comando, "c-1", None)._replace(carga=carga_del_primero(comando))


EPOCA = UUID(int=1)
SOBRE_IMPRESION = del_primero(IMPRESION)
SOBRE_CONVERSION = del_primero(replace(CONVERSION, propiedades={"a": "b"}))

Abierto = ComandoRecibido | MensajeIlegible | MensajeDeOtraVersion


def abrir(
    carga: bytes | None = SOBRE_IMPRESION.carga,
    propiedades: dict[str, str] | None = None,
    *,
    topico: str = COMANDO_REGISTRAR_IMPRESION,
    clave: str | None = None,
    posicion: str = "1:2:-1:0",
    epoca: UUID = EPOCA,
) -> Abierto:
    return abrir_comando(
        topico,
        carga=carga,
        propiedades={} if propiedades is None else propiedades,
        clave=clave,
        publicado_en=AHORA,
        posicion=posicion,
        epoca=epoca,
    )


def comando(abierto: Abierto) -> Any:
    assert isinstance(abierto, ComandoRecibido)
    return abierto


def detalle(abierto: Abierto) -> str:
    assert isinstance(abierto, MensajeIlegible)
    return abierto.detalle


def avro(topico: str = COMANDO_REGISTRAR_IMPRESION, **campos: object) -> bytes:
    salida = BytesIO()
    minimo = {"campana_id": "cmp-456", "tipo_conversion": "OTRA", **campos}
    schemaless_writer(salida, primero(topico), minimo)
    return salida.getvalue()


def entero(numero: int) -> bytes:
    """Un `long` de Avro: zigzag y de siete en siete bits."""
    zigzag = (numero << 1) ^ (numero >> 63)
    octetos = bytearray()
    while zigzag > 0x7F:
        octetos.append(zigzag & 0x7F | 0x80)
        zigzag >>= 7
    return bytes([*octetos, zigzag])


def test_ninguna_propiedad_es_obligatoria() -> None:
    assert comando(abrir(propiedades={})).comando == IMPRESION


def test_las_propiedades_vacias_valen_ausencia() -> None:
    vacias = dict.fromkeys(("ce_id", "ce_type", "ce_dataschema", "traceparent"), "")
    assert abrir(propiedades=vacias) == abrir(propiedades={})


def test_un_ce_type_de_otro_registro_es_ilegible() -> None:
    ajeno = {"ce_type": ESQUEMAS[COMANDO_REGISTRAR_CONVERSION].tipo}
    assert detalle(abrir(propiedades=ajeno)) == "ce_type nombra otro registro"


def test_un_tipo_mensaje_de_otro_registro_es_ilegible() -> None:
    ajeno = avro(tipo_mensaje="ComandoRegistrarConversion")
    assert detalle(abrir(ajeno)) == "tipo_mensaje nombra otro registro"


def test_los_octetos_de_otro_comando_son_ilegibles() -> None:
    assert detalle(abrir(SOBRE_CONVERSION.carga))
    assert detalle(abrir(SOBRE_IMPRESION.carga, topico=COMANDO_REGISTRAR_CONVERSION))


def test_octetos_de_mas_son_ilegibles() -> None:
    assert detalle(abrir(SOBRE_IMPRESION.carga + b"\x00")) == "sobran octetos tras el registro"


def test_un_mensaje_sin_valor_es_ilegible() -> None:
    abierto = abrir(None)
    assert detalle(abierto) == "el mensaje no tiene valor"
    assert isinstance(abierto, MensajeIlegible)
    assert abierto.carga == b""


def test_una_carga_enorme_es_ilegible() -> None:
    assert "octetos" in detalle(abrir(avro(user_agent="x" * MAXIMO_CARGA)))


def test_un_texto_larguisimo_que_cabe_no_es_ilegible() -> None:
    agente = "x" * (MAXIMO_CARGA // 2)
    assert comando(abrir(avro(user_agent=agente))).comando.user_agent == agente


def test_un_mensaje_ilegible_conserva_lo_que_llego() -> None:
    propiedades = {"ce_id": "c-7", "otra": "cosa"}
    abierto = abrir(b"\xff", propiedades, clave="imp-1")
    assert isinstance(abierto, MensajeIlegible)
    assert abierto.identidad.comando_id == "c-7"
    assert abierto.clave == "imp-1"
    assert abierto.carga == b"\xff"
    assert abierto.propiedades == propiedades
    assert abierto.publicado_en == AHORA


@pytest.mark.parametrize("sobre", [SOBRE_IMPRESION, SOBRE_CONVERSION], ids=lambda sobre: sobre.topico)
def test_un_mensaje_cortado_por_cualquier_sitio_es_ilegible(sobre: Any) -> None:
    for corte in range(len(sobre.carga)):
        assert detalle(abrir(sobre.carga[:corte], topico=sobre.topico))


@given(st.binary(max_size=300), st.sampled_from([SOBRE_IMPRESION.topico, SOBRE_CONVERSION.topico]))
def test_unos_octetos_cualesquiera_nunca_lanzan(octetos: bytes, topico: str) -> None:
    assert detalle(abrir(octetos, topico=topico))


@settings(max_examples=300)
@given(
    st.sampled_from([SOBRE_IMPRESION, SOBRE_CONVERSION]),
    st.lists(
        st.tuples(st.integers(0, 400), st.binary(max_size=10), st.integers(0, 3)), min_size=1, max_size=5
    ),
)
def test_un_mensaje_estropeado_nunca_lanza(sobre: Any, cambios: list[tuple[int, bytes, int]]) -> None:
    carga = sobre.carga
    for lugar, nuevos, borrados in cambios:
        carga = carga[:lugar] + nuevos + carga[lugar + borrados :]
    assert abrir(carga, topico=sobre.topico).publicado_en == AHORA


IMPORTE = entero(4) + (1_500_000_000).to_bytes(4, "big")
PREFIJO = entero(25) + b"ComandoRegistrarImpresion" + entero(0) + entero(1) + b"c" + entero(0) * 5
PREFIJO += entero(1) + b"x" + entero(0) * 2

HOSTILES = {
    "longitud_negativa": entero(-5) + b"hola",
    "longitud_desmesurada": entero(2**62) + b"hola",
    "rama_de_union_inexistente": entero(25) + b"ComandoRegistrarImpresion" + entero(9),
    "entero_sin_fin": b"\x80" * MAXIMO_CARGA,
    "mapa_de_mentira": PREFIJO + entero(2**62) + entero(0) * 20,
    "mapa_negativo": PREFIJO + entero(-(2**63)) + entero(5) + entero(0) * 20,
    "mapa_enorme": PREFIJO + entero(500_000) + entero(0) * 1_000_002,
    "lista_enorme": PREFIJO + entero(0) + entero(1_000_000) + entero(0) * 1_000_001,
    "lista_a_trozos": PREFIJO + entero(0) + (entero(-1) + entero(0) * 2) * 300_000 + entero(0),
    "mal_utf8": entero(2) + b"\xff\xfe",
    "medio_sustituto": entero(3) + b"\xed\xa0\x80",
}


@pytest.mark.parametrize("carga", HOSTILES.values(), ids=HOSTILES)
def test_unos_octetos_hostiles_ni_lanzan_ni_tardan(carga: bytes) -> None:
    inicio = time.process_time()
    assert abrir(carga).publicado_en == AHORA
    assert time.process_time() - inicio < 5


@pytest.mark.parametrize("octetos", [17, 1_000, 1_000_000])
def test_un_decimal_enorme_es_ilegible_sin_llegar_a_convertirlo(octetos: int) -> None:
    carga = SOBRE_CONVERSION.carga
    assert carga.count(IMPORTE) == 1
    carga = carga.replace(IMPORTE, entero(octetos) + b"\x7f" * octetos)
    inicio = time.process_time()
    assert detalle(abrir(carga, topico=COMANDO_REGISTRAR_CONVERSION)) == "valor no cabe en decimal(18,4)"
    assert time.process_time() - inicio < 2


def test_un_decimal_que_pasa_de_la_precision_se_lee_entero_para_que_lo_juzgue_el_dominio() -> None:
    enorme = (10**30 + 1).to_bytes(16, "big")
    carga = SOBRE_CONVERSION.carga.replace(IMPORTE, entero(16) + enorme)
    leido = comando(abrir(carga, topico=COMANDO_REGISTRAR_CONVERSION)).comando.valor
    assert leido == Decimal("100000000000000000000000000.0001")


def test_un_importe_negativo_se_lee_negativo_para_que_lo_juzgue_el_dominio() -> None:
    carga = avro(COMANDO_REGISTRAR_CONVERSION, valor=Decimal("-0.0001"), moneda="COP")
    leido = comando(abrir(carga, topico=COMANDO_REGISTRAR_CONVERSION)).comando.valor
    assert leido == Decimal("-0.0001")


@pytest.mark.parametrize("micros", [2**62, -(2**62), -(2**63), 2**63 - 1])
def test_un_instante_fuera_del_calendario_es_ilegible(micros: int) -> None:
    assert detalle(abrir(avro(timestamp=micros)))


def test_la_identidad_es_el_ce_id_y_la_huella_de_la_carga() -> None:
    una = abrir(propiedades={"ce_id": "c-1"}).identidad
    assert una.comando_id == "c-1"
    assert len(una.huella) == 16
    assert una == abrir(propiedades={"ce_id": "c-1"}, posicion="9:9:-1:0").identidad
    assert una != abrir(avro(), {"ce_id": "c-1"}).identidad


def test_sin_ce_id_la_identidad_sale_de_la_epoca_el_topico_y_la_posicion() -> None:
    una = abrir().identidad
    assert UUID(una.comando_id).version == 5
    assert una == abrir().identidad
    assert una.comando_id != abrir(posicion="1:3:-1:0").identidad.comando_id
    assert una.comando_id != abrir(epoca=UUID(int=2)).identidad.comando_id
    otro_topico = abrir(SOBRE_CONVERSION.carga, topico=COMANDO_REGISTRAR_CONVERSION)
    assert una.comando_id != otro_topico.identidad.comando_id


@pytest.mark.parametrize("ce_id", ["x" * 129, "a\nb", "\x00", "\x85", "\ud800"])
def test_un_ce_id_inutilizable_se_sustituye_por_uno_que_depende_de_el_y_de_la_carga(ce_id: str) -> None:
    una = abrir(propiedades={"ce_id": ce_id}).identidad
    assert UUID(una.comando_id).version == 5
    assert una == abrir(propiedades={"ce_id": ce_id}, posicion="9:9:-1:0").identidad
    assert una.comando_id != abrir(propiedades={"ce_id": ce_id + "x"}).identidad.comando_id
    assert una.comando_id != abrir(avro(), {"ce_id": ce_id}).identidad.comando_id


def test_las_identidades_son_las_mismas_en_todas_las_versiones() -> None:
    minimo = avro()
    huella = bytes.fromhex("f1927979c52b8edce352bfb5120ec04d")
    assert abrir(minimo).identidad == ("f679051d-3ea3-5346-8311-8945d92730ed", huella)
    assert abrir(minimo, {"ce_id": "a\nb"}).identidad == ("5d6cf172-0e67-568f-93ab-327e56ed5d44", huella)
    con_ce_id = comando(abrir(minimo, {"ce_id": "c-1"})).comando.id
    assert con_ce_id == "b072082c-a3cb-59ec-a382-c1a285cfa25a"
    del_evento = ce_id_de_evento(EVENTO_CONVERSION_REGISTRADA, "conv-123")
    assert del_evento == "a2e6c4c6-d6b9-5a9f-9dc9-50ed727b8b53"


def test_un_comando_sin_id_recibe_siempre_el_mismo() -> None:
    sin_id = avro()
    con_ce_id = comando(abrir(sin_id, {"ce_id": "c-1"})).comando.id
    assert UUID(con_ce_id).version == 5
    assert con_ce_id == comando(abrir(sin_id, {"ce_id": "c-1"}, posicion="9:9:-1:0")).comando.id
    assert con_ce_id != comando(abrir(sin_id, {"ce_id": "c-2"})).comando.id
    assert con_ce_id != comando(abrir(avro(usuario_id="u"), {"ce_id": "c-1"})).comando.id

    sin_nada = comando(abrir(sin_id)).comando.id
    assert UUID(sin_nada).version == 5
    assert sin_nada == comando(abrir(sin_id)).comando.id
    assert sin_nada != comando(abrir(sin_id, posicion="1:3:-1:0")).comando.id


def test_un_id_vacio_vale_ausencia() -> None:
    assert comando(abrir(avro(id=""))).comando.id


@pytest.mark.parametrize(
    ("traceparent", "traza"),
    [
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",) * 2,
        ("00-00000000000000000000000000000000-00f067aa0ba902b7-01", None),
        ("cualquier cosa", None),
    ],
)
def test_una_traza_que_no_vale_se_ignora(traceparent: str, traza: str | None) -> None:
    assert comando(abrir(propiedades={"traceparent": traceparent})).traza == traza


def test_un_comando_sin_hora_de_recepcion_la_deja_en_blanco_para_el_dominio() -> None:
    assert comando(abrir(avro())).comando.recibido_en is None
    assert comando(abrir(avro(recibido_en=AHORA + timedelta(days=9)))).comando.recibido_en > AHORA
