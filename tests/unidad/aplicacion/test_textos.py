"""Un importe escrito tiene una sola lectura, o no se acepta."""

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.aplicacion.textos import importe
from alpespartners.modulos.tracking.dominio.excepciones import CampoInvalido
from alpespartners.modulos.tracking.dominio.monedas import DECIMALES
from alpespartners.seedwork.json_estricto import NumeroJson

_COMO_LLEGA = st.sampled_from([str, NumeroJson])
_TIENE_MAS = "si separa decimales, {} tiene más de los que admite esta moneda"
_CIFRAS = st.text("0123456789", min_size=1, max_size=5)


def _lecturas(escrito: str, decimales: int) -> set[Decimal]:
    """Las cantidades que leería en ese texto quien escribe en inglés y quien escribe en español.

    Quien escribe en español separa los millares con puntos, en grupos de tres cifras de las que la primera
    no es un cero. Donde la moneda tiene tres decimales o más, las tres tras el punto son esos para los dos.
    """
    lecturas = {Decimal(escrito)}
    primero, *grupos = escrito.split(".")
    bien_agrupado = len(primero) <= 3 and primero[0] != "0" and all(len(grupo) == 3 for grupo in grupos)
    if grupos and bien_agrupado and decimales < 3:
        lecturas.add(Decimal(escrito.replace(".", "")))
    return lecturas


@given(st.sampled_from(sorted(DECIMALES)), _CIFRAS, st.none() | _CIFRAS, _COMO_LLEGA)
@example("COP", "150", "000", str)
@example("JPY", "705", "00", NumeroJson)
@example("KWD", "18", "600", str)
def test_lo_que_se_acepta_tiene_una_sola_lectura_en_español_y_en_ingles(
    moneda: str, enteros: str, fraccion: str | None, como_llega: type[str]
) -> None:
    escrito = enteros if fraccion is None else f"{enteros}.{fraccion}"
    lecturas = _lecturas(escrito, DECIMALES[moneda])
    try:
        leido = importe("valor", como_llega(escrito), moneda)
    except CampoInvalido:
        assert len(lecturas) == 2
    else:
        assert lecturas == {leido}


@pytest.mark.parametrize("como_llega", [str, NumeroJson])
@pytest.mark.parametrize(
    ("escrito", "moneda", "frase"),
    [
        ("150.000", "COP", "escriba 150000 si el punto separa miles, o 150 si separa decimales"),
        ("150.500", "usd", "escriba 150500 si el punto separa miles, o 150.5 si separa decimales"),
        ("1.000", "JPY", "escriba 1000 si el punto separa miles, o 1 si separa decimales"),
        ("150.000", "BGN", "escriba 150000 si el punto separa miles, o 150 si separa decimales"),
        ("150.125", "COP", f"escriba 150125 si el punto separa miles; {_TIENE_MAS.format('150.125')}"),
        ("150.120", "JPY", f"escriba 150120 si el punto separa miles; {_TIENE_MAS.format('150.12')}"),
        ("150.125", None, "escriba 150125 si el punto separa miles, o 150.1250 si separa decimales"),
        ("150.000", "PESOS", "escriba 150000 si el punto separa miles, o 150 si separa decimales"),
    ],
)
def test_un_importe_ambiguo_dice_sus_dos_lecturas_y_como_se_escribe_cada_una(
    como_llega: type[str], escrito: str, moneda: str | None, frase: str
) -> None:
    with pytest.raises(CampoInvalido) as invalido:
        importe("valor", como_llega(escrito), moneda)
    assert invalido.value.fallo.codigo is CodigoDePeticion.VALOR_AMBIGUO
    assert invalido.value.fallo.mensaje == f"se lee de dos maneras: {frase}"


@pytest.mark.parametrize("como_llega", [str, NumeroJson])
@pytest.mark.parametrize(
    ("escrito", "moneda"),
    [
        ("150000.0", "COP"),
        ("150000.00", "COP"),
        ("150.0000", "COP"),
        ("0.500", "COP"),
        ("015.000", "COP"),
        ("1500.000", "COP"),
        ("150.00", "COP"),
        ("150", "COP"),
        ("705.00", "JPY"),
        ("18.600", "KWD"),
        ("18.600", "kwd"),
        ("18.600", "CLF"),
    ],
)
def test_un_importe_con_una_sola_lectura_se_lee(como_llega: type[str], escrito: str, moneda: str) -> None:
    assert importe("valor", como_llega(escrito), moneda) == Decimal(escrito)


@pytest.mark.parametrize("como_se_escribe", ["150", "150000", "150.5", "150.1250"])
def test_lo_que_un_importe_ambiguo_manda_escribir_no_es_ambiguo(como_se_escribe: str) -> None:
    assert importe("valor", como_se_escribe, None) == Decimal(como_se_escribe)
