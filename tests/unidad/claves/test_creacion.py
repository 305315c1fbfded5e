"""De lo que se pide a una clave: qué se admite, qué se niega y qué se guarda de su texto."""

from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import pytest

from alpespartners.modulos.claves.aplicacion.creacion import ClaveImposible, ClavePedida, nueva_clave
from alpespartners.modulos.claves.dominio.clave import Alcance, Dialecto, identidad_publica, partes_de

AHORA = datetime(2026, 11, 29, 12, tzinfo=UTC)
DE_UNA_PAGINA = ClavePedida(
    nombre="Tienda", alcances=["navegador"], origenes=["https://tienda.com"], campañas=["cmp-1"]
)


def test_el_texto_dice_de_quien_es_lleva_la_identidad_y_doscientos_cincuenta_y_seis_bits() -> None:
    guardada, texto = nueva_clave(ClavePedida(nombre="Tienda", alcances=["captura"]), AHORA)
    partes = partes_de(texto)
    assert partes is not None
    assert texto.startswith(f"alpes_{guardada.identidad}_")
    assert len(partes[1]) == 43
    assert guardada.es_su_secreto(partes[1])


def test_de_dos_claves_iguales_ni_la_identidad_ni_el_secreto_ni_la_sal_coinciden() -> None:
    pedida = ClavePedida(nombre="Tienda", alcances=["captura"])
    (una, texto), (otra, otro_texto) = nueva_clave(pedida, AHORA), nueva_clave(pedida, AHORA)
    assert texto != otro_texto
    assert una.identidad != otra.identidad
    assert una.sal != otra.sal
    assert una.resumen != otra.resumen


def test_el_secreto_no_esta_en_lo_que_se_guarda() -> None:
    guardada, texto = nueva_clave(ClavePedida(nombre="Tienda", alcances=["captura"]), AHORA)
    secreto = texto.split("_", 2)[2]
    assert secreto not in repr(asdict(guardada))
    assert secreto.encode() not in guardada.resumen + guardada.sal


@pytest.mark.parametrize("otro", ["", "x", "a" * 43, "ñ", "\udc80"])
def test_otro_secreto_no_es_el_suyo(otro: str) -> None:
    guardada, _ = nueva_clave(ClavePedida(nombre="Tienda", alcances=["captura"]), AHORA)
    assert not guardada.es_su_secreto(otro)


@pytest.mark.parametrize(
    "presentada", ["", "alpes", "clave", "Alpes_a_b", "alpes-a-b", "alpes_" + "a" * 200, "Bearer alpes_a_b"]
)
def test_lo_que_no_tiene_la_forma_de_una_clave_no_lo_es(presentada: str) -> None:
    assert partes_de(presentada) is None


def test_se_guarda_lo_pedido_y_cada_cosa_una_vez() -> None:
    guardada, _ = nueva_clave(
        ClavePedida(
            nombre="  Tienda de Ana ",
            alcances=["captura", "LECTURA", "captura"],
            campañas=["cmp-1", "cmp-2", "cmp-1", "campan\u0303a"],
            prefijo="tienda-",
            caduca="2027-01-01",
            limite=100,
        ),
        AHORA,
    )
    assert guardada.nombre == "Tienda de Ana"
    assert guardada.alcances == {Alcance.CAPTURA, Alcance.LECTURA}
    assert guardada.campañas == frozenset({"cmp-1", "cmp-2", "campaña"})
    assert (guardada.prefijo, guardada.limite) == ("tienda-", 100)
    assert guardada.caduca_en == datetime(2027, 1, 1, tzinfo=UTC)
    assert (guardada.creada_en, guardada.revocada_en) == (AHORA, None)


def test_la_de_un_dialecto_solo_captura_aunque_no_se_diga() -> None:
    guardada, _ = nueva_clave(ClavePedida(nombre="Tienda", dialecto="segment"), AHORA)
    assert (guardada.dialecto, guardada.alcances) == (Dialecto.SEGMENT, frozenset({Alcance.CAPTURA}))


def test_la_de_una_pagina_no_tiene_secreto_y_su_texto_es_su_identidad() -> None:
    guardada, texto = nueva_clave(DE_UNA_PAGINA, AHORA)
    assert texto == f"pk_{guardada.identidad}"
    assert identidad_publica(texto) == guardada.identidad
    assert partes_de(texto) is None
    assert guardada.es_publica
    assert not any(guardada.es_su_secreto(uno) for uno in ("", texto, guardada.identidad))


