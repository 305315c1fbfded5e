"""Las propiedades: se acotan y se reparan con aviso, y ninguna cuesta una venta."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpespartners.modulos.tracking.dominio.excepciones import Recolector
from alpespartners.modulos.tracking.dominio.propiedades import propiedades_validas, reunir_propiedades


def reunir(*pares: tuple[str, str]) -> tuple[dict[str, str], list[str]]:
    recolector = Recolector()
    reunidas = reunir_propiedades(pares, recolector)
    assert recolector.fallos == []
    return reunidas, recolector.avisos


def test_las_propiedades_en_el_limite_valen_sin_avisos() -> None:
    en_el_limite = {f"{numero:0>64}": "x" * 2048 for numero in range(64)}
    assert reunir(*en_el_limite.items()) == (en_el_limite, [])


@pytest.mark.parametrize(
    ("clave", "valor", "reunidas", "aviso"),
    [
        ("k", "x" * 2049, {"k": "x" * 2048}, "propiedad_recortada:k"),
        ("k" * 65, "x", {"k" * 64: "x"}, f"propiedad_recortada:{'k' * 64}"),
        ("k", "a\x00b", {"k": "a\ufffdb"}, "propiedad_reparada:k"),
        ("k", "\ud83d", {"k": "\ufffd"}, "propiedad_reparada:k"),
        ("k\n", "x", {"k\ufffd": "x"}, "propiedad_reparada:k\ufffd"),
        ("\udfff", "x", {"\ufffd": "x"}, "propiedad_reparada:\ufffd"),
        ("", "x", {"(vacío)": "x"}, "propiedad_reparada:(vacío)"),
    ],
)
def test_una_propiedad_que_incumple_la_regla_se_repara_con_su_aviso(
    clave: str, valor: str, reunidas: dict[str, str], aviso: str
) -> None:
    assert reunir((clave, valor)) == (reunidas, [aviso])


@pytest.mark.parametrize("valor", ["", "línea\nlínea", "\t", "\u200b", "\ufffd", "🛒" * 2048])
def test_un_valor_de_texto_se_guarda_tal_cual(valor: str) -> None:
    assert reunir(("k", valor)) == ({"k": valor}, [])


def test_la_longitud_se_mide_ya_compuesta() -> None:
    assert reunir(("n\u0303" * 64, "n\u0303" * 2048)) == ({"ñ" * 64: "ñ" * 2048}, [])


def test_las_que_sobran_se_cuentan_y_quedan_las_primeras() -> None:
    reunidas, avisos = reunir(*((str(numero), "x") for numero in range(70)))
    assert (list(reunidas), avisos) == ([str(numero) for numero in range(64)], ["propiedades_de_mas:6"])


def test_de_dos_con_un_nombre_y_distinto_valor_el_segundo_recibe_otro_nombre() -> None:
    assert reunir(("ñ", "a"), ("n\u0303", "b"), ("ñ", "c")) == (
        {"ñ": "a", "ñ_2": "b", "ñ_3": "c"},
        ["propiedad_repetida:ñ_2", "propiedad_repetida:ñ_3"],
    )


def test_dos_con_el_mismo_nombre_y_el_mismo_valor_son_una() -> None:
    assert reunir(("ñ", "a"), ("n\u0303", "a")) == ({"ñ": "a"}, [])


def test_un_nombre_de_repuesto_tampoco_pisa_a_otro_ni_pasa_de_su_longitud() -> None:
    largo = "k" * 64
    reunidas, _ = reunir(("a", "1"), ("a_2", "2"), ("a", "3"), (largo, "4"), (f"{largo}z", "5"))
    assert reunidas == {"a": "1", "a_2": "2", "a_3": "3", largo: "4", f"{'k' * 62}_2": "5"}


def test_las_advertencias_tienen_un_limite_y_las_de_los_campos_del_contrato_van_primero() -> None:
    recolector = Recolector()
    propiedades_validas({f"{numero}\n": "x" * 3000 for numero in range(100_000)}, recolector)
    recolector.avisar("ip_ilegible")
    avisos = recolector.avisos
    assert len(avisos) == 64
    assert (avisos[0], avisos[-1]) == ("ip_ilegible", "advertencias_de_mas")
    recolector.avisar(*avisos)
    assert recolector.avisos == avisos


@given(
    st.dictionaries(
        st.text(st.characters(), max_size=70) | st.sampled_from(["a", "n\u0303", "ñ", "a_2", "", "\x00"]),
        st.text(st.characters(), max_size=20) | st.sampled_from(["x" * 2049, "\ud83d", "\x00"]),
        max_size=80,
    )
)
def test_lo_reunido_se_acepta_tal_cual_y_cabe_en_sus_limites(propiedades: dict[str, str]) -> None:
    reunidas, _ = reunir(*propiedades.items())
    assert len(reunidas) <= 64
    assert all(1 <= len(clave) <= 64 and len(valor) <= 2048 for clave, valor in reunidas.items())
    assert not any("\x00" in texto for par in reunidas.items() for texto in par)
    "".join([*reunidas, *reunidas.values()]).encode()
    assert reunir(*reunidas.items()) == (reunidas, [])


def test_de_un_nombre_larguisimo_que_mengua_en_nfc_quedan_sus_primeros_caracteres() -> None:
    letras = "é" * 64
    assert reunir(("e\u0301" * 30_000, "x")) == ({letras: "x"}, [f"propiedad_recortada:{letras}"])
