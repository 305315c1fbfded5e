"""Las métricas de una fila: qué cuenta como qué, y cuánto vale una razón."""

from decimal import Decimal

import pytest

from alpespartners.modulos.informes.dominio.bots import Bots
from alpespartners.modulos.informes.dominio.cambios import Cambio
from alpespartners.modulos.informes.dominio.cuenta import Cuenta
from alpespartners.modulos.informes.dominio.metricas import (
    BOT,
    CLASES_DE_CLIC,
    DE_IMPRESION,
    VENTA,
    Razon,
    metricas,
    redondeada,
)
from alpespartners.modulos.tracking.dominio.lectura import ClaseDeClic
from alpespartners.modulos.tracking.dominio.objetos_valor import TipoConversion, TipoEvento


def cuenta(cuantos: int, importe: str = "0") -> Cuenta:
    return Cuenta(cuantos, int(Decimal(importe).scaleb(4)))


UNAS = metricas(
    {
        ("IMPRESION", "", ""): cuenta(1_000),
        ("CLIC", "", ""): cuenta(30),
        ("VISUALIZACION", "", ""): cuenta(7),
        ("VENTA", "", "COP"): cuenta(3, "450000.50"),
        ("VENTA", "", "USD"): cuenta(1, "9.99"),
        ("REGISTRO", "", "COP"): cuenta(2, "1000"),
        ("REGISTRO", "", ""): cuenta(4),
    }
)


def test_los_tipos_que_no_son_de_conversion_son_los_del_libro() -> None:
    assert {*TipoEvento} == DE_IMPRESION
    assert VENTA in {*TipoConversion}


def test_cada_cosa_cuenta_una_vez_y_en_su_sitio() -> None:
    assert (UNAS.impresiones, UNAS.clics, UNAS.visualizaciones) == (1_000, 30, 7)
    assert UNAS.conversiones == {"VENTA": 4, "REGISTRO": 6}
    assert UNAS.valor == {"COP": Decimal("451000.50"), "USD": Decimal("9.99")}


def test_cada_razon_lleva_su_numerador_y_su_denominador_exactos() -> None:
    assert (UNAS.ctr, str(UNAS.ctr.valor)) == (Razon(30, 1_000), "0.030000")
    assert (UNAS.tasa_conversion, str(UNAS.tasa_conversion.valor)) == (Razon(10, 30), "0.333333")
    assert UNAS.ticket_medio == {"COP": Razon(Decimal("450000.50"), 3), "USD": Razon(Decimal("9.99"), 1)}
    assert UNAS.valor_por_clic == {"COP": Razon(Decimal("451000.50"), 30), "USD": Razon(Decimal("9.99"), 30)}
    assert str(UNAS.valor_por_clic["COP"].valor) == "15033.350000"


CON_ROBOTS = {
    ("IMPRESION", "", ""): cuenta(8),
    ("IMPRESION", "BOT", ""): cuenta(2),
    **{("CLIC", clase, ""): cuenta(n + 1) for n, clase in enumerate(("", "UNICO", "REPETIDO", "INVALIDO"))},
    ("CLIC", "BOT", ""): cuenta(5),
    ("CLIC", "DE_OTRA_VERSION", ""): cuenta(6),
    ("VENTA", "", "EUR"): cuenta(2, "10"),
    ("VENTA", "BOT", "EUR"): cuenta(1, "5"),
    ("REGISTRO", "BOT", "USD"): cuenta(1, "7"),
}


def test_las_clases_de_un_clic_son_las_del_libro() -> None:
    assert {*ClaseDeClic} == {*CLASES_DE_CLIC}
    assert ClaseDeClic.BOT == BOT


def test_los_clics_de_todas_las_clases_suman_los_clics_y_los_que_no_la_tienen_estan_sin_leer() -> None:
    por_clase = {"UNICO": 2, "REPETIDO": 3, "INVALIDO": 4, "BOT": 5, "SIN_LEER": 7}
    con, sin = metricas(CON_ROBOTS), metricas(CON_ROBOTS, Bots.EXCLUIR)
    assert (con.clics, con.clics_por_clase) == (21, por_clase)
    assert (sin.clics, sin.clics_por_clase) == (16, {**por_clase, "BOT": 0})


def test_incluir_los_robots_es_excluirlos_y_sumar_los_que_hay() -> None:
    con, sin = metricas(CON_ROBOTS), metricas(CON_ROBOTS, Bots.EXCLUIR)
    assert con.bots == sin.bots
    suma = Cambio(con, sin).diferencia
    assert (suma.impresiones, suma.clics, suma.visualizaciones) == (2, 5, 0)
    assert (suma.conversiones, suma.valor) == (con.bots.conversiones, con.bots.valor)
    assert con.bots.valor == {"EUR": Decimal(5), "USD": Decimal(7)}
    # Las razones, con lo de su fila.
    assert con.ticket_medio == {"EUR": Razon(Decimal(15), 3), "USD": Razon(Decimal(0), 0)}
    assert sin.ticket_medio == {"EUR": Razon(Decimal(10), 2)}
    assert (con.ctr, sin.ctr) == (Razon(21, 10), Razon(16, 8))


def test_donde_se_dividiria_por_cero_no_hay_razon() -> None:
    sin_clics = metricas({("REGISTRO", "", "EUR"): cuenta(1, "5")})
    assert (sin_clics.ctr.valor, sin_clics.tasa_conversion.valor) == (None, None)
    assert sin_clics.tasa_conversion == Razon(1, 0)
    assert sin_clics.ticket_medio == {"EUR": Razon(Decimal(0), 0)}
    assert sin_clics.valor_por_clic["EUR"].valor is None


@pytest.mark.parametrize(
    ("numerador", "denominador", "valor"),
    [
        (1, 2_000_000, "0.000000"),
        (3, 2_000_000, "0.000002"),
        (5, 2_000_000, "0.000002"),
        (2, 3, "0.666667"),
        (-1, 3, "-0.333333"),
        (-3, 2_000_000, "-0.000002"),
        # Con más cifras de las que un decimal guarda si no se le dice.
        (Decimal("999999999999999999999.9999"), 1, "999999999999999999999.999900"),
        (Decimal("999999999999999999999.9999"), 7, "142857142857142857142.857129"),
        (Decimal("-2.5"), Decimal("1000.0"), "-0.002500"),
    ],
)
def test_una_razon_se_redondea_a_seis_decimales_y_en_el_medio_a_la_cifra_par(
    numerador: int | Decimal, denominador: int | Decimal, valor: str
) -> None:
    assert f"{redondeada(numerador, denominador):f}" == valor


def test_un_cambio_dice_cuanto_mas_y_que_parte_es_de_lo_que_hubo() -> None:
    antes = metricas(
        {
            ("CLIC", "", ""): cuenta(40),
            ("VENTA", "", "EUR"): cuenta(2, "10"),
            ("VENTA", "", "COP"): cuenta(1, "1"),
        }
    )
    cambio = Cambio(UNAS, antes)
    diferencia, variacion = cambio.diferencia, cambio.variacion
    assert (diferencia.impresiones, variacion.impresiones) == (1_000, None)
    assert (diferencia.clics, str(variacion.clics)) == (-10, "-0.250000")
    assert diferencia.conversiones == {"VENTA": 1, "REGISTRO": 6}
    assert variacion.conversiones["REGISTRO"] is None
    assert diferencia.valor == {"COP": Decimal("450999.5"), "EUR": Decimal(-10), "USD": Decimal("9.99")}
    assert (str(variacion.valor["EUR"]), variacion.valor["USD"]) == ("-1.000000", None)
