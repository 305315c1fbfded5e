"""El contenido: lo que el cliente dijo, y cuándo dos envíos dicen lo mismo."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import assume, given

from alpespartners.modulos.tracking.aplicacion.comandos import RegistrarConversion, RegistrarImpresion
from alpespartners.modulos.tracking.dominio.contenido import ContenidoConversion, ContenidoImpresion
from alpespartners.modulos.tracking.dominio.entidades import Impresion
from alpespartners.modulos.tracking.dominio.excepciones import (
    Codigo,
    CodigoDeFalta,
    DatosInvalidos,
    Recolector,
)
from alpespartners.modulos.tracking.dominio.objetos_valor import ValorConversion
from tests.apoyo.estrategias import comandos_de_conversion

AHORA = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)
IMPRESION = RegistrarImpresion(
    id="imp-123",
    campaña_id="cmp-456",
    influencer_id="inf-789",
    usuario_id="usr-101",
    tipo_evento="IMPRESION",
    user_agent="Mozilla/5.0...",
    ip_address="192.168.1.1",
    referrer="https://instagram.com",
    timestamp=AHORA - timedelta(minutes=1),
    recibido_en=AHORA,
    propiedades={},
    advertencias=(),
)
CONVERSION = RegistrarConversion(
    id="conv-123",
    campaña_id="cmp-456",
    influencer_id=None,
    usuario_id=None,
    tipo_conversion="VENTA",
    valor=Decimal("150000.0"),
    moneda="COP",
    user_agent=None,
    ip_address=None,
    referrer=None,
    timestamp=None,
    recibido_en=AHORA,
    propiedades={},
    advertencias=(),
)


def contenido(**cambios: object) -> ContenidoConversion:
    return ContenidoConversion.crear(replace(CONVERSION, **cambios), AHORA, Recolector())  # type: ignore[arg-type]


def fallos(**cambios: object) -> dict[str, CodigoDeFalta]:
    with pytest.raises(DatosInvalidos) as invalidos:
        contenido(**cambios)
    return {fallo.campo: fallo.codigo for fallo in invalidos.value.fallos}


def test_todas_las_faltas_se_dicen_a_la_vez() -> None:
    assert fallos(id="", campaña_id="", tipo_conversion="X", valor=Decimal(-1), influencer_id=" a") == {
        "id": Codigo.REQUERIDO,
        "campaña_id": Codigo.REQUERIDO,
        "tipo_conversion": Codigo.VALOR_NO_PERMITIDO,
        "valor": Codigo.VALOR_NEGATIVO,
        "influencer_id": Codigo.ESPACIO_EN_LOS_EXTREMOS,
    }


def test_ninguna_falta_repite_el_valor_enviado() -> None:
    with pytest.raises(DatosInvalidos) as invalidos:
        contenido(campaña_id="secreto\x00", moneda="SECRETO", usuario_id=" secreto")
    assert "secreto" not in str(invalidos.value).lower()


def test_una_venta_exige_valor() -> None:
    assert fallos(valor=None) == {"valor": Codigo.REQUERIDO}


def test_a_una_venta_sin_nada_le_faltan_el_valor_y_la_moneda() -> None:
    assert fallos(valor=None, moneda=None) == {"valor": Codigo.REQUERIDO, "moneda": Codigo.REQUERIDO}


def test_un_valor_exige_moneda() -> None:
    assert fallos(moneda=None) == {"moneda": Codigo.REQUERIDO}


def test_un_valor_sin_moneda_se_juzga_igual_y_ninguna_moneda_lo_admite() -> None:
    assert fallos(valor=Decimal(-3), moneda=None) == {
        "valor": Codigo.VALOR_NEGATIVO,
        "moneda": Codigo.REQUERIDO,
    }
    with pytest.raises(DatosInvalidos, match="ninguna moneda admite más de 4 decimales"):
        contenido(valor=Decimal("1.00001"), moneda=None)


def test_un_comando_lleva_un_decimal_y_nada_en_el_es_ambiguo() -> None:
    """Lo que ya estaba en un tópico se juzga como cuando se aceptó."""
    assert contenido(valor=Decimal("150.000")).valor == ValorConversion(Decimal("150.00"), "COP")


def test_la_moneda_se_juzga_por_cuando_ocurrio_y_un_reloj_adelantado_no_la_retira() -> None:
    ultima_tarde = datetime(2025, 12, 31, 20, tzinfo=UTC)
    comando = replace(CONVERSION, moneda="BGN", timestamp=ultima_tarde + timedelta(hours=9))
    recolector = Recolector()
    creado = ContenidoConversion.crear(comando, ultima_tarde, recolector)
    assert (creado.valor, recolector.avisos) == (
        ValorConversion(Decimal("150000.00"), "BGN"),
        ["reloj_adelantado"],
    )
    assert fallos(moneda="BGN", timestamp=None) == {"moneda": Codigo.MONEDA_DESCONOCIDA}
    assert fallos(moneda="BGN", timestamp=datetime(1970, 1, 1, tzinfo=UTC)) == {
        "moneda": Codigo.MONEDA_DESCONOCIDA
    }


@pytest.mark.parametrize("timestamp", [datetime(1970, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)])
def test_un_contenido_de_un_reloj_increible_vuelve_a_validarse_igual(timestamp: datetime) -> None:
    """La API lo juzga, y el consumidor otra vez: ninguno añade nada a lo que dijo el otro."""
    primero = contenido(timestamp=timestamp, propiedades={"canal": "ig", "timestamp_recibido": "ayer"})
    recolector = Recolector()
    segundo = ContenidoConversion.crear(
        RegistrarConversion(**primero.campos(), recibido_en=AHORA, advertencias=()), AHORA, recolector
    )
    assert (segundo, recolector.avisos) == (primero, [])


def test_un_registro_no_exige_valor() -> None:
    assert contenido(tipo_conversion="REGISTRO", valor=None, moneda=None).valor is None


def test_una_moneda_sin_valor_se_conserva() -> None:
    assert contenido(tipo_conversion="REGISTRO", valor=None).valor == ValorConversion(None, "COP")


@pytest.mark.parametrize(
    "igual",
    [
        {"valor": Decimal("150000.00")},
        {"moneda": "cop"},
        {"tipo_conversion": "venta"},
        {"influencer_id": ""},
        {"referrer": "no es una url"},
    ],
)
def test_lo_que_se_normaliza_igual_es_el_mismo_contenido(igual: dict[str, object]) -> None:
    assert contenido(**igual) == contenido()


@pytest.mark.parametrize(
    ("distinto", "campos"),
    [
        ({"valor": Decimal("150000.01")}, ("valor",)),
        ({"valor": Decimal(1), "moneda": "USD"}, ("valor", "moneda")),
        ({"propiedades": {"a": "b"}}, ("propiedades",)),
        ({"timestamp": AHORA}, ("timestamp",)),
        ({"user_agent": "x", "campaña_id": "otra"}, ("campaña_id", "user_agent")),
    ],
)
def test_dos_contenidos_distintos_nombran_los_campos_en_que_difieren(
    distinto: dict[str, object], campos: tuple[str, ...]
) -> None:
    assert contenido(**distinto) != contenido()
    assert contenido().campos_distintos(contenido(**distinto)) == campos


@pytest.mark.parametrize(
    ("contenido_de_su_clase", "propios"),
    [
        (ContenidoImpresion.crear(IMPRESION, AHORA, Recolector()), {"tipo_evento"}),
        (
            ContenidoConversion.crear(CONVERSION, AHORA, Recolector()),
            {"tipo_conversion", "valor", "moneda", "cupon"},
        ),
    ],
)
def test_cada_campo_decide_el_dinero_o_solo_describe(
    contenido_de_su_clase: ContenidoImpresion | ContenidoConversion, propios: set[str]
) -> None:
    de_quien = {"campaña_id", "influencer_id", "usuario_id", "clic_id"}
    describen = {"user_agent", "ip_address", "referrer", "timestamp", "propiedades"}
    campos = contenido_de_su_clase.campos().keys()
    assert set(contenido_de_su_clase.decisivos_entre(campos)) == de_quien | propios
    assert campos == {"id"} | de_quien | propios | describen


@given(uno=comandos_de_conversion(), otro=comandos_de_conversion())
def test_nada_de_lo_que_describe_hace_de_un_reintento_un_conflicto(
    uno: RegistrarConversion, otro: RegistrarConversion
) -> None:
    reintento = replace(
        uno,
        user_agent=otro.user_agent,
        ip_address=otro.ip_address,
        referrer=otro.referrer,
        timestamp=otro.timestamp,
        # Con él entre las propiedades, quien no tiene cupón o clic lo tendría.
        propiedades={
            clave: valor for clave, valor in otro.propiedades.items() if clave not in {"cupon", "clic_id"}
        },
    )
    assume(uno.propiedades.keys().isdisjoint({"cupon", "clic_id"}))
    antes, despues = (ContenidoConversion.crear(c, AHORA, Recolector()) for c in (uno, reintento))
    assert antes.decisivos_entre(antes.campos_distintos(despues)) == ()


def test_sin_tipo_es_una_impresion() -> None:
    creado = ContenidoImpresion.crear(replace(IMPRESION, tipo_evento=""), AHORA, Recolector())
    assert creado == ContenidoImpresion.crear(IMPRESION, AHORA, Recolector())


def test_un_reloj_que_coincide_con_el_del_servidor_no_va_adelantado() -> None:
    recolector = Recolector()
    ContenidoImpresion.crear(replace(IMPRESION, timestamp=AHORA), AHORA, recolector)
    assert recolector.avisos == []


def test_un_reloj_adelantado_deja_aviso_y_no_escribe_el_futuro() -> None:
    recolector = Recolector()
    creado = ContenidoImpresion.crear(
        replace(IMPRESION, timestamp=AHORA + timedelta(hours=1)), AHORA, recolector
    )
    impresion = Impresion(
        contenido=creado, comando_id="c", huella=None, recibido_en=AHORA, registrado_en=AHORA, advertencias=()
    )
    assert recolector.avisos == ["reloj_adelantado"]
    assert impresion.ocurrido_en == AHORA
    assert creado.timestamp == AHORA + timedelta(hours=1)


def test_un_evento_ocurrio_cuando_dice_su_timestamp_o_cuando_se_recibio() -> None:
    for timestamp, esperado in ((AHORA - timedelta(days=3), AHORA - timedelta(days=3)), (None, AHORA)):
        impresion = Impresion(
            contenido=ContenidoImpresion.crear(replace(IMPRESION, timestamp=timestamp), AHORA, Recolector()),
            comando_id="c",
            huella=None,
            recibido_en=AHORA,
            registrado_en=AHORA,
            advertencias=(),
        )
        assert impresion.ocurrido_en == esperado


def test_el_contenido_validado_vuelve_a_validarse_igual() -> None:
    primero = contenido(propiedades={"n\u0303": "a"}, user_agent="x" * 2000, ip_address="::ffff:1.2.3.4")
    recolector = Recolector()
    segundo = ContenidoConversion.crear(
        RegistrarConversion(**primero.campos(), recibido_en=AHORA, advertencias=()), AHORA, recolector
    )
    assert (segundo, recolector.avisos) == (primero, [])


def test_el_cupon_es_parte_del_contenido_y_vacio_vale_ausente() -> None:
    assert contenido(cupon="ANA10").campos_distintos(contenido(cupon="LUIS10")) == ("cupon",)
    assert contenido(cupon="") == contenido()


@pytest.mark.parametrize(
    ("cupon", "codigo"), [("x" * 65, Codigo.LONGITUD_EXCEDIDA), ("a\x00", Codigo.CARACTER_DE_CONTROL)]
)
def test_un_cupon_que_no_vale_es_una_falta(cupon: str, codigo: Codigo) -> None:
    assert fallos(cupon=cupon) == {"cupon": codigo}


def test_un_envio_que_se_registro_antes_de_que_hubiera_cupon_es_el_mismo_al_repetirse() -> None:
    antes = contenido(propiedades={"cupon": "ANA10", "canal": "ig"})
    repetido = contenido(cupon="ANA10", propiedades={"canal": "ig"})
    assert antes.campos_distintos(repetido) == repetido.campos_distintos(antes) == ()
    assert antes.campos_distintos(contenido(cupon="LUIS10", propiedades={"canal": "ig"})) == ("cupon",)
    assert antes.propiedades == {"cupon": "ANA10", "canal": "ig"}
    assert antes.decisivos_entre(antes.campos_distintos(contenido(cupon="LUIS10"))) == ("cupon",)


def test_un_cupon_vacio_entre_las_propiedades_de_antes_tambien_vale_ausente() -> None:
    assert contenido(propiedades={"cupon": ""}).campos_distintos(contenido()) == ()


def test_el_clic_es_parte_del_contenido_y_vacio_vale_ausente() -> None:
    assert contenido(clic_id="clic-1").campos_distintos(contenido(clic_id="clic-2")) == ("clic_id",)
    assert contenido(clic_id="clic-1").decisivos_entre(("clic_id",)) == ("clic_id",)
    assert contenido(clic_id="") == contenido()


def test_un_envio_que_se_registro_antes_de_que_hubiera_clic_es_el_mismo_al_repetirse() -> None:
    antes = contenido(propiedades={"clic_id": "clic-1", "canal": "ig"})
    repetido = contenido(clic_id="clic-1", propiedades={"canal": "ig"})
    assert antes.campos_distintos(repetido) == repetido.campos_distintos(antes) == ()


@pytest.mark.parametrize("clic_id", ["x" * 129, "a\x00", " clic-1", "\ud800"])
def test_una_conversion_no_se_rechaza_por_su_clic_y_lo_que_venia_no_se_pierde(clic_id: str) -> None:
    recolector = Recolector()
    suyo = ContenidoConversion.crear(replace(CONVERSION, clic_id=clic_id), AHORA, recolector)
    assert suyo.clic_id is None
    assert suyo.propiedades.keys() == {"clic_id_recibido"}
    assert recolector.avisos[0] == "clic_id_ilegible"


def test_un_clic_que_no_puede_serlo_desplaza_a_la_propiedad_que_se_llamaba_como_la_suya() -> None:
    recolector = Recolector()
    enviado = replace(CONVERSION, clic_id=" clic-1", propiedades={"clic_id_recibido": "otra cosa"})
    suyo = ContenidoConversion.crear(enviado, AHORA, recolector)
    assert suyo.propiedades == {"clic_id_recibido": " clic-1"}
    assert recolector.avisos == ["clic_id_ilegible", "propiedad_sustituida:clic_id_recibido"]
