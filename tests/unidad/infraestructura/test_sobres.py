"""Los sobres: qué viaja por un tópico, y que al abrirlo salga lo mismo que entró."""

from dataclasses import fields, replace
from decimal import Decimal
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from fastavro import schemaless_reader
from hypothesis import given

from alpespartners.modulos.tracking.aplicacion.clases import CONVERSIONES, IMPRESIONES, Clase
from alpespartners.modulos.tracking.aplicacion.comandos import Comando, RegistrarImpresion
from alpespartners.modulos.tracking.aplicacion.mensajes import ComandoRecibido, Sobre
from alpespartners.modulos.tracking.aplicacion.topicos import COMANDO_REGISTRAR_IMPRESION
from alpespartners.modulos.tracking.dominio.contenido import ContenidoConversion, ContenidoImpresion
from alpespartners.modulos.tracking.dominio.entidades import Conversion, Impresion
from alpespartners.modulos.tracking.dominio.eventos import ConversionRegistrada, ImpresionRegistrada
from alpespartners.modulos.tracking.dominio.excepciones import Recolector
from alpespartners.modulos.tracking.dominio.lectura import Lectura
from alpespartners.modulos.tracking.infraestructura.mensajes.esquemas import ESQUEMAS, huella_de_esquema
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import (
    MAXIMO_CARTA,
    abrir_comando,
    abrir_evento,
    evento_de,
    sobre_de_carta,
    sobre_de_comando,
    sobre_de_evento,
)
from tests.apoyo.estrategias import comandos_de_conversion, comandos_de_impresion
from tests.apoyo.eventos import AHORA, CONVERSION, IMPRESION, conversion, ilegible, impresion
from tests.apoyo.procedencias import LECTURA

TRAZA = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def abrir(sobre: Sobre) -> Any:
    abierto = abrir_comando(
        sobre.topico,
        carga=sobre.carga,
        propiedades=sobre.propiedades,
        clave=sobre.clave,
        publicado_en=AHORA,
        posicion="1:2:-1:0",
        epoca=UUID(int=1),
    )
    assert isinstance(abierto, ComandoRecibido)
    return abierto


def leer(sobre: Sobre) -> dict[str, Any]:
    leido: Any = schemaless_reader(BytesIO(sobre.carga), ESQUEMAS[sobre.topico].definicion, None)
    assert isinstance(leido, dict)
    return leido


@given(comandos_de_impresion() | comandos_de_conversion())
def test_un_comando_sale_de_su_sobre_como_entro(comando: Comando) -> None:
    abierto = abrir(sobre_de_comando(comando, "c-1", None))
    assert abierto.comando == comando
    assert abierto.identidad.comando_id == "c-1"


@given(comandos_de_impresion())
def test_el_evento_de_una_impresion_lleva_la_fila_entera(comando: RegistrarImpresion) -> None:
    entidad = Impresion(
        contenido=ContenidoImpresion.crear(comando, AHORA, Recolector()),
        comando_id="c-1",
        huella=None,
        recibido_en=AHORA,
        registrado_en=AHORA,
        advertencias=("ip_ilegible",),
    )
    campos = entidad.contenido.campos()
    assert leer(sobre_de_evento(ImpresionRegistrada(entidad), None)) == {
        **{nombre.replace("ñ", "n"): valor for nombre, valor in campos.items()},
        "tipo_mensaje": "EventoImpresionRegistrada",
        "comando_id": "c-1",
        "recibido_en": AHORA,
        "registrado_en": AHORA,
        "ocurrido_en": entidad.ocurrido_en,
        "advertencias": ["ip_ilegible"],
        "lectura": None,
    }


@given(comandos_de_conversion())
def test_el_evento_de_una_conversion_lleva_la_fila_entera(comando: Any) -> None:
    entidad = Conversion(
        contenido=ContenidoConversion.crear(comando, AHORA, Recolector()),
        comando_id="c-1",
        huella=None,
        recibido_en=AHORA,
        registrado_en=AHORA,
        advertencias=(),
    )
    campos = entidad.contenido.campos()
    assert leer(sobre_de_evento(ConversionRegistrada(entidad), None)) == {
        **{nombre.replace("ñ", "n"): valor for nombre, valor in campos.items()},
        "tipo_mensaje": "EventoConversionRegistrada",
        "comando_id": "c-1",
        "recibido_en": AHORA,
        "registrado_en": AHORA,
        "ocurrido_en": entidad.ocurrido_en,
        "advertencias": [],
        "lectura": None,
    }


@pytest.mark.parametrize("lectura", [None, LECTURA, Lectura(reglas="1")])
def test_la_lectura_viaja_en_el_evento_y_vuelve_igual(lectura: Lectura | None) -> None:
    casos: list[tuple[Clase, Any]] = [(IMPRESIONES, impresion()), (CONVERSIONES, conversion())]
    for clase, entidad in casos:
        leida = replace(entidad, lectura=lectura, huella=None)
        sobre = sobre_de_evento(evento_de(leida), None)
        assert abrir_evento(clase, carga=sobre.carga, propiedades=sobre.propiedades) == leida


def test_la_lectura_dice_en_avro_lo_mismo_con_nombres_ascii() -> None:
    escrita = leer(sobre_de_evento(ImpresionRegistrada(replace(impresion(), lectura=LECTURA)), None))
    assert escrita["lectura"] == {
        "reglas": "1/de-prueba",
        "navegador": "Chrome Mobile",
        "sistema": "Android",
        "dispositivo": "movil",
        "aplicacion": "Instagram",
        "red": "instagram",
        "pais": "CO",
        "bot": True,
        "senales": ["agente_de_robot", "referrer_de_spam"],
        "recibidas": ["visita_repetida"],
        "clase": "BOT",
    }


