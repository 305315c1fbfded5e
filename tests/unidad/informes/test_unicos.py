"""Los usuarios únicos: exactos mientras son pocos, y con el error que se dice cuando son muchos."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpespartners.modulos.informes.dominio.unicos import (
    EXACTOS,
    VACIO,
    BocetoIlegible,
    Unicos,
    con,
    resumen,
    unicos,
    unidos,
)
from alpespartners.modulos.informes.dominio.usuarios import Usuarios
from tests.apoyo.cuentas import boceto_de

_NUMEROS = st.one_of(
    st.sets(st.integers(0, 900), max_size=60),
    st.builds(
        lambda desde, cuantos: set(range(desde, desde + cuantos)), st.integers(0, 600), st.integers(0, 500)
    ),
)


def resumenes(numeros: Sequence[int] | set[int]) -> list[int]:
    return [resumen(f"usr-{numero}") for numero in numeros]


@given(partes=st.lists(_NUMEROS, max_size=5), orden=st.randoms())
def test_en_cualquier_orden_y_repartidos_de_cualquier_manera_son_los_mismos_octetos(
    partes: list[set[int]], orden: object
) -> None:
    todos = sorted(set().union(*partes))
    esperado = boceto_de([f"usr-{numero}" for numero in todos])
    orden.shuffle(todos)  # type: ignore[attr-defined]
    assert con(VACIO, resumenes(todos)) == esperado
    # Lote a lote, en uno solo; y cada uno en su fragmento, que se unen.
    de_uno_en_uno = VACIO
    for parte in partes:
        de_uno_en_uno = con(de_uno_en_uno, resumenes(parte))
    assert de_uno_en_uno == esperado
    bocetos = [con(VACIO, resumenes(parte)) for parte in partes]
    assert unidos(bocetos) == esperado
    assert unidos([*bocetos, *bocetos, esperado]) == esperado
    assert unidos([unidos(bocetos[:2]), unidos(bocetos[2:])]) == esperado


@given(numeros=st.sets(st.integers(0, 10**6), max_size=EXACTOS))
def test_hasta_384_la_cifra_es_exacta(numeros: set[int]) -> None:
    cuantos = len(numeros)
    assert unicos(con(VACIO, resumenes(numeros))) == Unicos(cuantos, True, cuantos, cuantos)  # noqa: FBT003


@pytest.mark.parametrize("cuantos", [385, 500, 1_000, 3_000, 10_000, 50_000, 200_000])
def test_con_mas_la_cifra_esta_entre_los_limites_que_se_dicen(cuantos: int) -> None:
    hallados = unicos(con(VACIO, resumenes(range(cuantos))))
    assert not hallados.exacto
    assert EXACTOS < hallados.minimo <= hallados.valor <= hallados.maximo
    assert hallados.minimo <= cuantos <= hallados.maximo
    assert hallados.maximo - hallados.minimo < 0.07 * cuantos


def test_de_cada_cien_estimaciones_unas_noventa_y_cinco_aciertan_y_ninguna_se_va_lejos() -> None:
    errores = []
    aciertos = 0
    for muestra in range(100):
        hallados = unicos(con(VACIO, [resumen(f"{muestra}-{n}") for n in range(2_000)]))
        aciertos += hallados.minimo <= 2_000 <= hallados.maximo
        errores.append(hallados.valor / 2_000 - 1)
    assert aciertos >= 95
    assert max(map(abs, errores)) < 4 * 0.01625
    assert abs(sum(errores) / 100) < 0.005


def test_lo_que_ya_estaba_no_cambia_nada() -> None:
    for cuantos in (10, 5_000):
        boceto = con(VACIO, resumenes(range(cuantos)))
        assert con(boceto, resumenes(range(0, cuantos, 3))) == boceto
        assert con(boceto, []) == boceto


def test_un_resumen_es_siempre_el_mismo() -> None:
    # Cambiarlo dejaría sin sentido los bocetos que ya están guardados.
    assert [resumen(texto) for texto in ("", "usr-101", "ñandú 🛒")] == [
        0xCE22C8AED907E9FB,
        0xEA75900C36C3D50A,
        0xE0D6924B90EFFDC1,
    ]


def test_el_rango_de_un_resumen_cabe_en_su_registro_sin_tocar_la_guarda() -> None:
    de_sobra = resumenes(range(EXACTOS))
    boceto = con(VACIO, [*de_sobra, 0, 2**52 - 1, 2**64 - 1, 5 << 52])
    assert boceto[0] == 53
    assert boceto[5] == 53
    assert max(boceto) == 53
    assert unidos([boceto, con(VACIO, resumenes(range(900)))])[0] == 53


@pytest.mark.parametrize(
    "octetos",
    [
        b"1234567",
        b"\x00" * 3080,
        b"\x00" * 4095,
        b"\x00" * 4096,
        b"\x00" * 4104,
        b"\x35" * 4096,
        b"\x36" * 4096,
        b"\x36" + b"\x01" * 4095,
        b"\x80" * 4096,
    ],
)
def test_lo_que_no_es_un_boceto_ni_se_une_ni_se_lee(octetos: bytes) -> None:
    with pytest.raises(BocetoIlegible):
        unidos([octetos])
    with pytest.raises(BocetoIlegible):
        unicos(octetos)


def test_con_pocos_mas_de_los_exactos_la_cifra_no_es_menor_que_su_minimo() -> None:
    for muestra in range(50):
        hallados = unicos(con(VACIO, [resumen(f"{muestra}-{n}") for n in range(EXACTOS + 1)]))
        assert EXACTOS < hallados.minimo <= hallados.valor <= hallados.maximo


def test_los_usuarios_de_varios_dias_no_son_la_suma() -> None:
    lunes = Usuarios(7, con(VACIO, resumenes(range(5))))
    martes = Usuarios(4, con(VACIO, resumenes(range(3, 6))))
    juntos = Usuarios.juntos([lunes, martes])
    assert (juntos.eventos, juntos.distintos.valor) == (11, 6)
    assert Usuarios.juntos([]) == Usuarios()


def test_mas_usuarios_nunca_son_menos() -> None:
    bocetos = [con(VACIO, resumenes(range(cuantos))) for cuantos in range(300, 3_000, 90)]
    for menos, mas in pairwise(bocetos):
        assert unicos(menos).valor <= unicos(mas).valor
