"""Otro destino: solo se va a él si el enlace lo permite y alguien que puede lo firmó para él."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from alpespartners.modulos.enlaces.dominio.destino_firmado import (
    DestinoNegado,
    destino_firmado,
    firma_de,
    segundos_de,
)
from alpespartners.modulos.enlaces.dominio.enlace import Enlace
from alpespartners.modulos.enlaces.dominio.secreto import Secreto

AHORA = datetime(2026, 11, 29, 12, tzinfo=UTC)
MAÑANA = segundos_de(AHORA + timedelta(days=1))
SECRETO, VIEJO = Secreto(b"el que firma ahora"), Secreto(b"el que firmaba antes")
DESTINO = "https://otra.com/a?b=1#c"
ENLACE = Enlace(
    enlace_id="juan",
    campaña_id="cmp-456",
    destino="https://tienda.com/",
    dominios_permitidos=("otra.com",),
    creado_en=AHORA,
)


def ir(destino: str = DESTINO, vence: str = MAÑANA, firma: str | None = None) -> str | DestinoNegado:
    suya = firma_de(SECRETO, "juan", destino, vence) if firma is None else firma
    return destino_firmado(ENLACE, destino, suya, vence, [SECRETO, VIEJO], AHORA)


def test_firmado_y_permitido_se_va_a_el() -> None:
    assert ir() == DESTINO
    assert ir(vence="") == DESTINO
    assert ir(firma=firma_de(VIEJO, "juan", DESTINO, MAÑANA)) == DESTINO


@pytest.mark.parametrize(
    "firma",
    [
        "",
        "ñ",
        "\ud800",
        firma_de(SECRETO, "ana", DESTINO, MAÑANA),
        firma_de(SECRETO, "juan", DESTINO + "d", MAÑANA),
        firma_de(SECRETO, "juan", DESTINO, ""),
        firma_de(Secreto(b"el de otro servicio"), "juan", DESTINO, MAÑANA),
    ],
)
def test_con_la_firma_de_otra_cosa_no_se_va(firma: str) -> None:
    assert ir(firma=firma) is DestinoNegado.FIRMA_INVALIDA


@pytest.mark.parametrize("vence", [segundos_de(AHORA), "0", "-1", "1e9", "²", "9" * 13, " 1", "mañana"])
def test_pasado_su_plazo_o_si_no_lo_es_no_se_va_aunque_este_firmado(vence: str) -> None:
    assert ir(vence=vence) is DestinoNegado.FIRMA_INVALIDA


@pytest.mark.parametrize(
    "destino",
    [
        "https://mal.com/",
        "https://otra.com.mal.com/",
        "https://www.otra.com/",
        "https://otra.com@mal.com/",
        "https://otra.com\\@mal.com/",
        "//otra.com/",
        "javascript:alert(1)//otra.com",
        "https://otra.com/\r\nSet-Cookie: a=b",
        "https://otra.com/?alp_clic=el-de-otro",
        "https://otra.com/?alp%5Fclic=el-de-otro",
        "",
        "https://otra.com/" + "a" * 2048,
    ],
)
def test_a_donde_el_enlace_no_permite_no_se_va_ni_firmado(destino: str) -> None:
    assert ir(destino=destino) is DestinoNegado.IGNORADO


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=10), st.integers(0, 10))
def test_ninguna_otra_manera_de_repartir_lo_firmado_da_la_misma_firma(
    enlace_id: str, destino: str, vence: str, corte: int
) -> None:
    junto = enlace_id + destino
    assume(corte != len(enlace_id) and corte <= len(junto))
    assert firma_de(SECRETO, enlace_id, destino, vence) != firma_de(
        SECRETO, junto[:corte], junto[corte:], vence
    )


@given(st.text(max_size=50), st.text(max_size=12))
def test_nada_se_da_por_firmado_sin_estarlo(firma: str, vence: str) -> None:
    assert ir(firma=firma, vence=vence) is DestinoNegado.FIRMA_INVALIDA
