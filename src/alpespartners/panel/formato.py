"""Cómo se escribe en el panel lo que se lee: cantidades, importes, razones e instantes.

Qué es: funciones de un valor a un texto, que nadie pueda leer de otra manera.
Qué no es: una cuenta; aquí nada se suma, y de un importe no se pierde ninguna cifra. Un cociente se
redondea una sola vez, del numerador y el denominador: redondear lo redondeado da a veces otra cifra.
Por qué existe: «150.000» son ciento cincuenta mil para uno y ciento cincuenta para otro. Los miles van
separados por un espacio fino (ISO 80000-1 §7.3.1), los decimales como en el idioma de quien mira, y el mes,
con letras. De la zona se escribe lo que dista de UTC: «CST» es la hora de Chicago, la de La Habana y la de
Shanghái, y la que se repite al acabar el verano son dos instantes.
"""

from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Final

from alpespartners.modulos.informes.dominio.intervalos import Granularidad
from alpespartners.modulos.informes.dominio.metricas import Razon, redondeada
from alpespartners.modulos.tracking.dominio.monedas import DECIMALES
from alpespartners.panel.idiomas import Idioma

ESPACIO_FINO: Final = "\N{NARROW NO-BREAK SPACE}"
MENOS: Final = "\N{MINUS SIGN}"
NADA: Final = "\N{EN DASH}"
"""Lo que se escribe donde no hay valor: no es un cero."""

_COMA: Final = {Idioma.ESPAÑOL: ",", Idioma.INGLES: "."}
_MESES: Final = {
    Idioma.ESPAÑOL: ["ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sept", "oct", "nov", "dic"],
    Idioma.INGLES: ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sept", "Oct", "Nov", "Dec"],
}
_DECIMALES_DE_UN_PORCENTAJE: Final = 2
_UNIDADES_DE_TIEMPO: Final = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
_UN_MINUTO: Final = timedelta(minutes=1)
_MINUTOS_DE_UNA_HORA: Final = 60
_UNIDADES_DE_TAMAÑO: Final = ("B", "kB", "MB", "GB", "TB")
_MIL: Final = 1000
_UNA_DECIMA: Final = Decimal("0.1")


def cantidad(numero: int) -> str:
    """Un recuento: `1 234 567`."""
    return f"{numero:,}".replace(",", ESPACIO_FINO).replace("-", MENOS)


def numero(valor: Decimal, idioma: Idioma, decimales: int = 0) -> str:
    """Un decimal finito con todas sus cifras, y al menos con esos decimales."""
    # Con el texto, y no con `normalize`, que redondea a la precisión del contexto.
    entera, _, decimal = f"{valor.copy_abs():f}".partition(".")
    decimal = decimal.rstrip("0").ljust(decimales, "0")
    signo = MENOS if valor < 0 else ""
    return signo + cantidad(int(entera)) + (_COMA[idioma] + decimal if decimal else "")


def importe(valor: Decimal, moneda: str, idioma: Idioma) -> str:
    """Un importe exacto y su moneda, al menos con los decimales de ella: `150 000,00 COP`."""
    return f"{numero(valor, idioma, DECIMALES.get(moneda, 0))}\N{NO-BREAK SPACE}{moneda}"


def porcentaje(razon: Razon, idioma: Idioma) -> str:
    """Una razón entre recuentos, en tanto por ciento: `3,25 %`; sin denominador, nada."""
    return NADA if razon.denominador == 0 else parte(razon.numerador, razon.denominador, idioma)


def parte(cuanto: int | Decimal, total: int | Decimal, idioma: Idioma) -> str:
    """Qué parte de un total, mayor que 0, es algo, en tanto por ciento: `12,50 %`."""
    por_ciento = redondeada(cuanto, total, 2 + _DECIMALES_DE_UN_PORCENTAJE).scaleb(2)
    return f"{numero(por_ciento, idioma, _DECIMALES_DE_UN_PORCENTAJE)}\N{NO-BREAK SPACE}%"


def variacion(ahora: int | Decimal, antes: int | Decimal, idioma: Idioma) -> str:
    """Lo que aumentó o, con un menos, disminuyó, como parte de lo que hubo: `+12,50 %`; de cero, nada."""
    if antes == 0:
        return NADA
    signo = "+" if ahora > antes else MENOS if ahora < antes else ""
    cuanto = ahora - antes if ahora > antes else antes - ahora
    return signo + parte(cuanto, antes, idioma)


def razon_en_dinero(razon: Razon, moneda: str, idioma: Idioma) -> str:
    """Una razón entre un importe y un recuento, redondeada a lo que se puede pagar; sin denominador, nada."""
    if razon.denominador == 0:
        return NADA
    pagable = redondeada(razon.numerador, razon.denominador, DECIMALES.get(moneda, 2))
    return importe(pagable, moneda, idioma)


def fecha(dia: date, idioma: Idioma) -> str:
    """`30 nov 2026`."""
    return f"{dia.day} {_MESES[idioma][dia.month - 1]} {dia.year}"


def rotulo(momento: datetime, granularidad: Granularidad, idioma: Idioma) -> str:
    """Cuándo empieza un intervalo, en lo que cabe en el eje de un gráfico: `14:00`, `30 nov` o `nov 2026`."""
    mes = _MESES[idioma][momento.month - 1]
    if granularidad is Granularidad.MES:
        return f"{mes} {momento.year}"
    if granularidad is Granularidad.HORA and (momento.hour or momento.minute):
        return f"{momento:%H:%M}"
    return f"{momento.day} {mes}"


def instante(momento: datetime, idioma: Idioma, zona: tzinfo | None = None) -> str:
    """`30 nov 2026, 14:05:09 UTC−05:00` en esa zona; sin ella, en la suya. El momento lleva zona."""
    local = momento if zona is None else momento.astimezone(zona)
    return f"{fecha(local, idioma)}, {local:%H:%M:%S} {_desde_utc(local)}"


def _desde_utc(local: datetime) -> str:
    """Lo que dista su hora de UTC: `UTC−05:00`, o `UTC` si nada."""
    distancia = f"{local:%z}"
    return "UTC" if distancia == "+0000" else f"UTC{distancia[:3]}:{distancia[3:5]}".replace("-", MENOS)


def lapso(duracion: timedelta) -> str:
    """Cuánto dura algo, en la unidad mayor que cabe y sin redondear hacia arriba: `45 s`, `3 min`, `2 d`."""
    segundos = max(0, int(duracion.total_seconds()))
    for unidad, vale in _UNIDADES_DE_TIEMPO:
        if segundos >= vale:
            return f"{cantidad(segundos // vale)}\N{NO-BREAK SPACE}{unidad}"
    return "0\N{NO-BREAK SPACE}s"


def horas(duracion: timedelta, idioma: Idioma) -> str:
    """Las que dura algo de cuartos de hora enteros, sin la unidad: `23`, `23,5`."""
    return numero(Decimal(duracion // _UN_MINUTO) / _MINUTOS_DE_UNA_HORA, idioma)


def octetos(cuantos: int, idioma: Idioma) -> str:
    """Un tamaño, en la unidad decimal (IEC 80000-13) mayor que cabe: `12,3 GB`."""
    valor = Decimal(cuantos)
    unidad = _UNIDADES_DE_TAMAÑO[0]
    for mayor in _UNIDADES_DE_TAMAÑO[1:]:
        if valor < _MIL:
            break
        valor, unidad = valor / _MIL, mayor
    return f"{numero(valor.quantize(_UNA_DECIMA), idioma)}\N{NO-BREAK SPACE}{unidad}"
