"""Del JSON al comando: alias, ausencias, campos de más y todas las faltas a la vez."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.aplicacion.comandos import RegistrarImpresion
from alpespartners.modulos.tracking.aplicacion.mapeadores import (
    comando_del_cuerpo,
)
from alpespartners.modulos.tracking.dominio.contenido import ContenidoConversion
from alpespartners.modulos.tracking.dominio.excepciones import (
    Codigo,
    CodigoDeFalta,
    DatosInvalidos,
    Fallo,
    Recolector,
)
from alpespartners.seedwork.json_estricto import NumeroJson

AHORA = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)
SEMILLA_IMPRESION: dict[str, object] = {
    "id": "imp-123",
    "campaña_id": "cmp-456",
    "influencer_id": "inf-789",
    "usuario_id": "usr-101",
    "tipo_evento": "IMPRESION",
    "user_agent": "Mozilla/5.0...",
    "ip_address": "192.168.1.1",
    "referrer": "https://instagram.com",
    "timestamp": "2024-01-15T10:30:00Z",
}
VENTA: dict[str, object] = {
    "id": "conv-123",
    "campaña_id": "cmp-456",
    "tipo_conversion": "VENTA",
    "valor": NumeroJson("150000.0"),
    "moneda": "COP",
}


def impresion(**cambios: object) -> Any:
    return comando_del_cuerpo(
        clases.IMPRESIONES, SEMILLA_IMPRESION | cambios, id_asignado=lambda: "asignado", recibido_en=AHORA
    )


def venta(**cambios: object) -> Any:
    return comando_del_cuerpo(
        clases.CONVERSIONES, VENTA | cambios, id_asignado=lambda: "asignado", recibido_en=AHORA
    )


def con_clave(clave: str, **cambios: object) -> Any:
    return comando_del_cuerpo(
        clases.CONVERSIONES,
        VENTA | cambios,
        id_asignado=lambda: "asignado",
        recibido_en=AHORA,
        clave=clave,
    )


def fallos(**cambios: object) -> dict[str, CodigoDeFalta]:
    with pytest.raises(DatosInvalidos) as invalidos:
        venta(**cambios)
    return {fallo.campo: fallo.codigo for fallo in invalidos.value.fallos}


def test_la_impresion_de_la_semilla_llega_campo_por_campo() -> None:
    assert impresion() == RegistrarImpresion(
        id="imp-123",
        campaña_id="cmp-456",
        influencer_id="inf-789",
        usuario_id="usr-101",
        tipo_evento="IMPRESION",
        user_agent="Mozilla/5.0...",
        ip_address="192.168.1.1",
        referrer="https://instagram.com",
        timestamp=datetime(2024, 1, 15, 10, 30, tzinfo=UTC),
        recibido_en=AHORA,
        propiedades={},
        advertencias=(),
    )


@pytest.mark.parametrize("grafia", ["campana_id", "campan\u0303a_id"])
def test_la_campaña_se_puede_escribir_sin_eñe_y_con_eñe_descompuesta(grafia: str) -> None:
    cuerpo = {clave: valor for clave, valor in SEMILLA_IMPRESION.items() if clave != "campaña_id"}
    comando = comando_del_cuerpo(
        clases.IMPRESIONES, cuerpo | {grafia: "cmp-456"}, id_asignado=lambda: "asignado", recibido_en=AHORA
    )
    assert comando == impresion()


def test_dos_grafias_con_valores_distintos_son_una_falta() -> None:
    assert fallos(campana_id="otra") == {"campaña_id": Codigo.CAMPO_REPETIDO}


def test_dos_grafias_de_un_campo_desconocido_con_valores_distintos_se_guardan_las_dos() -> None:
    comando = venta(**{"e\u0301\n": "uno", "é\n": "otro"})
    assert comando.propiedades == {"é\ufffd": "uno", "é\ufffd_2": "otro"}
    assert comando.advertencias == (
        "campo_desconocido:é\ufffd",
        "propiedad_reparada:é\ufffd",
        "propiedad_repetida:é\ufffd_2",
        "propiedad_reparada:é\ufffd_2",
    )


@pytest.mark.parametrize("valores", [("1", NumeroJson("1")), (NumeroJson("1"), "1")])
def test_un_numero_y_un_texto_con_la_misma_escritura_son_valores_distintos(
    valores: tuple[object, object],
) -> None:
    cuerpo = dict(zip(("campaña_id", "campana_id"), valores, strict=True))
    for ordenado in (cuerpo, dict(reversed(cuerpo.items()))):
        with pytest.raises(DatosInvalidos) as invalidos:
            comando_del_cuerpo(
                clases.IMPRESIONES, ordenado, id_asignado=lambda: "asignado", recibido_en=AHORA
            )
        assert Codigo.CAMPO_REPETIDO in {fallo.codigo for fallo in invalidos.value.fallos}


def test_dos_grafias_con_el_mismo_valor_valen() -> None:
    otro_objeto = "CMP-456".lower()
    assert venta(campana_id=otro_objeto) == venta()


@pytest.mark.parametrize("ausente", [None, ""])
def test_vacio_y_nulo_son_ausencia(ausente: object) -> None:
    comando = impresion(
        usuario_id=ausente, timestamp=ausente, tipo_evento=ausente, referrer=ausente, propiedades=ausente
    )
    assert (comando.usuario_id, comando.timestamp, comando.referrer) == (None, None, None)
    assert comando.propiedades == {}
    assert (comando.tipo_evento, comando.advertencias) == ("IMPRESION", ())


def test_sin_id_se_asigna_uno_con_aviso() -> None:
    sin_id = {clave: valor for clave, valor in VENTA.items() if clave != "id"}
    for cuerpo in (sin_id, VENTA | {"id": None}):
        comando = comando_del_cuerpo(
            clases.CONVERSIONES, cuerpo, id_asignado=lambda: "asignado", recibido_en=AHORA
        )
        assert (comando.id, comando.advertencias) == ("asignado", ("id_asignado",))


def test_un_id_vacio_es_una_falta_que_dice_que_hacer() -> None:
    with pytest.raises(DatosInvalidos) as invalidos:
        venta(id="")
    (fallo,) = invalidos.value.fallos
    assert (fallo.campo, fallo.codigo) == ("id", Codigo.REQUERIDO)
    assert "no lo envíe" in fallo.mensaje


def test_sin_id_en_el_cuerpo_vale_el_de_la_clave_y_no_hay_aviso() -> None:
    comando = con_clave("pedido-7", id=None)
    assert (comando.id, comando.advertencias) == ("pedido-7", ())
    assert con_clave("pedido-7", id="pedido-7") == comando


def test_un_id_distinto_del_de_la_clave_es_una_falta() -> None:
    for en_el_cuerpo in ("otro", ""):
        with pytest.raises(DatosInvalidos) as invalidos:
            con_clave("pedido-7", id=en_el_cuerpo)
        assert [fallo.campo for fallo in invalidos.value.fallos] == ["id"]


@pytest.mark.parametrize("campo", ["id", "campaña_id", "influencer_id", "usuario_id", "cupon"])
@pytest.mark.parametrize(
    ("texto", "posicion", "nombre"),
    [
        ("cmp-456\u200b", 7, "U+200B"),
        ("\ufeffcmp", 0, "U+FEFF"),
        ("n\u0303n\u0303\u00ad", 4, "U+00AD"),
        ("a\u202eb", 1, "U+202E"),
        ("a\u200d", 1, "U+200D"),
        ("\u200ca", 0, "U+200C"),
        ("a\u200d\u200db", 1, "U+200D"),
        ("a \u200db", 2, "U+200D"),
        ("a\U000e0041", 1, "U+E0041"),
        ("\u3164", 0, "U+3164"),
    ],
)
def test_un_caracter_invisible_en_un_identificador_es_una_falta_que_dice_donde(
    campo: str, texto: str, posicion: int, nombre: str
) -> None:
    with pytest.raises(DatosInvalidos) as invalidos:
        venta(**{campo: texto})
    (fallo,) = invalidos.value.fallos
    assert (fallo.campo, fallo.codigo) == (campo, CodigoDePeticion.CARACTER_INVISIBLE)
    assert f"{nombre} en la posición {posicion}," in fallo.mensaje


@pytest.mark.parametrize(
    "texto", ["👨\u200d👩\u200d👧", "\u0645\u06cc\u200c\u062e\u0648", "a b", "ñ", "¡oferta!"]
)
def test_un_identificador_que_se_ve_entero_vale(texto: str) -> None:
    assert venta(id=texto, campaña_id=texto).id == texto


def test_un_comando_que_ya_estaba_en_un_topico_vale_con_lo_invisible_que_traiga() -> None:
    recolector = Recolector()
    antes = replace(venta(), id="a\u200b", campaña_id="cmp-456\ufeff")
    assert ContenidoConversion.crear(antes, AHORA, recolector).id == "a\u200b"
    assert recolector.fallos == []


@pytest.mark.parametrize(
    ("campo", "valor"),
    [
        ("id", NumeroJson("5")),
        ("campaña_id", ["a"]),
        ("usuario_id", {"a": "b"}),
        ("tipo_conversion", True),
        ("moneda", NumeroJson("1")),
        ("timestamp", NumeroJson("1705314600")),
        ("valor", True),
        ("valor", []),
    ],
)
def test_un_tipo_de_json_equivocado_nombra_el_campo(campo: str, valor: object) -> None:
    assert fallos(**{campo: valor}) == {campo: CodigoDePeticion.TIPO_INCORRECTO}


def test_las_faltas_de_forma_y_de_reglas_se_dicen_juntas() -> None:
    assert fallos(campaña_id=[], valor="quince", moneda="ZZZ", timestamp="ayer", estado="x", extra=[]) == {
        "campaña_id": CodigoDePeticion.TIPO_INCORRECTO,
        "valor": Codigo.VALOR_ILEGIBLE,
        "moneda": Codigo.MONEDA_DESCONOCIDA,
        "timestamp": Codigo.TIMESTAMP_ILEGIBLE,
        "estado": CodigoDePeticion.CAMPO_RESERVADO,
    }


@pytest.mark.parametrize("metadato", ["user_agent", "ip_address", "referrer"])
@pytest.mark.parametrize("valor", [NumeroJson("5"), True, ["a"], {"a": "b"}])
def test_un_metadato_de_otro_tipo_nunca_cuesta_una_venta(metadato: str, valor: object) -> None:
    comando = venta(**{metadato: valor})
    assert getattr(comando, metadato) is None
    assert len(comando.advertencias) == 1


@pytest.mark.parametrize("valor", [["\ud800"], {"a": {"\udfff": "b"}}])
def test_un_sustituto_suelto_dentro_de_un_metadato_de_otro_tipo_tampoco_cuesta_una_venta(
    valor: object,
) -> None:
    assert venta(user_agent=valor).advertencias == ("user_agent_ilegible",)


def test_un_error_de_tecleo_se_guarda_en_propiedades_y_se_avisa() -> None:
    comando = venta(influencerid="inf-1", cantidad=NumeroJson("1.50"), nuevo=True)
    assert comando.propiedades == {"influencerid": "inf-1", "cantidad": "1.50", "nuevo": "true"}
    assert comando.advertencias == (
        "campo_desconocido:influencerid",
        "quiso_decir:influencer_id",
        "campo_desconocido:cantidad",
        "campo_desconocido:nuevo",
    )


@pytest.mark.parametrize(
    ("nombre", "campo"),
    [
        ("influencer", "influencer_id"),
        ("influencerId", "influencer_id"),
        ("usuarioid", "usuario_id"),
        ("referer", "referrer"),
        ("userAgent", "user_agent"),
        ("ip_adress", "ip_address"),
        ("time_stamp", "timestamp"),
        ("coupon", "cupon"),
        ("Usuario_ID", "usuario_id"),
    ],
)
def test_un_nombre_que_se_parece_al_de_un_campo_que_falta_lo_propone(nombre: str, campo: str) -> None:
    assert venta(**{nombre: "x"}).advertencias == (f"campo_desconocido:{nombre}", f"quiso_decir:{campo}")
    with pytest.raises(DatosInvalidos) as invalidos:
        comando_del_cuerpo(
            clases.CONVERSIONES,
            VENTA | {nombre: "x"},
            id_asignado=lambda: "asignado",
            recibido_en=AHORA,
            estricto=True,
        )
    (fallo,) = invalidos.value.fallos
    assert (fallo.campo, fallo.codigo) == (nombre, CodigoDePeticion.CAMPO_DESCONOCIDO)
    assert fallo.mensaje == f"no es un campo conocido; ¿quiso decir {campo}?"


@pytest.mark.parametrize(("delante", "propuestos"), [(15, 1), (16, 0)])
def test_entre_muchos_campos_desconocidos_solo_se_busca_el_parecido_de_los_primeros(
    delante: int, propuestos: int
) -> None:
    desconocidos = dict.fromkeys((f"x{numero}" for numero in range(delante)), "y")
    advertencias = venta(**desconocidos, influencer="x").advertencias
    assert "campo_desconocido:influencer" in advertencias
    assert advertencias.count("quiso_decir:influencer_id") == propuestos


@pytest.mark.parametrize("estricto", [False, True])
def test_quien_escribe_la_campaña_en_ingles_lee_como_se_llama(estricto: bool) -> None:  # noqa: FBT001 (lo da parametrize)
    cuerpo = {nombre: valor for nombre, valor in VENTA.items() if nombre != "campaña_id"}
    with pytest.raises(DatosInvalidos) as invalidos:
        comando_del_cuerpo(
            clases.CONVERSIONES,
            cuerpo | {"campaign_id": "cmp-456"},
            id_asignado=lambda: "asignado",
            recibido_en=AHORA,
            estricto=estricto,
        )
    assert "¿quiso decir campaña_id?" in str(invalidos.value)


def test_no_se_propone_un_campo_que_ya_viene_ni_el_de_otra_clase() -> None:
    assert venta(influencer="x", influencer_id="y").advertencias == ("campo_desconocido:influencer",)
    assert impresion(coupon="x").advertencias == ("campo_desconocido:coupon",)


def test_con_rigor_cada_campo_desconocido_es_una_falta_y_los_demas_no() -> None:
    with pytest.raises(DatosInvalidos) as invalidos:
        comando_del_cuerpo(
            clases.CONVERSIONES,
            VENTA | {"pedido": "1", "é\x00": [], "propiedades": {"canal": "ig"}, "cupon": "A"},
            id_asignado=lambda: "asignado",
            recibido_en=AHORA,
            estricto=True,
        )
    assert [(fallo.campo, fallo.mensaje) for fallo in invalidos.value.fallos] == [
        ("pedido", "no es un campo conocido"),
        ("é\ufffd", "no es un campo conocido"),
    ]


def test_un_campo_desconocido_que_contradice_una_propiedad_se_guarda_con_otro_nombre() -> None:
    comando = venta(propiedades={"pedido": "1"}, pedido="2")
    assert comando.propiedades == {"pedido": "1", "pedido_2": "2"}
    assert comando.advertencias == ("campo_desconocido:pedido", "propiedad_repetida:pedido_2")


def test_un_campo_desconocido_que_dice_lo_mismo_que_una_propiedad_no_se_repite() -> None:
    assert venta(propiedades={"pedido": "1"}, pedido="1").propiedades == {"pedido": "1"}


def test_lo_anidado_queda_en_su_nombre_un_nivel_y_lo_demas_como_su_json() -> None:
    utm = {"source": "ig", "clics": NumeroJson("1.50"), "mas": {"a": [None, True]}, "nada": None}
    articulos = [{"sku": 'A"ñ', "qty": NumeroJson("2")}]
    comando = venta(propiedades={"utm": utm, "vacio": {}, "lista": []}, items=articulos, extra={"x": "y"})
    assert comando.propiedades == {
        "utm.source": "ig",
        "utm.clics": "1.50",
        "utm.mas": '{"a":[null,true]}',
        "vacio": "{}",
        "lista": "[]",
        "items": '[{"sku":"A\\"ñ","qty":2}]',
        "extra.x": "y",
    }
    assert comando.advertencias == ("campo_desconocido:items", "campo_desconocido:extra")


@pytest.mark.parametrize(
    ("valor", "texto"),
    [(["a"], '["a"]'), ("hola", "hola"), (NumeroJson("5"), "5"), (False, "false"), ([], "[]")],
)
def test_unas_propiedades_que_no_son_un_objeto_se_guardan_como_texto_con_aviso(
    valor: object, texto: str
) -> None:
    comando = venta(propiedades=valor)
    assert comando.propiedades == {"propiedades": texto}
    assert comando.advertencias == ("propiedades_reparadas",)


def test_los_campos_desconocidos_cuentan_con_las_propiedades_y_no_son_los_que_sobran() -> None:
    comando = venta(
        **{f"campo_{numero}": "x" for numero in range(40)},
        propiedades={f"p{numero}": "x" for numero in range(40)},
    )
    assert list(comando.propiedades) == [f"p{n}" for n in range(24)] + [f"campo_{n}" for n in range(40)]
    assert comando.advertencias[-1] == "propiedades_de_mas:16"


def test_una_propiedad_nula_se_omite_y_los_escalares_quedan_como_su_literal() -> None:
    comando = venta(propiedades={"a": None, "b": NumeroJson("1E2"), "c": False, "d": ""})
    assert comando.propiedades == {"b": "1E2", "c": "false", "d": ""}


@pytest.mark.parametrize(
    ("valor", "esperado"),
    [
        (NumeroJson("99999999999999.99"), "99999999999999.99"),
        ("99999999999999.99", "99999999999999.99"),
        (NumeroJson("1.5e3"), "1500.00"),
        ("007", "7.00"),
    ],
)
def test_el_dinero_llega_digito_por_digito(valor: object, esperado: str) -> None:
    assert str(venta(valor=valor).valor) == esperado


@pytest.mark.parametrize(
    "valor", [" 15", "15 ", "+15", "--15", "-1e3", "- 15", "1e3", "\u0661\u0662", "15.", ".5", "1,5", "1_000"]
)
def test_un_importe_escrito_de_otra_forma_es_ilegible(valor: str) -> None:
    assert fallos(valor=valor) == {"valor": Codigo.VALOR_ILEGIBLE}


@pytest.mark.parametrize(
    ("literal", "codigo"),
    [
        ("1e400", Codigo.VALOR_DEMASIADO_GRANDE),
        ("1e999999999", Codigo.VALOR_DEMASIADO_GRANDE),
        ("1e-999999999", Codigo.DEMASIADOS_DECIMALES),
        ("1e99999999999999999999", Codigo.VALOR_ILEGIBLE),
        ("-0.01", Codigo.VALOR_NEGATIVO),
    ],
)
def test_un_exponente_desmesurado_se_rechaza_sin_expandirlo(literal: str, codigo: Codigo) -> None:
    assert fallos(valor=NumeroJson(literal)) == {"valor": codigo}


@pytest.mark.parametrize(
    ("texto", "instante"),
    [
        ("2024-01-15T10:30:00Z", datetime(2024, 1, 15, 10, 30, tzinfo=UTC)),
        ("2024-01-15t05:30:00.5-05:00", datetime(2024, 1, 15, 10, 30, 0, 500000, tzinfo=UTC)),
        ("2024-01-15T10:30:00.1234567z", datetime(2024, 1, 15, 10, 30, 0, 123456, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC)),
        ("2024-01-15T10:30:00-00:00", datetime(2024, 1, 15, 10, 30, tzinfo=UTC)),
        ("2024-01-15T10:30:00-0700", datetime(2024, 1, 15, 17, 30, tzinfo=UTC)),
        ("2024-01-15T10:30:00.25+0530", datetime(2024, 1, 15, 5, 0, 0, 250000, tzinfo=UTC)),
    ],
)
def test_un_instante_rfc_3339_se_lee_en_utc(texto: str, instante: datetime) -> None:
    assert venta(timestamp=texto).timestamp == instante


@pytest.mark.parametrize(
    "texto",
    [
        "2024-01-15",
        "2024-01-15T10:30:00",
        "2024-01-15 10:30:00Z",
        "2024-02-30T00:00:00Z",
        "2024-01-15T24:00:00Z",
        "2024-01-15T10:30Z",
        "20240115T103000Z",
        "2024-01-15T10:30:00+05",
        "2024-01-15T10:30:00+05000",
        "2024-01-15T10:30:00+2400",
        "9999-12-31T23:59:59-12:00",
        "0001-01-01T00:00:00+12:00",
        "9999-12-31T23:59:60Z",
        "2024-01-15T10:30:60Z",
        "2024-01-15T23:59:60Z",
        "1705314600",
        "٢٠٢٤-01-15T10:30:00Z",
    ],
)
def test_un_instante_que_no_es_rfc_3339_con_zona_es_ilegible(texto: str) -> None:
    assert fallos(timestamp=texto) == {"timestamp": Codigo.TIMESTAMP_ILEGIBLE}


def test_un_valor_decimal_nunca_es_un_float() -> None:
    assert isinstance(venta().valor, Decimal)


_ESCALARES = (
    st.none() | st.booleans() | st.text(max_size=20) | st.integers().map(lambda n: NumeroJson(str(n)))
)
_JSON = st.recursive(
    _ESCALARES,
    lambda hijos: st.lists(hijos, max_size=3) | st.dictionaries(st.text(max_size=8), hijos),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from([*SEMILLA_IMPRESION, "valor", "moneda", "tipo_conversion", "propiedades"])
        | st.text(max_size=8),
        _JSON,
    )
)
def test_cualquier_cuerpo_acaba_en_un_comando_o_en_faltas_con_nombre(cuerpo: dict[str, object]) -> None:
    for clase in clases.CLASES:
        fallos: tuple[Fallo, ...] = ()
        try:
            comando_del_cuerpo(clase, cuerpo, id_asignado=lambda: "asignado", recibido_en=AHORA)
        except DatosInvalidos as invalidos:
            fallos = invalidos.fallos
        assert all(fallo.campo and fallo.mensaje for fallo in fallos)
