"""Las reglas de cada valor del dominio."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import iso_4217
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpespartners.modulos.tracking.dominio.excepciones import (
    CampoInvalido,
    Codigo,
    CodigoDeFalta,
    DatosInvalidos,
    Recolector,
)
from alpespartners.modulos.tracking.dominio.monedas import DECIMALES, RETIRADA_EN
from alpespartners.modulos.tracking.dominio.objetos_valor import (
    TipoConversion,
    TipoEvento,
    ValorConversion,
    advertencias_ajenas,
    id_consultable,
    id_de_evento,
    identificador,
    identificador_opcional,
    recibido_en_creible,
    timestamp_creible,
    tipo,
)

AHORA = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)
INSTANTES = st.integers(0, 30 * 365 * 24).map(lambda h: datetime(2000, 1, 1, tzinfo=UTC) + timedelta(hours=h))


def importe(valor: Decimal | None, moneda: str, ocurrido_en: datetime | None = AHORA) -> ValorConversion:
    recolector = Recolector()
    creado = ValorConversion.crear(valor, moneda, ocurrido_en, recolector)
    recolector.exigir()
    return creado


def codigos(invalidos: pytest.ExceptionInfo[DatosInvalidos]) -> dict[str, CodigoDeFalta]:
    return {fallo.campo: fallo.codigo for fallo in invalidos.value.fallos}


def codigo_de(invalido: pytest.ExceptionInfo[CampoInvalido]) -> CodigoDeFalta:
    return invalido.value.fallo.codigo


@pytest.mark.parametrize("texto", ["imp-123", "FV/2024/001", "a/destino", "a b%c?d#e", "ñandú-1", "x" * 128])
def test_los_identificadores_como_los_usa_la_gente_valen_tal_cual(texto: str) -> None:
    assert id_de_evento(texto) == texto


@pytest.mark.parametrize(
    ("texto", "codigo"),
    [
        ("", Codigo.REQUERIDO),
        ("x" * 129, Codigo.LONGITUD_EXCEDIDA),
        ("a\x00b", Codigo.CARACTER_DE_CONTROL),
        ("a\nb", Codigo.CARACTER_DE_CONTROL),
        ("a\x85b", Codigo.CARACTER_DE_CONTROL),
        (" a", Codigo.ESPACIO_EN_LOS_EXTREMOS),
        ("a\u3000", Codigo.ESPACIO_EN_LOS_EXTREMOS),
        ("a\ud800", Codigo.SUSTITUTO_SUELTO),
        (".", Codigo.ID_NO_DIRECCIONABLE),
        ("..", Codigo.ID_NO_DIRECCIONABLE),
    ],
)
def test_un_identificador_que_incumple_la_regla_dice_cual(texto: str, codigo: Codigo) -> None:
    with pytest.raises(CampoInvalido) as invalido:
        id_de_evento(texto)
    assert codigo_de(invalido) is codigo
    assert id_consultable(texto) is None


def test_un_identificador_descompuesto_es_el_mismo_que_compuesto() -> None:
    assert identificador("campaña_id", "n\u0303") == "ñ"


def test_la_longitud_de_un_identificador_se_mide_ya_compuesto() -> None:
    assert identificador("campaña_id", "n\u0303" * 128) == "ñ" * 128


@given(st.text(st.characters(max_codepoint=127), max_size=130))
def test_un_identificador_ascii_vale_si_y_solo_si_cumple_toda_la_regla(texto: str) -> None:
    cumple = 1 <= len(texto) <= 128 and texto == texto.strip() and not re.search(r"[\x00-\x1f\x7f]", texto)
    try:
        assert identificador("campo", texto) == texto
    except CampoInvalido:
        assert not cumple
    else:
        assert cumple


@pytest.mark.parametrize("texto", [None, ""])
def test_un_identificador_opcional_vacio_es_ausente(texto: str | None) -> None:
    assert identificador_opcional("usuario_id", texto) is None


@given(st.text(max_size=200))
def test_normalizar_un_identificador_dos_veces_es_como_una(texto: str) -> None:
    try:
        una_vez = identificador("id", texto)
    except CampoInvalido:
        return
    assert identificador("id", una_vez) == una_vez


@pytest.mark.parametrize("texto", ["clic", "CLIC", "Clic"])
def test_el_tipo_no_distingue_mayusculas(texto: str) -> None:
    assert tipo("tipo_evento", texto, TipoEvento) is TipoEvento.CLIC


@pytest.mark.parametrize("texto", ["COMPRA", "\u0131MPRESION", "CLIC ", "name"])
def test_un_tipo_desconocido_enumera_los_permitidos(texto: str) -> None:
    with pytest.raises(CampoInvalido) as invalido:
        tipo("tipo_evento", texto, TipoEvento)
    assert invalido.value.fallo.mensaje == "debe ser uno de: IMPRESION, CLIC, VISUALIZACION"


def test_un_tipo_que_falta_no_es_un_tipo_desconocido() -> None:
    with pytest.raises(CampoInvalido) as invalido:
        tipo("tipo_conversion", "", TipoConversion)
    assert codigo_de(invalido) is Codigo.REQUERIDO


def test_los_tipos_de_conversion_son_los_del_contrato() -> None:
    assert [*TipoConversion] == ["VENTA", "REGISTRO", "SUSCRIPCION", "DESCARGA", "FORMULARIO", "OTRA"]


def creible(
    timestamp: datetime | None, propiedades: Mapping[str, str] | None = None
) -> tuple[datetime | None, Mapping[str, str], list[str]]:
    recolector = Recolector()
    instante, resultantes = timestamp_creible(timestamp, AHORA, propiedades or {}, recolector)
    recolector.exigir()
    return instante, resultantes, recolector.avisos


def test_un_instante_se_guarda_en_utc() -> None:
    bogota = datetime(2026, 1, 15, 5, 30, tzinfo=timezone(timedelta(hours=-5)))
    valido, _, avisos = creible(bogota)
    assert valido is not None
    assert (valido, valido.tzinfo, avisos) == (AHORA, UTC, [])


@pytest.mark.parametrize(
    ("timestamp", "escrito"),
    [
        (datetime(1970, 1, 1, 0, 0, 7, tzinfo=UTC), "1970-01-01T00:00:07Z"),
        (datetime(1999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), "1999-12-31T23:59:59.999999Z"),
        (AHORA + timedelta(hours=24, microseconds=1), "2026-01-16T10:30:00.000001Z"),
        (datetime(2040, 1, 1, tzinfo=timezone(timedelta(hours=-5))), "2040-01-01T05:00:00Z"),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00Z"),
    ],
)
def test_un_reloj_que_no_se_puede_creer_queda_en_una_propiedad_y_se_avisa(
    timestamp: datetime, escrito: str
) -> None:
    esperadas = {"timestamp_recibido": escrito, "canal": "ig"}
    assert creible(timestamp, {"canal": "ig"}) == (None, esperadas, ["timestamp_fuera_de_rango"])


def test_lo_que_vino_de_un_reloj_increible_es_la_primera_de_las_propiedades() -> None:
    _, propiedades, _ = creible(datetime(1970, 1, 1, tzinfo=UTC), {str(numero): "" for numero in range(64)})
    assert (next(iter(propiedades)), len(propiedades)) == ("timestamp_recibido", 65)


def test_si_el_cliente_usaba_esa_propiedad_para_otra_cosa_cede_y_se_avisa() -> None:
    _, propiedades, avisos = creible(datetime(1970, 1, 1, tzinfo=UTC), {"timestamp_recibido": "ayer"})
    assert propiedades == {"timestamp_recibido": "1970-01-01T00:00:00Z"}
    assert avisos == ["timestamp_fuera_de_rango", "propiedad_sustituida:timestamp_recibido"]


def test_la_propiedad_del_cliente_se_respeta_si_su_reloj_se_puede_creer() -> None:
    assert creible(AHORA, {"timestamp_recibido": "ayer"}) == (AHORA, {"timestamp_recibido": "ayer"}, [])


def test_los_extremos_del_intervalo_creible_valen() -> None:
    for timestamp in (datetime(2000, 1, 1, tzinfo=UTC), AHORA + timedelta(hours=24)):
        assert creible(timestamp)[0] == timestamp


def test_la_tabla_de_monedas_vigentes_es_la_lista_activa_de_iso_4217_con_unidad_menor() -> None:
    oficial = {moneda.name: moneda.subunit_exp for moneda in iso_4217.Currency if moneda.entities}
    vigentes = {codigo: suyos for codigo, suyos in DECIMALES.items() if codigo not in RETIRADA_EN}
    assert vigentes == {codigo: suyos for codigo, suyos in oficial.items() if suyos is not None}


def test_la_tabla_de_monedas_retiradas_es_la_lista_historica_de_iso_4217_desde_el_año_2000() -> None:
    """La lista da un mes, unas veces el último con la moneda y otras el primero sin ella."""
    oficial = {
        moneda.name: moneda.withdrew_entities[-1].time.end
        for moneda in iso_4217.Currency
        if not moneda.entities and moneda.withdrew_entities[-1].time.end.year >= 2000
    }
    sin_unidad_menor = {"XFO", "XFU"}
    assert RETIRADA_EN.keys() == oficial.keys() - sin_unidad_menor
    for codigo, retirada_en in RETIRADA_EN.items():
        ultimo_dia = retirada_en - timedelta(days=1)
        meses = {(ultimo_dia.year, ultimo_dia.month), (retirada_en.year, retirada_en.month)}
        assert (oficial[codigo].year, oficial[codigo].month) in meses, codigo


@pytest.mark.parametrize(
    ("moneda", "ultimo_dia"),
    [
        ("BGN", datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("HRK", datetime(2022, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("LTL", datetime(2014, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("DEM", datetime(2002, 2, 28, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_una_moneda_retirada_vale_para_lo_que_ocurrio_mientras_existio(
    moneda: str, ultimo_dia: datetime
) -> None:
    assert importe(Decimal("10.5"), moneda.lower(), ultimo_dia) == ValorConversion(Decimal("10.50"), moneda)
    with pytest.raises(DatosInvalidos) as invalidos:
        importe(Decimal("10.5"), moneda, ultimo_dia + timedelta(seconds=1))
    (fallo,) = invalidos.value.fallos
    assert fallo.codigo is Codigo.MONEDA_DESCONOCIDA
    assert f"antes de {ultimo_dia + timedelta(seconds=1):%Y-%m-%d}" in fallo.mensaje
    assert moneda not in fallo.mensaje


@given(st.sampled_from(sorted(DECIMALES)), INSTANTES)
def test_una_moneda_vale_hasta_que_se_retira_y_antes_de_existir_tambien(
    moneda: str, ocurrido_en: datetime
) -> None:
    """Un reloj algo atrasado no cuesta la primera venta en una moneda nueva."""
    vale = moneda not in RETIRADA_EN or ocurrido_en < RETIRADA_EN[moneda]
    try:
        importe(Decimal(1), moneda, ocurrido_en)
    except DatosInvalidos:
        assert not vale
    else:
        assert vale


def test_sin_saber_cuando_ocurrio_una_moneda_retirada_no_es_una_falta() -> None:
    assert importe(Decimal(1), "BGN", None).moneda == "BGN"


@pytest.mark.parametrize(
    ("guardado", "moneda", "leido"),
    [("10.5000", "BGN", "10.50"), ("10.0000", "ITL", "10"), ("10.5000", "ITL", "10.5000")],
)
def test_lo_guardado_en_una_moneda_retirada_se_lee_con_sus_decimales_si_asi_no_cambia(
    guardado: str, moneda: str, leido: str
) -> None:
    assert str(ValorConversion.leer(Decimal(guardado), moneda).valor) == leido


@pytest.mark.parametrize(
    ("valor", "moneda", "esperado"),
    [
        ("150000.0", "COP", "150000.00"),
        ("150000.00", "cop", "150000.00"),
        ("99999999999999.99", "USD", "99999999999999.99"),
        ("0.1", "EUR", "0.10"),
        ("1.5E+3", "USD", "1500.00"),
        ("1000", "JPY", "1000"),
        ("1000.000", "JPY", "1000"),
        ("1.2345", "CLF", "1.2345"),
        ("1.500", "BHD", "1.500"),
        ("0", "COP", "0.00"),
        ("0E+999999", "COP", "0.00"),
        ("-0.0", "COP", "0.00"),
        ("1." + "0" * 60, "COP", "1.00"),
    ],
)
def test_un_importe_queda_con_los_decimales_de_su_moneda(valor: str, moneda: str, esperado: str) -> None:
    creado = importe(Decimal(valor), moneda)
    assert (str(creado.valor), creado.moneda) == (esperado, moneda.upper())


@pytest.mark.parametrize(
    ("valor", "moneda", "codigo"),
    [
        ("-1", "COP", Codigo.VALOR_NEGATIVO),
        ("100000000000000", "COP", Codigo.VALOR_DEMASIADO_GRANDE),
        ("1E+999999999", "COP", Codigo.VALOR_DEMASIADO_GRANDE),
        ("1E-999999999", "COP", Codigo.DEMASIADOS_DECIMALES),
        ("0.001", "COP", Codigo.DEMASIADOS_DECIMALES),
        ("10.5", "JPY", Codigo.DEMASIADOS_DECIMALES),
        ("1.0000000000000000000000000000000000001", "COP", Codigo.DEMASIADOS_DECIMALES),
        ("NaN", "COP", Codigo.VALOR_ILEGIBLE),
        ("Infinity", "COP", Codigo.VALOR_ILEGIBLE),
        ("1", "XAU", Codigo.MONEDA_DESCONOCIDA),
        ("1", "XXX", Codigo.MONEDA_DESCONOCIDA),
        ("1", "PESOS", Codigo.MONEDA_DESCONOCIDA),
        ("1", "ßGP", Codigo.MONEDA_DESCONOCIDA),
        ("1", "u\u017fd", Codigo.MONEDA_DESCONOCIDA),
        ("1", "GQE", Codigo.MONEDA_DESCONOCIDA),
    ],
)
def test_un_importe_que_incumple_la_regla_dice_cual(valor: str, moneda: str, codigo: Codigo) -> None:
    with pytest.raises(DatosInvalidos) as invalidos:
        importe(Decimal(valor), moneda)
    assert [*codigos(invalidos).values()] == [codigo]


@given(
    st.decimals(min_value=0, max_value=Decimal("99999999999999.99"), places=2, allow_nan=False),
    st.integers(min_value=0, max_value=20),
)
def test_ningun_importe_pierde_ni_gana_nada(valor: Decimal, ceros: int) -> None:
    con_ceros = Decimal(f"{valor}{'0' * ceros}")
    creado = importe(con_ceros, "COP").valor
    assert creado == valor
    assert importe(creado, "COP").valor == creado


def test_un_importe_y_una_moneda_malos_se_dicen_a_la_vez() -> None:
    with pytest.raises(DatosInvalidos) as invalidos:
        importe(Decimal(-1), "XXX")
    assert codigos(invalidos) == {"moneda": Codigo.MONEDA_DESCONOCIDA, "valor": Codigo.VALOR_NEGATIVO}


@pytest.mark.parametrize("recibido_en", [None, AHORA - timedelta(days=2), AHORA + timedelta(days=2)])
def test_un_recibido_en_que_falta_o_no_es_creible_vale_el_de_la_publicacion(
    recibido_en: datetime | None,
) -> None:
    assert recibido_en_creible(recibido_en, AHORA) == (AHORA, ("recibido_en_sustituido",))


def test_un_recibido_en_creible_se_respeta() -> None:
    recibido_en = AHORA - timedelta(hours=24)
    assert recibido_en_creible(recibido_en, AHORA) == (recibido_en, ())


def test_las_advertencias_ajenas_se_acotan() -> None:
    acotadas = advertencias_ajenas(["x\x00" * 500] * 100)
    assert len(acotadas) == 64
    assert acotadas[0] == ("x\ufffd" * 500)[:128]


def test_un_importe_ajeno_que_no_cabria_se_lee_tal_cual() -> None:
    enorme = Decimal("1" * 30)
    assert ValorConversion.leer(enorme, "COP") == ValorConversion(enorme, "COP")