def test_ningun_campo_del_comando_se_queda_fuera_del_mensaje() -> None:
    for comando in (IMPRESION, CONVERSION):
        escritos = set(leer(sobre_de_comando(comando, "c-1", None))) - {"tipo_mensaje"}
        assert escritos == {campo.name.replace("ñ", "n") for campo in fields(comando)}


def test_un_comando_lleva_sus_propiedades_cloudevents_y_su_id_por_clave() -> None:
    sobre = sobre_de_comando(replace(IMPRESION, id="ñandú 1/2"), "c-1", TRAZA)
    assert sobre.topico == COMANDO_REGISTRAR_IMPRESION
    assert sobre.clave == "ñandú 1/2"
    assert sobre.propiedades == {
        "ce_specversion": "1.0",
        "ce_id": "c-1",
        "ce_source": "/alpespartners/tracking",
        "ce_type": "com.alpespartners.tracking.v1.ComandoRegistrarImpresion",
        "ce_time": "2026-01-15T10:36:00.120000Z",
        "ce_subject": "ñandú 1/2",
        "ce_datacontenttype": "application/avro",
        "ce_dataschema": ESQUEMAS[COMANDO_REGISTRAR_IMPRESION].ce_dataschema,
        "traceparent": TRAZA,
    }
    urn, _, huella = sobre.propiedades["ce_dataschema"].partition("#")
    assert urn == "urn:avro:com.alpespartners.tracking.v1.ComandoRegistrarImpresion"
    assert huella in {"", huella_de_esquema(ESQUEMAS[COMANDO_REGISTRAR_IMPRESION].definicion)}


def test_un_evento_lleva_la_campaña_por_clave_y_su_hora_de_registro() -> None:
    sobre = sobre_de_evento(ConversionRegistrada(conversion()), TRAZA)
    assert sobre.topico == "evento-conversion-registrada"
    assert sobre.clave == "cmp-456"
    assert sobre.propiedades["ce_type"] == "com.alpespartners.tracking.v1.EventoConversionRegistrada"
    assert sobre.propiedades["ce_time"] == "2026-01-15T10:36:00.120000Z"
    assert sobre.propiedades["ce_subject"] == "conv-123"
    assert sobre.propiedades["traceparent"] == TRAZA


def test_el_ce_id_de_un_evento_depende_solo_de_su_topico_y_su_id() -> None:
    def ce_id(evento: ImpresionRegistrada | ConversionRegistrada) -> str:
        return sobre_de_evento(evento, None).propiedades["ce_id"]

    primero = ce_id(ImpresionRegistrada(impresion(id="x")))
    assert UUID(primero).version == 5
    assert primero == ce_id(ImpresionRegistrada(impresion(id="x", comando_id="c-2")))
    assert primero != ce_id(ImpresionRegistrada(impresion(id="y")))
    assert primero != ce_id(ConversionRegistrada(conversion(id="x")))


def test_sin_traza_no_hay_traceparent() -> None:
    assert "traceparent" not in sobre_de_comando(IMPRESION, "c-1", None).propiedades


@pytest.mark.parametrize("importe", ["0", "0.0001", "99999999999999.9999", "150000.0"])
def test_un_importe_viaja_exacto(importe: str) -> None:
    comando = replace(CONVERSION, valor=Decimal(importe), moneda="CLF")
    leido = leer(sobre_de_comando(comando, "c-1", None))["valor"]
    assert leido == Decimal(importe)
    assert abrir(sobre_de_comando(comando, "c-1", None)).comando.valor == Decimal(importe)


def test_un_importe_que_habria_que_redondear_no_se_escribe() -> None:
    with pytest.raises(ValueError, match="no cabe"):
        sobre_de_comando(replace(CONVERSION, valor=Decimal("0.00001")), "c-1", None)


def test_una_carta_muerta_lleva_los_octetos_las_propiedades_y_por_que() -> None:
    carta = sobre_de_carta(COMANDO_REGISTRAR_IMPRESION, ilegible("c-9", "imp-1"))
    assert carta == Sobre(
        topico="comando-registrar-impresion-tracking-DLQ",
        clave=None,
        propiedades={
            "ce_id": "c-9",
            "alpes_topico": "comando-registrar-impresion",
            "alpes_detalle": "no es un registro Avro",
            "alpes_comando_id": "c-9",
            "alpes_publicado_en": "2026-01-15T10:36:00.120000Z",
            "alpes_clave": "imp-1",
        },
        carga=b"\x00\xff",
    )


@pytest.mark.parametrize(
    ("carga", "propiedades"),
    [
        (b"x" * (MAXIMO_CARTA + 1), {"ce_id": "c-9"}),
        (b"x" * (MAXIMO_CARTA - 10), {"ce_id": "c" * 100}),
        (b"x", {"ce_id": "c-9", "enorme": "ñ" * MAXIMO_CARTA}),
    ],
)
def test_una_carta_muerta_siempre_cabe_en_el_broker_y_dice_que_le_falta(
    carga: bytes, propiedades: dict[str, str]
) -> None:
    carta = sobre_de_carta(
        COMANDO_REGISTRAR_IMPRESION, replace(ilegible("c-9"), carga=carga, propiedades=propiedades)
    )
    octetos = len(carta.carga) + sum(len(n.encode()) + len(v.encode()) for n, v in carta.propiedades.items())
    assert octetos < MAXIMO_CARTA + 1_000
    assert carta.propiedades["alpes_recortada"]
    assert carga.startswith(carta.carga)