def test_vale_hasta_el_instante_en_que_caduca_sin_incluirlo() -> None:
    pedida = ClavePedida(nombre="Tienda", alcances=["captura"], caduca="2026-11-29T08:00:00-05:00")
    guardada, _ = nueva_clave(pedida, AHORA)
    caduca_en = datetime(2026, 11, 29, 13, tzinfo=UTC)
    assert guardada.caduca_en == caduca_en
    assert guardada.vale(caduca_en - timedelta(microseconds=1))
    assert not guardada.vale(caduca_en)


@pytest.mark.parametrize(
    ("pedida", "nombra"),
    [
        (ClavePedida(nombre=" ", alcances=["captura"]), "--nombre"),
        (ClavePedida(nombre="a\x1b[2J", alcances=["captura"]), "--nombre"),
        (ClavePedida(nombre="a" * 65, alcances=["captura"]), "--nombre"),
        (ClavePedida(nombre="a"), "--alcance falta"),
        (ClavePedida(nombre="a", alcances=["todo"]), "--alcance debe ser captura o lectura o operacion"),
        (ClavePedida(nombre="a", alcances=["captura"], dialecto="mixpanel"), "--dialecto debe ser"),
        (ClavePedida(nombre="a", alcances=["captura"], dialecto="plausible"), "--dialecto debe ser"),
        (ClavePedida(nombre="a", alcances=["lectura"], dialecto="segment"), "--dialecto solo va con"),
        (
            ClavePedida(nombre="a", alcances=["captura", "lectura"], dialecto="segment"),
            "--dialecto solo va con",
        ),
        (ClavePedida(nombre="a", alcances=["operacion"], campañas=["c"]), "--campaña no va con"),
        (ClavePedida(nombre="a", alcances=["lectura"], campañas=[""]), "--campaña"),
        (ClavePedida(nombre="a", alcances=["lectura"], campañas=["c" * 129]), "--campaña"),
        (
            ClavePedida(nombre="a", alcances=["lectura"], campañas=["c\u200b"]),
            "--campaña: contiene el carácter invisible U+200B",
        ),
        (ClavePedida(nombre="a", alcances=["lectura"], campañas=["c"] * 101), "hasta 100 veces"),
        (ClavePedida(nombre="a", alcances=["lectura"], prefijo="tienda-"), "--prefijo solo va con"),
        (ClavePedida(nombre="a", alcances=["captura"], prefijo="tienda "), "--prefijo admite"),
        (ClavePedida(nombre="a", alcances=["captura"], prefijo="a" * 33), "--prefijo admite"),
        (ClavePedida(nombre="a", alcances=["captura"], origenes=["https://a.com"]), "--origen solo va con"),
        (ClavePedida(nombre="a", alcances=["navegador"], campañas=["c"]), "--origen falta"),
        (ClavePedida(nombre="a", alcances=["navegador"], origenes=["https://a.com"]), "--campaña falta"),
        (replace(DE_UNA_PAGINA, alcances=["navegador", "lectura"]), "--alcance navegador va solo"),
        (replace(DE_UNA_PAGINA, origenes=["tienda.com"]), "--origen debe ser"),
        (replace(DE_UNA_PAGINA, origenes=["https://a.com"] * 21), "--origen se puede repetir"),
        (ClavePedida(nombre="a", alcances=["captura"], limite=0), "--limite debe ser"),
        (ClavePedida(nombre="a", alcances=["captura"], limite=1_000_001), "--limite debe ser"),
        (ClavePedida(nombre="a", alcances=["captura"], caduca="mañana"), "--caduca debe ser"),
        (ClavePedida(nombre="a", alcances=["captura"], caduca="2027-01-01T00:00:00"), "--caduca debe ser"),
        (ClavePedida(nombre="a", alcances=["captura"], caduca="0001-01-01T00:00:00+14:00"), "--caduca"),
        (ClavePedida(nombre="a", alcances=["captura"], caduca="2026-11-29T12:00:00Z"), "--caduca ya pasó"),
    ],
)
def test_lo_que_no_vale_se_dice_por_el_nombre_de_su_opcion(pedida: ClavePedida, nombra: str) -> None:
    with pytest.raises(ClaveImposible) as imposible:
        nueva_clave(pedida, AHORA)
    assert any(nombra in falta for falta in imposible.value.faltas)


def test_se_dicen_todas_las_faltas_a_la_vez() -> None:
    with pytest.raises(ClaveImposible) as imposible:
        nueva_clave(ClavePedida(nombre="", alcances=["x"], prefijo="/", limite=0, caduca="x"), AHORA)
    assert len(imposible.value.faltas) == 5
