"""Cómo se guarda en SQL cada clase de valor, y el reloj de la base de datos.

Qué es: el único lugar donde se decide la forma de una columna según el motor.
Qué no es: tablas, ni reglas: aquí llegan valores ya validados.
Por qué existe: instantes, dinero y textos vuelven idénticos, sin pasar jamás por coma flotante. En SQLite
son enteros y textos; en PostgreSQL, sus tipos propios.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import TIMESTAMP, BigInteger, Dialect, Numeric, Text, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

DECIMALES_DEL_IMPORTE = 4
_EPOCA = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSEGUNDO = timedelta(microseconds=1)

_CIFRAS_DEL_IMPORTE = 19
_POSTGRESQL = "postgresql"
_ESCAPE = "\x10"
_NUL = "\x00"
_JSON = msgspec.json.Encoder()


class Texto(TypeDecorator[str]):
    """Texto que se compara por puntos de código en los dos motores; SQLite ya lo hace así.

    PostgreSQL no admite U+0000, que puede venir en lo que solo describe (`user_agent`) o en la clave de un
    mensaje ajeno. Allí se escribe con U+0010 (DLE, ISO 6429): NUL es «DLE 0», y DLE es «DLE DLE».
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """El tipo de la columna en cada motor."""
        return Text(collation="C") if dialect.name == _POSTGRESQL else Text()

    def bind_processor(self, dialect: Dialect) -> Callable[[str | None], str | None] | None:
        """Cómo se escribe un valor; en SQLite, tal cual."""
        return _sin_nul if dialect.name == _POSTGRESQL else None

    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[str | None], str | None] | None:
        """Cómo se lee un valor."""
        del coltype
        return _con_nul if dialect.name == _POSTGRESQL else None


def _sin_nul(valor: str | None) -> str | None:
    if valor is None or (_NUL not in valor and _ESCAPE not in valor):
        return valor
    return valor.replace(_ESCAPE, _ESCAPE * 2).replace(_NUL, f"{_ESCAPE}0")


def _con_nul(valor: str | None) -> str | None:
    if valor is None or _ESCAPE not in valor:
        return valor
    # Por trozos: en «DLE DLE 0» el 0 no es de ningún NUL.
    trozos = valor.split(_ESCAPE * 2)
    return _ESCAPE.join(trozo.replace(f"{_ESCAPE}0", _NUL) for trozo in trozos)


TEXTO = Texto()


class Instante(TypeDecorator[datetime]):
    """Un `datetime` con zona: `timestamptz`, o en SQLite microsegundos enteros desde 1970 en UTC."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """El tipo de la columna en cada motor."""
        return TIMESTAMP(timezone=True) if dialect.name == _POSTGRESQL else BigInteger()

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], int | None] | None:
        """Cómo se escribe un valor; en PostgreSQL, tal cual."""
        return None if dialect.name == _POSTGRESQL else _en_microsegundos

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """Devuelve el instante en UTC."""
        if value is None:
            return None
        instante: datetime = value if dialect.name == _POSTGRESQL else _EPOCA + value * _MICROSEGUNDO
        return instante.astimezone(UTC)


def _en_microsegundos(instante: datetime | None) -> int | None:
    return None if instante is None else (instante - _EPOCA) // _MICROSEGUNDO


class Importe(TypeDecorator[Decimal]):
    """Un `Decimal` de hasta 14 dígitos enteros y 4 decimales: `numeric`, o en SQLite entero de diezmilésimas.

    Vuelve siempre con 4 decimales; los de su moneda los pone quien conoce la moneda.
    """

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """El tipo de la columna en cada motor."""
        exacto = Numeric(_CIFRAS_DEL_IMPORTE, DECIMALES_DEL_IMPORTE)
        return exacto if dialect.name == _POSTGRESQL else BigInteger()

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Decimal | int | None:
        """Pasa el importe a la forma del motor; uno con más de 4 decimales es un error del programa."""
        if value is None:
            return None
        diezmilesimas = value.scaleb(DECIMALES_DEL_IMPORTE)
        if diezmilesimas != diezmilesimas.to_integral_value():
            raise ValueError("un importe con más decimales de los que caben en su columna")
        return value if dialect.name == _POSTGRESQL else int(diezmilesimas)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Decimal | None:
        """Devuelve el importe exacto."""
        if value is None:
            return None
        importe = Decimal(value)
        return importe if dialect.name == _POSTGRESQL else importe.scaleb(-DECIMALES_DEL_IMPORTE)


class TextoJson(TypeDecorator[Any]):
    """Un objeto o una lista de textos, guardados como JSON en una columna de texto.

    No es el tipo JSON del motor: el de PostgreSQL no admite U+0000, que sí puede venir en las propiedades
    de un mensaje ajeno.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Mapping[str, str] | Sequence[str] | None, dialect: Dialect) -> str:
        """Escribe el JSON."""
        del dialect
        return _JSON.encode(dict(value) if isinstance(value, Mapping) else list(value or ())).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Devuelve un `dict` o una `list`."""
        del dialect
        return None if value is None else msgspec.json.decode(value)


class RelojDeLaBase(FunctionElement[datetime]):
    """El instante del reloj de la base de datos, más un plazo.

    Los arriendos se miden con él: los procesos que se los disputan pueden tener relojes distintos.
    """

    type = Instante()
    inherit_cache = True

    def __init__(self, plazo: timedelta = timedelta(0)) -> None:
        super().__init__(bindparam(None, plazo // _MICROSEGUNDO, BigInteger))


@compiles(RelojDeLaBase, "sqlite")
def _reloj_de_sqlite(elemento: RelojDeLaBase, compilador: SQLCompiler, **opciones: Any) -> str:
    # `unixepoch('subsec')` sería más claro, pero la biblioteca del sistema puede no tenerlo (SQLite 3.42).
    plazo = compilador.process(elemento.clauses, **opciones)
    return f"(CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER) + {plazo})"


@compiles(RelojDeLaBase, "postgresql")
def _reloj_de_postgresql(elemento: RelojDeLaBase, compilador: SQLCompiler, **opciones: Any) -> str:
    # No `now()`, que es la hora en que empezó la transacción, ni la del reloj, que no sirve para un índice.
    plazo = compilador.process(elemento.clauses, **opciones)
    return f"(statement_timestamp() + {plazo} * interval '1 microsecond')"
