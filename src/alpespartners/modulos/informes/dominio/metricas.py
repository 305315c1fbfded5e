"""Las métricas de un informe: cuánto hubo de cada cosa, y las razones entre unas y otras.

Qué es: de unas cuentas, por tipo, clase y moneda, las métricas de una fila o del total.
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

from alpespartners.modulos.informes.dominio.bots import Bots
from alpespartners.modulos.informes.dominio.cuenta import Cuenta, en_importe

IMPRESION: Final = "IMPRESION"
CLIC: Final = "CLIC"
VISUALIZACION: Final = "VISUALIZACION"
VENTA: Final = "VENTA"
DE_IMPRESION: Final = frozenset({IMPRESION, CLIC, VISUALIZACION})

BOT: Final = "BOT"
"""La clase de lo que parece de un robot, sea o no un clic."""
SIN_LEER: Final = "SIN_LEER"
"""El nombre de los clics sin clase: de antes de que se leyera, o de los que no se supo."""
CLASES_DE_CLIC: Final = ("UNICO", "REPETIDO", "INVALIDO", BOT)

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
DEFINICIONES_POR_CLASE: Final[Mapping[str, str]] = {
    "clics_por_clase": (
        "los clics, por la clase que tuvieron al leerse; los de las cinco suman clics. SIN_LEER es de los que"
        " no la tienen. Quien no pague los REPETIDO o los INVALIDO los ve aquí aparte"
    ),
    "bots": (
        "lo de clase BOT, que parece de un robot; con bots=incluir está también en las demás cifras, y con"
        " bots=excluir, en ninguna"
    ),
}
"""La de lo que se cuenta aparte."""

_NADA: Final = Cuenta()
_DECIMALES_DE_UN_IMPORTE: Final = 4
_DIEZMILESIMAS: Final = 10**_DECIMALES_DE_UN_IMPORTE

Clave = tuple[str, str, str]
"""Un tipo, una clase y una moneda; lo que no se tiene es un texto vacío."""
Cuentas = Mapping[Clave, Cuenta]
"""Las de una fila."""


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
    """Un recuento y sus razones; las de dinero, por moneda.

    `clics_por_clase` tiene todas, y suman los clics. `bots` es lo que hay de ellos, estén o no en lo demás.
    """

    clics_por_clase: Mapping[str, int]
    bots: Recuento
    ctr: Razon
    tasa_conversion: Razon
    ticket_medio: Mapping[str, Razon]
    valor_por_clic: Mapping[str, Razon]

    @property
    def ventas_por_clic(self) -> Razon:
        """Las VENTA / clics."""
        return Razon(self.conversiones.get(VENTA, 0), self.clics)


def metricas(cuentas: Cuentas, bots: Bots = Bots.INCLUIR) -> Metricas:
    """Las de esas cuentas."""
    de_bots = {clave: cuenta for clave, cuenta in cuentas.items() if clave[1] == BOT}
    if de_bots and bots is Bots.EXCLUIR:
        cuentas = {clave: cuenta for clave, cuenta in cuentas.items() if clave[1] != BOT}
    suyo = _recuento(cuentas)
    por_clase = dict.fromkeys((*CLASES_DE_CLIC, SIN_LEER), 0)
    ventas: defaultdict[str, Cuenta] = defaultdict(Cuenta)
    for (tipo, clase, moneda), cuenta in cuentas.items():
        if tipo == CLIC:
            por_clase[clase if clase in por_clase else SIN_LEER] += cuenta.cuantos
        elif tipo == VENTA:
            ventas[moneda] += cuenta
    clics = suyo.clics
    vendido = {moneda: ventas.get(moneda, _NADA) for moneda in suyo.valor}
    return Metricas(
        impresiones=suyo.impresiones,
        clics=clics,
        visualizaciones=suyo.visualizaciones,
        conversiones=suyo.conversiones,
        valor=suyo.valor,
        clics_por_clase=por_clase,
        bots=_recuento(de_bots) if de_bots else NINGUNO,
        ctr=Razon(clics, suyo.impresiones),
        tasa_conversion=Razon(sum(suyo.conversiones.values()), clics),
        ticket_medio={moneda: Razon(venta.valor, venta.cuantos) for moneda, venta in vendido.items()},
        valor_por_clic={moneda: Razon(importe, clics) for moneda, importe in suyo.valor.items()},
    )


def _recuento(cuentas: Cuentas) -> Recuento:
    vistas = dict.fromkeys(DE_IMPRESION, 0)
    conversiones: defaultdict[str, int] = defaultdict(int)
    diezmilesimas: defaultdict[str, int] = defaultdict(int)
    for (tipo, _, moneda), cuenta in cuentas.items():
        if tipo in DE_IMPRESION:
            vistas[tipo] += cuenta.cuantos
            continue
        conversiones[tipo] += cuenta.cuantos
        if moneda:
            diezmilesimas[moneda] += cuenta.diezmilesimas
    return Recuento(
        impresiones=vistas[IMPRESION],
        clics=vistas[CLIC],
        visualizaciones=vistas[VISUALIZACION],
        conversiones=conversiones,
        valor={moneda: en_importe(diezmilesimas[moneda]) for moneda in sorted(diezmilesimas)},
    )


NINGUNO: Final = _recuento({})
"""El de nadie: el de los robots donde no los hubo."""


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
