"""Las métricas de un informe: cuánto hubo de cada cosa, y las razones entre unas y otras.

Qué es: de unas cuentas, por tipo y moneda, las métricas de una fila o del total.
Qué no es: qué cuentas son de qué fila, ni una suma entre monedas, que nadie puede hacer.
Por qué existe: una razón redondeada no se puede sumar ni comprobar. Cada una lleva su numerador y su
denominador exactos, y con ellos cualquiera la vuelve a calcular.

Los tipos de impresión están aquí; todo otro tipo es una conversión.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from alpespartners.modulos.informes.dominio.cuenta import Cuenta, en_importe

IMPRESION: Final = "IMPRESION"
CLIC: Final = "CLIC"
VISUALIZACION: Final = "VISUALIZACION"
VENTA: Final = "VENTA"
DE_IMPRESION: Final = frozenset({IMPRESION, CLIC, VISUALIZACION})

DECIMALES_DE_UNA_RAZON: Final = 6

DEFINICIONES: Final[Mapping[str, str]] = {
    "impresiones": "eventos de tipo IMPRESION",
    "clics": "eventos de tipo CLIC",
    "visualizaciones": "eventos de tipo VISUALIZACION",
    "conversiones": "conversiones, por su tipo",
    "valor": "suma del valor de las conversiones, por moneda; nunca se suman dos monedas",
    "ctr": "clics / impresiones",
    "tasa_conversion": "conversiones de todos los tipos / clics",
    "ticket_medio": "valor de las VENTA / VENTA, por moneda",
    "valor_por_clic": "valor de las conversiones / clics, por moneda",
}
"""La fórmula de cada una, para decírsela a quien lee el informe."""

_NADA: Final = Cuenta()
_DECIMALES_DE_UN_IMPORTE: Final = 4
_DIEZMILESIMAS: Final = 10**_DECIMALES_DE_UN_IMPORTE

PorTipoYMoneda = Mapping[tuple[str, str], Cuenta]
"""Las cuentas de una fila; la moneda de lo que no tiene es un texto vacío."""


@dataclass(frozen=True, slots=True)
class Razon:
    """Un cociente entre un recuento o un importe, y un recuento."""

    numerador: int | Decimal
    denominador: int

    @property
    def valor(self) -> Decimal | None:
        """Con seis decimales, y a la cifra par en el punto medio; `None` si el denominador es 0."""
        if self.denominador == 0:
            return None
        return redondeada(self.numerador, self.denominador)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recuento:
    """Lo que se cuenta y se suma; el de dos filas juntas es la suma de los suyos.

    `conversiones` va por tipo, y `valor`, por moneda.
    """

    impresiones: int
    clics: int
    visualizaciones: int
    conversiones: Mapping[str, int]
    valor: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metricas(Recuento):
    """Un recuento y sus razones; las de dinero, por moneda."""

    ctr: Razon
    tasa_conversion: Razon
    ticket_medio: Mapping[str, Razon]
    valor_por_clic: Mapping[str, Razon]

    @property
    def ventas_por_clic(self) -> Razon:
        """Las VENTA / clics."""
        return Razon(self.conversiones.get(VENTA, 0), self.clics)


def metricas(cuentas: PorTipoYMoneda) -> Metricas:
    """Las de esas cuentas."""
    vistas = dict.fromkeys(DE_IMPRESION, 0)
    conversiones: defaultdict[str, int] = defaultdict(int)
    diezmilesimas: defaultdict[str, int] = defaultdict(int)
    ventas: dict[str, Cuenta] = {}
    for (tipo, moneda), cuenta in cuentas.items():
        if tipo in DE_IMPRESION:
            vistas[tipo] += cuenta.cuantos
            continue
        conversiones[tipo] += cuenta.cuantos
        if moneda:
            diezmilesimas[moneda] += cuenta.diezmilesimas
            if tipo == VENTA:
                ventas[moneda] = cuenta
    clics = vistas[CLIC]
    valor = {moneda: en_importe(diezmilesimas[moneda]) for moneda in sorted(diezmilesimas)}
    vendido = {moneda: ventas.get(moneda, _NADA) for moneda in valor}
    return Metricas(
        impresiones=vistas[IMPRESION],
        clics=clics,
        visualizaciones=vistas[VISUALIZACION],
        conversiones=conversiones,
        valor=valor,
        ctr=Razon(clics, vistas[IMPRESION]),
        tasa_conversion=Razon(sum(conversiones.values()), clics),
        ticket_medio={moneda: Razon(venta.valor, venta.cuantos) for moneda, venta in vendido.items()},
        valor_por_clic={moneda: Razon(importe, clics) for moneda, importe in valor.items()},
    )


def redondeada(
    numerador: int | Decimal, denominador: int | Decimal, decimales: int = DECIMALES_DE_UNA_RAZON
) -> Decimal:
    """El cociente con esos decimales, y a la cifra par en el punto medio; el denominador es mayor que 0.

    Los importes tienen como mucho cuatro decimales.
    """
    # En enteros: un `Decimal` redondea antes, a las cifras de su contexto.
    arriba, abajo = _en_diezmilesimas(numerador), _en_diezmilesimas(denominador)
    cociente, resto = divmod(arriba * 10**decimales, abajo)
    if 2 * resto > abajo or (2 * resto == abajo and cociente % 2):
        cociente += 1
    return Decimal(f"{cociente}e-{decimales}")


def _en_diezmilesimas(parte: int | Decimal) -> int:
    return parte * _DIEZMILESIMAS if isinstance(parte, int) else int(parte.scaleb(_DECIMALES_DE_UN_IMPORTE))
