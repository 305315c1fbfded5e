"""Del JSON al comando: alias, ausencias, campos de más y todas las faltas a la vez."""

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
from alpespartners.modulos.tracking.dominio.excepciones import Codigo, CodigoDeFalta, DatosInvalidos, Fallo
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


def test_un_nombre_con_dos_grafias_y_controles_se_dice_legible() -> None:
    assert fallos(**{"e\u0301\n": "uno", "é\n": "otro"}).keys() == {"é\ufffd"}


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
        id=ausente, usuario_id=ausente, timestamp=ausente, tipo_evento=ausente, referrer=ausente
    )
    assert comando.id == "asignado"
    assert (comando.usuario_id, comando.timestamp, comando.referrer) == (None, None, None)
    assert (comando.tipo_evento, comando.advertencias) == ("IMPRESION", ())


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
        ("propiedades", ["a"]),
    ],
)
def test_un_tipo_de_json_equivocado_nombra_el_campo(campo: str, valor: object) -> None:
    assert fallos(**{campo: valor}) == {campo: CodigoDePeticion.TIPO_INCORRECTO}


def test_las_faltas_de_forma_y_de_reglas_se_dicen_juntas() -> None:
    assert fallos(campaña_id=[], valor="quince", moneda="ZZZ", timestamp="ayer", estado="x", extra={}) == {
        "campaña_id": CodigoDePeticion.TIPO_INCORRECTO,
        "valor": Codigo.VALOR_ILEGIBLE,
        "moneda": Codigo.MONEDA_DESCONOCIDA,
        "timestamp": Codigo.TIMESTAMP_ILEGIBLE,
        "estado": CodigoDePeticion.CAMPO_RESERVADO,
        "extra": CodigoDePeticion.CAMPO_DESCONOCIDO,
    }


@pytest.mark.parametrize("metadato", ["user_agent", "ip_address", "referrer"])
@pytest.mark.parametrize("valor", [NumeroJson("5"), True, ["a"], {"a": "b"}])
def test_un_metadato_de_otro_tipo_nunca_cuesta_una_venta(metadato: str, valor: object) -> None:
    comando = venta(**{metadato: valor})
    assert getattr(comando, metadato) is None
    assert len(comando.advertencias) == 1


@pytest.mark.parametrize("valor", ["a\ud800", ["\ud800"], {"a": {"\udfff": "b"}}])
def test_un_sustituto_suelto_es_una_falta_incluso_en_un_metadato(valor: object) -> None:
    assert fallos(user_agent=valor) == {"user_agent": Codigo.SUSTITUTO_SUELTO}


def test_un_error_de_tecleo_se_guarda_en_propiedades_y_se_avisa() -> None:
    comando = venta(influencerid="inf-1", cantidad=NumeroJson("1.50"), nuevo=True)
    assert comando.propiedades == {"influencerid": "inf-1", "cantidad": "1.50", "nuevo": "true"}
    assert comando.advertencias == (
        "campo_desconocido:influencerid",
        "campo_desconocido:cantidad",
        "campo_desconocido:nuevo",
    )


def test_un_campo_desconocido_que_contradice_una_propiedad_es_una_falta() -> None:
    assert fallos(propiedades={"pedido": "1"}, pedido="2") == {"pedido": Codigo.CAMPO_REPETIDO}


@pytest.mark.parametrize(
    ("nombre", "valor", "campo", "codigo"),
    [
        ("foo", "x" * 257, "foo", Codigo.LONGITUD_EXCEDIDA),
        ("foo", "\x00", "foo", Codigo.CARACTER_DE_CONTROL),
        ("foo", "\ud800", "foo", Codigo.SUSTITUTO_SUELTO),
        ("k" * 65, "x", "k" * 64, Codigo.LONGITUD_EXCEDIDA),
        ("foo\x01bar", "x", "foo\ufffdbar", Codigo.CARACTER_DE_CONTROL),
        ("", "x", "(vacío)", Codigo.REQUERIDO),
    ],
)
def test_la_falta_de_un_campo_desconocido_lo_llama_como_el_cliente(
    nombre: str, valor: str, campo: str, codigo: Codigo
) -> None:
    assert fallos(**{nombre: valor}) == {campo: codigo}


def test_la_falta_de_una_propiedad_no_se_atribuye_al_campo_desconocido_que_la_contradice() -> None:
    assert fallos(propiedades={"foo": "x" * 257}, foo="y") == {
        "foo": Codigo.CAMPO_REPETIDO,
        "propiedades.foo": Codigo.LONGITUD_EXCEDIDA,
    }


def test_los_campos_desconocidos_que_sobran_se_cuentan_con_las_propiedades_y_la_falta_lo_dice() -> None:
    with pytest.raises(DatosInvalidos) as invalidos:
        venta(**{f"campo_{numero}": "x" for numero in range(33)})
    (fallo,) = invalidos.value.fallos
    assert (fallo.campo, fallo.codigo) == ("propiedades", Codigo.DEMASIADAS_PROPIEDADES)
    assert "los campos desconocidos" in fallo.mensaje


def test_dos_nombres_largos_que_empiezan_igual_son_dos_faltas() -> None:
    with pytest.raises(DatosInvalidos) as invalidos:
        venta(**{"k" * 65: {}, "k" * 66: {}}, propiedades={"k" * 65: {}, "k" * 66: {}})
    assert [fallo.campo for fallo in invalidos.value.fallos] == [
        *[f"propiedades.{'k' * 64}"] * 2,
        *["k" * 64] * 2,
    ]


def test_una_propiedad_nula_se_omite_y_los_escalares_quedan_como_su_literal() -> None:
    comando = venta(propiedades={"a": None, "b": NumeroJson("1E2"), "c": False, "d": ""})
    assert comando.propiedades == {"b": "1E2", "c": "false", "d": ""}


def test_una_propiedad_anidada_es_una_falta() -> None:
    assert fallos(propiedades={"a": {}}) == {"propiedades.a": CodigoDePeticion.TIPO_INCORRECTO}


def test_el_nombre_de_un_campo_ajeno_se_repite_corto_y_sin_controles() -> None:
    (campo,) = fallos(**{"a\x00\ud800" * 100: {}})
    assert campo == ("a\ufffd\ufffd" * 100)[:64]


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
