"""Un enlace: qué vale en cada dato, con todas las faltas a la vez."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alpespartners.modulos.enlaces.aplicacion.edicion import enlace_nuevo
from alpespartners.modulos.enlaces.dominio.enlace import DOMINIOS_MAXIMOS, Enlace
from alpespartners.modulos.tracking.dominio.excepciones import Codigo, CodigoDeFalta, DatosInvalidos

AHORA = datetime(2026, 11, 29, 12, tzinfo=UTC)
DATOS: dict[str, Any] = {
    "enlace_id": "juan",
    "campaña_id": "cmp-456",
    "destino": "https://tienda.com/zapatos",
}


def enlace(**cambios: object) -> Enlace:
    return enlace_nuevo({**DATOS, **cambios}, AHORA)


def faltas(**cambios: object) -> dict[str, CodigoDeFalta]:
    with pytest.raises(DatosInvalidos) as invalidos:
        enlace(**cambios)
    return {fallo.campo: fallo.codigo for fallo in invalidos.value.fallos}


def test_lo_que_no_se_dice_vale_lo_de_omision() -> None:
    hecho = enlace(influencer_id="", cupon=None, parametro_clic="")
    assert (hecho.influencer_id, hecho.cupon, hecho.parametro_clic) == (None, None, "alp_clic")
    assert (hecho.dominios_permitidos, hecho.vence_en, hecho.creado_en) == ((), None, AHORA)


def test_todas_las_faltas_se_dicen_a_la_vez() -> None:
    malos = {
        "enlace_id": "ju an",
        "campaña_id": "",
        "influencer_id": " a",
        "destino": "ftp://a",
        "cupon": "a" * 129,
        "parametro_clic": "Alp",
        "dominios_permitidos": ["http://a.com"],
    }
    assert faltas(**malos) == {
        "enlace_id": Codigo.VALOR_NO_PERMITIDO,
        "campaña_id": Codigo.REQUERIDO,
        "influencer_id": Codigo.ESPACIO_EN_LOS_EXTREMOS,
        "destino": Codigo.VALOR_NO_PERMITIDO,
        "cupon": Codigo.LONGITUD_EXCEDIDA,
        "parametro_clic": Codigo.VALOR_NO_PERMITIDO,
        "dominios_permitidos": Codigo.VALOR_NO_PERMITIDO,
    }


@pytest.mark.parametrize(
    ("enlace_id", "codigo"),
    [
        ("a" * 65, Codigo.LONGITUD_EXCEDIDA),
        ("..", Codigo.VALOR_NO_PERMITIDO),
        ("a/b", Codigo.VALOR_NO_PERMITIDO),
        ("ñ", Codigo.VALOR_NO_PERMITIDO),
        ("a\n", Codigo.VALOR_NO_PERMITIDO),
    ],
)
def test_un_enlace_se_llama_con_lo_que_va_tal_cual_en_una_direccion(enlace_id: str, codigo: Codigo) -> None:
    assert faltas(enlace_id=enlace_id) == {"enlace_id": codigo}


@pytest.mark.parametrize(
    "nombre", ["1a", "A", "a-b", "a" * 33, "sub1", "sub5", "utm_", "utm_source", "a\n", "ñ"]
)
def test_el_parametro_del_clic_no_puede_ser_uno_que_ponga_la_visita(nombre: str) -> None:
    assert faltas(parametro_clic=nombre) == {"parametro_clic": Codigo.VALOR_NO_PERMITIDO}


@pytest.mark.parametrize("nombre", ["a", "clickid", "sub6", "sub10", "utm", "a" * 32])
def test_el_parametro_del_clic_puede_ser_el_de_otra_red(nombre: str) -> None:
    assert enlace(parametro_clic=nombre).parametro_clic == nombre


@pytest.mark.parametrize("consulta", ["alp_clic=1", "a=1&alp%5Fclic", "a;alp_clic=1"])
def test_el_destino_no_puede_traer_ya_el_parametro_del_clic(consulta: str) -> None:
    assert faltas(destino=f"https://tienda.com/?{consulta}") == {"destino": Codigo.VALOR_NO_PERMITIDO}
    assert enlace(destino=f"https://tienda.com/?{consulta}", parametro_clic="cid").destino.endswith(consulta)


@pytest.mark.parametrize(
    "dominio",
    [
        "",
        "tienda.com:80",
        "https://tienda.com",
        "tienda.com/a",
        "*.com",
        "*.1.2.3.4",
        "*",
        "a.*.com",
        "t ienda",
    ],
)
def test_un_dominio_permitido_es_un_anfitrion_y_no_medio_internet(dominio: str) -> None:
    assert faltas(dominios_permitidos=[dominio]) == {"dominios_permitidos": Codigo.VALOR_NO_PERMITIDO}


@pytest.mark.parametrize(
    "sufijo",
    ["com.co", "CO.UK", "foo.ck", "公司.cn", "github.io", "myshopify.com", "s3.amazonaws.com"],
)
def test_un_comodin_no_abre_un_sufijo_en_que_registra_nombres_cualquiera(sufijo: str) -> None:
    assert faltas(dominios_permitidos=[f"*.{sufijo}"]) == {"dominios_permitidos": Codigo.VALOR_NO_PERMITIDO}
    for vale in (sufijo, f"*.tienda.{sufijo}", f"a.tienda.{sufijo}"):
        assert len(enlace(dominios_permitidos=[vale]).dominios_permitidos) == 1


def test_un_comodin_vale_en_la_red_de_una_casa() -> None:
    assert enlace(dominios_permitidos=["*.tienda.local"]).dominios_permitidos == ("*.tienda.local",)


def test_los_dominios_se_escriben_de_una_manera_y_no_se_repiten() -> None:
    escritos = ["Tienda.com", "tienda.COM", "*.Ñandú.co", "10.0.0.1"]
    assert enlace(dominios_permitidos=escritos).dominios_permitidos == (
        "tienda.com",
        "*.xn--and-6ma2c.co",
        "10.0.0.1",
    )


def test_los_dominios_tienen_un_maximo() -> None:
    muchos = [f"t{n}.com" for n in range(DOMINIOS_MAXIMOS + 1)]
    assert faltas(dominios_permitidos=muchos) == {"dominios_permitidos": Codigo.LONGITUD_EXCEDIDA}
    assert len(enlace(dominios_permitidos=muchos[1:]).dominios_permitidos) == DOMINIOS_MAXIMOS


@pytest.mark.parametrize(
    ("destino", "permitido"),
    [
        ("https://otra.com/a", True),
        ("http://otra.com:8080/", True),
        ("https://www.otra.com/", False),
        ("https://a.tienda.com/", True),
        ("https://a.b.tienda.com/", True),
        ("https://tienda.com/", False),
        ("https://maltienda.com/", False),
        ("https://tienda.com.mal.com/", False),
        ("https://mal.com/?https://otra.com", False),
        ("https://mal.com#otra.com", False),
    ],
)
def test_solo_permite_los_anfitriones_que_dice(destino: str, permitido: bool) -> None:  # noqa: FBT001
    assert enlace(dominios_permitidos=["otra.com", "*.tienda.com"]).permite(destino) is permitido


def test_vence_en_su_instante_dicho_en_cualquier_zona() -> None:
    hecho = enlace(vence_en="2026-12-01T00:00:00-05:00")
    vence_en = datetime(2026, 12, 1, 5, tzinfo=UTC)
    assert hecho.vence_en == vence_en
    assert hecho.vence_en.tzinfo is UTC
    assert hecho.vencido(vence_en)
    assert not hecho.vencido(vence_en - timedelta(microseconds=1))
    assert not enlace().vencido(vence_en)


def test_dice_lo_mismo_aunque_se_hiciera_en_otro_momento() -> None:
    otro = enlace_nuevo(DATOS, AHORA + timedelta(days=1))
    assert enlace().dice_lo_mismo(otro)
    assert not enlace(cupon="JUAN10").dice_lo_mismo(otro)
