"""Cuántos textos distintos hay en un conjunto, en cuatro kilobytes: su boceto.

Qué es: hasta 384 distintos, sus resúmenes de 64 bits, y la cifra es exacta; con más, un HyperLogLog de 4.096
registros (Flajolet, Fusy, Gandouet y Meunier, 2007, «HyperLogLog: the analysis of a near-optimal cardinality
estimation algorithm»), que se lee con el estimador de Ertl (2017, «New cardinality estimation algorithms for
HyperLogLog sketches», §4): no necesita tablas de sesgo ni cambia de fórmula según cuántos haya.
Qué no es: una cuenta. Los distintos de dos días no son los de uno más los del otro: los bocetos se unen.
Por qué existe: guardar cada usuario de cada día es guardar otra vez casi todas las filas.

Un boceto depende solo de qué textos hay: en cualquier orden, repartidos y unidos de cualquier manera, son los
mismos octetos. Por eso se puede volver a hacer desde las filas y comparar. Que dos de 384 textos tengan el
mismo resumen, y la cifra exacta no lo sea, pasa una vez de cada 2,5 × 10¹⁴.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from hashlib import blake2b
from typing import Final

Boceto = bytes
"""Hasta 384 resúmenes de 8 octetos, de menor a mayor; o los 4.096 registros, de un octeto cada uno."""

VACIO: Final[Boceto] = b""
EXACTOS: Final = 384

ERROR_RELATIVO: Final = Decimal("0.01625")
"""La desviación típica de una estimación, como parte de lo que hay: 1,04 / √4.096."""

DEFINICION: Final = (
    "usuario_id distintos de los eventos que lo traen: exactos hasta 384; con más, estimados con un error "
    "relativo de 0,01625 (desviación típica), y entre minimo y maximo el 95 % de las veces; no se suman: los "
    "de dos filas juntas no son los de una más los de la otra"
)
"""Qué es la cifra, para decírselo a quien la lee."""

_REGISTROS: Final = 4_096
_OCTETOS: Final = 8
_SIN_TEXTO: Final = blake2b(digest_size=_OCTETOS, person=b"alpes-unicos")
"""Con su propósito escrito dentro: no es el resumen que otro programa guarda del mismo usuario."""
_BITS_DEL_RANGO: Final = 52
"""Los que quedan de un resumen tras los 12 que eligen su registro; el rango es, como mucho, uno más."""
_RESTO: Final = 2**_BITS_DEL_RANGO - 1
_RANGOS: Final = bytes(range(_BITS_DEL_RANGO + 2))
"""Lo que puede haber en un registro; 0, si nadie lo llenó."""
_GUARDAS: Final = int.from_bytes(b"\x80" * _REGISTROS, "big")
"""El bit alto de cada registro, que ninguno usa."""
_CIFRAS: Final = Context(prec=18)
_ALFA: Final = Decimal("0.721347520444481704")
"""1 / (2 · ln 2)."""
_EN_EL_95_POR_CIENTO: Final = Decimal("1.96")
_CIENMILESIMAS: Final = 10**5
_DE_MAS_O_DE_MENOS: Final = int(_EN_EL_95_POR_CIENTO * ERROR_RELATIVO * _CIENMILESIMAS)


class BocetoIlegible(ValueError):
    """No son los octetos de ningún boceto: los cambió otra mano."""


@dataclass(frozen=True, slots=True)
class Unicos:
    """Cuántos distintos hay.

    Attributes:
        valor: cuántos; si no es exacto, lo más probable.
        exacto: si es la cifra justa.
        minimo: y `maximo`: entre los que está la cifra justa, noventa y cinco veces de cada cien.
    """

    valor: int
    exacto: bool
    minimo: int
    maximo: int


def resumen(texto: str) -> int:
    """El de 64 bits de un texto: siempre el mismo, en cualquier máquina."""
    suyo = _SIN_TEXTO.copy()
    suyo.update(texto.encode())
    return int.from_bytes(suyo.digest(), "big")


def con(boceto: Boceto, resumenes: Collection[int]) -> Boceto:
    """El mismo boceto, si ya tenía todos esos resúmenes; si no, el que los tiene además.

    Raises:
        BocetoIlegible: no lo es.
    """
    if len(boceto) != _REGISTROS:
        todos = {*_resumenes(boceto), *resumenes}
        if len(todos) <= EXACTOS:
            return b"".join(uno.to_bytes(_OCTETOS, "big") for uno in sorted(todos))
        boceto, resumenes = bytes(_REGISTROS), todos
    registros = bytearray(boceto)
    for uno in resumenes:
        lugar, rango = uno >> _BITS_DEL_RANGO, _BITS_DEL_RANGO + 1 - (uno & _RESTO).bit_length()
        if rango > registros[lugar]:  # noqa: PLR1730 (`max` tarda el doble, y esto se hace en cada evento)
            registros[lugar] = rango
    return bytes(registros)


def unidos(bocetos: Iterable[Boceto]) -> Boceto:
    """El de todo lo que hay en alguno.

    Raises:
        BocetoIlegible: uno no lo es.
    """
    sueltos: set[int] = set()
    registros: int | None = None
    for boceto in bocetos:
        if len(boceto) != _REGISTROS:
            sueltos.update(_resumenes(boceto))
            continue
        leidos = int.from_bytes(boceto, "big")
        if leidos & _GUARDAS:
            raise BocetoIlegible
        registros = leidos if registros is None else _maximos(registros, leidos)
    if registros is None:
        return con(VACIO, sueltos)
    # Solo el de todos: si uno tiene un rango que no lo es, es el mayor, y ahí está.
    juntos = registros.to_bytes(_REGISTROS, "big")
    _exigir_legibles(juntos)
    return con(juntos, sueltos)


def unicos(boceto: Boceto) -> Unicos:
    """Cuántos distintos hay en él.

    Raises:
        BocetoIlegible: no lo es.
    """
    if len(boceto) != _REGISTROS:
        cuantos = len(_resumenes(boceto))
        return Unicos(cuantos, exacto=True, minimo=cuantos, maximo=cuantos)
    _exigir_legibles(boceto)
    # Con 384 o menos serían exactos.
    cuantos = max(_estimados(boceto), EXACTOS + 1)
    return Unicos(
        cuantos,
        exacto=False,
        minimo=max(cuantos * _CIENMILESIMAS // (_CIENMILESIMAS + _DE_MAS_O_DE_MENOS), EXACTOS + 1),
        maximo=-(-cuantos * _CIENMILESIMAS // (_CIENMILESIMAS - _DE_MAS_O_DE_MENOS)),
    )


def _resumenes(boceto: Boceto) -> list[int]:
    if len(boceto) % _OCTETOS or len(boceto) > EXACTOS * _OCTETOS:
        raise BocetoIlegible
    return [
        int.from_bytes(boceto[lugar : lugar + _OCTETOS], "big") for lugar in range(0, len(boceto), _OCTETOS)
    ]


def _exigir_legibles(registros: Boceto) -> None:
    """Comprueba que son los de alguien.

    Raises:
        BocetoIlegible: hay un rango que ningún resumen tiene, o están todos vacíos o todos llenos.
    """
    iguales = registros.count(registros[:1]) == _REGISTROS
    if registros.translate(None, _RANGOS) or (iguales and registros[0] in {0, _BITS_DEL_RANGO + 1}):
        raise BocetoIlegible


def _maximos(unos: int, otros: int) -> int:
    """El mayor de cada par de registros, todos a la vez: la resta de cada par deja en su guarda cuál gana."""
    ganan = ((unos | _GUARDAS) - otros) & _GUARDAS
    de_los_unos = ganan - (ganan >> 7)
    return otros ^ ((unos ^ otros) & de_los_unos)


def _estimados(registros: Boceto) -> int:
    """Algoritmo 6 de Ertl; en decimal, que da lo mismo en todas las máquinas."""
    llenos, vacios = registros.count(_BITS_DEL_RANGO + 1), registros.count(0)
    with localcontext(_CIFRAS):
        suma = _REGISTROS * _tau(1 - Decimal(llenos) / _REGISTROS)
        for rango in range(_BITS_DEL_RANGO, 0, -1):
            suma = (suma + registros.count(rango)) / 2
        suma += _REGISTROS * _sigma(Decimal(vacios) / _REGISTROS)
        return round(_ALFA * _REGISTROS**2 / suma)


def _sigma(vacios: Decimal) -> Decimal:
    suma, anterior, peso = vacios, Decimal(-1), 1
    while suma != anterior:
        vacios *= vacios
        anterior = suma
        suma += vacios * peso
        peso += peso
    return suma


def _tau(sin_llenar: Decimal) -> Decimal:
    suma, anterior, peso = 1 - sin_llenar, Decimal(-1), Decimal(1)
    while suma != anterior:
        sin_llenar = sin_llenar.sqrt()
        anterior = suma
        peso /= 2
        suma -= (1 - sin_llenar) ** 2 * peso
    return suma / 3
