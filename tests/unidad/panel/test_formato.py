"""Cómo escribe el panel lo que se lee: sin perder una cifra, y sin que se pueda leer de otra manera."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpespartners.modulos.informes.dominio.metricas import Razon
from alpespartners.modulos.tracking.dominio.monedas import DECIMALES
from alpespartners.panel import formato
from alpespartners.panel.idiomas import Idioma

ESPAÑOL, INGLES = Idioma
FINO, MENOS, FIJO = formato.ESPACIO_FINO, formato.MENOS, "\N{NO-BREAK SPACE}"
COMA = {ESPAÑOL: ",", INGLES: "."}

idiomas = st.sampled_from(Idioma)
decimales = st.decimals(allow_nan=False, allow_infinity=False)
momentos = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
zonas = st.sampled_from(["UTC", "America/Bogota", "Europe/Madrid", "Asia/Kolkata", "America/St_Johns"])


def leido(texto: str, idioma: Idioma) -> Decimal:
    return Decimal(texto.replace(FINO, "").replace(MENOS, "-").replace(COMA[idioma], "."))


def segun_se_lee(texto: str) -> datetime:
    dia, mes, año, hora, distancia = texto.replace(",", "").split(" ")
    numero_de_mes = next(
        numero for numero in range(1, 13) if formato.fecha(date(2000, numero, 1), ESPAÑOL).split()[1] == mes
    )
    desplazamiento = distancia.removeprefix("UTC").replace(MENOS, "-") or "+00:00"
    return datetime.fromisoformat(f"{año}-{numero_de_mes:02}-{int(dia):02}T{hora}{desplazamiento}")


@given(st.integers())
def test_de_un_recuento_se_lee_el_mismo_numero(cuantos: int) -> None:
    texto = formato.cantidad(cuantos)
    assert leido(texto, ESPAÑOL) == cuantos
    assert re.fullmatch(rf"{MENOS}?\d{{1,3}}(?:{FINO}\d{{3}})*", texto)


@given(decimales, idiomas, st.integers(0, 6))
def test_de_un_decimal_se_lee_el_mismo_con_todas_sus_cifras(
    valor: Decimal, idioma: Idioma, cuantos: int
) -> None:
    texto = formato.numero(valor, idioma, cuantos)
    assert leido(texto, idioma) == valor
    assert len(texto.partition(COMA[idioma])[2]) >= cuantos


@given(decimales, idiomas)
def test_la_coma_y_el_punto_solo_separan_decimales(valor: Decimal, idioma: Idioma) -> None:
    texto = formato.numero(valor, idioma)
    (otra,) = set(COMA.values()) - {COMA[idioma]}
    assert otra not in texto
    assert texto.count(COMA[idioma]) <= 1
    assert " " not in texto
    assert "-" not in texto


@given(decimales, st.sampled_from(sorted(DECIMALES)), idiomas)
def test_un_importe_lleva_su_moneda_y_al_menos_los_decimales_de_ella(
    valor: Decimal, moneda: str, idioma: Idioma
) -> None:
    cifras, _, suya = formato.importe(valor, moneda, idioma).partition(FIJO)
    assert (leido(cifras, idioma), suya) == (valor, moneda)
    assert len(cifras.partition(COMA[idioma])[2]) >= DECIMALES[moneda]


@pytest.mark.parametrize(
    ("valor", "moneda", "idioma", "texto"),
    [
        ("150000", "COP", ESPAÑOL, "150 000,00 COP"),
        ("150000", "COP", INGLES, "150 000.00 COP"),
        ("1500", "JPY", ESPAÑOL, "1 500 JPY"),
        ("1.5", "KWD", ESPAÑOL, "1,500 KWD"),
        ("-0.5", "EUR", ESPAÑOL, "−0,50 EUR"),
        ("-0.00", "EUR", ESPAÑOL, "0,00 EUR"),
        ("1E+3", "EUR", INGLES, "1 000.00 EUR"),
        ("12345678901234567890123456789.01", "EUR", ESPAÑOL, "12 345 678 901 234 567 890 123 456 789,01 EUR"),
    ],
)
def test_un_importe_se_escribe_asi(valor: str, moneda: str, idioma: Idioma, texto: str) -> None:
    escrito = formato.importe(Decimal(valor), moneda, idioma)
    assert escrito.replace(FINO, " ").replace(FIJO, " ") == texto


@pytest.mark.parametrize(
    ("razon", "porcentaje", "en_pesos"),
    [
        (Razon(13, 400), "3,25 %", "0,03 COP"),
        (Razon(1, 3), "33,33 %", "0,33 COP"),
        (Razon(0, 3), "0,00 %", "0,00 COP"),
        (Razon(Decimal("-1.5"), 1), "−150,00 %", "−1,50 COP"),
        (Razon(5, 0), "–", "–"),
    ],
)
def test_una_razon_sin_denominador_no_es_un_cero(razon: Razon, porcentaje: str, en_pesos: str) -> None:
    assert formato.porcentaje(razon, ESPAÑOL).replace(FIJO, " ") == porcentaje
    assert formato.razon_en_dinero(razon, "COP", ESPAÑOL).replace(FIJO, " ") == en_pesos


recuentos = st.integers(0, 10**12)
importes = st.decimals(0, 10**14, places=4)


@given(recuentos, st.integers(1, 10**12))
def test_un_porcentaje_se_redondea_una_sola_vez(numerador: int, denominador: int) -> None:
    exacto = round(Fraction(100 * numerador, denominador), 2)
    for texto in (
        formato.porcentaje(Razon(numerador, denominador), ESPAÑOL),
        formato.parte(numerador, denominador, ESPAÑOL),
    ):
        assert Fraction(leido(texto.removesuffix(f"{FIJO}%"), ESPAÑOL)) == exacto


@given(st.one_of(st.tuples(recuentos, recuentos), st.tuples(importes, importes)))
def test_un_cambio_se_redondea_una_sola_vez(
    ahora_y_antes: tuple[int, int] | tuple[Decimal, Decimal],
) -> None:
    ahora, antes = ahora_y_antes
    texto = formato.variacion(ahora, antes, INGLES)
    if antes == 0:
        assert texto == formato.NADA
    else:
        exacto = round(100 * (Fraction(ahora) - Fraction(antes)) / Fraction(antes), 2)
        assert Fraction(leido(texto.removesuffix(f"{FIJO}%"), INGLES)) == exacto
        assert texto[0] == (MENOS if ahora < antes else "+" if ahora > antes else "0")


@given(importes, st.integers(1, 10**9), st.sampled_from(["COP", "JPY", "KWD"]))
def test_una_razon_en_dinero_se_redondea_una_sola_vez(importe: Decimal, clics: int, moneda: str) -> None:
    exacto = round(Fraction(importe) / clics, DECIMALES[moneda])
    texto = formato.razon_en_dinero(Razon(importe, clics), moneda, ESPAÑOL)
    assert Fraction(leido(texto.removesuffix(f"{FIJO}{moneda}"), ESPAÑOL)) == exacto


def test_la_ultima_cifra_es_la_de_la_razon_y_no_la_de_la_razon_redondeada() -> None:
    assert formato.porcentaje(Razon(63, 103), ESPAÑOL).replace(FIJO, " ") == "61,17 %"


def test_los_meses_van_con_letras_y_en_el_idioma_de_quien_mira() -> None:
    meses = {idioma: [formato.fecha(date(2026, mes, 9), idioma) for mes in range(1, 13)] for idioma in Idioma}
    assert meses[ESPAÑOL][0] == "9 ene 2026"
    assert meses[INGLES][0] == "9 Jan 2026"
    for escritos in meses.values():
        assert len(set(escritos)) == 12
        assert all(re.fullmatch(r"9 [A-Za-z]{3,4} 2026", escrito) for escrito in escritos)


@given(momentos, zonas)
def test_de_un_instante_se_lee_el_mismo_en_cualquier_zona(momento: datetime, zona: str) -> None:
    texto = formato.instante(momento, ESPAÑOL, ZoneInfo(zona))
    assert segun_se_lee(texto) == momento.replace(microsecond=0)


def test_la_hora_que_se_repite_al_acabar_el_verano_son_dos_instantes_distintos() -> None:
    primera = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    textos = [
        formato.instante(momento, INGLES, ZoneInfo("Europe/Madrid"))
        for momento in (primera, primera + timedelta(hours=1))
    ]
    assert textos == ["25 Oct 2026, 02:30:00 UTC+02:00", "25 Oct 2026, 02:30:00 UTC+01:00"]


def test_sin_zona_un_instante_se_escribe_en_la_suya() -> None:
    momento = datetime(2026, 11, 30, 14, 5, 9, tzinfo=UTC)
    assert formato.instante(momento, ESPAÑOL) == "30 nov 2026, 14:05:09 UTC"


@pytest.mark.parametrize(
    ("minutos", "en_español", "en_ingles"),
    [(23 * 60, "23", "23"), (23 * 60 + 30, "23,5", "23.5"), (24 * 60 + 45, "24,75", "24.75")],
)
def test_las_horas_de_un_dia_llevan_los_decimales_de_su_idioma(
    minutos: int, en_español: str, en_ingles: str
) -> None:
    dura = timedelta(minutes=minutos)
    assert formato.horas(dura, ESPAÑOL) == en_español
    assert formato.horas(dura, INGLES) == en_ingles
