"""Cómo se guarda en SQL cada clase de valor, y el reloj de la base de datos.

Qué es: el único lugar donde se decide la forma de una columna según el motor.
Qué no es: tablas, ni reglas: aquí llegan valores ya validados.
Por qué existe: instantes y dinero vuelven idénticos, sin pasar jamás por coma flotante. Lo que otro motor
haga de otra manera (`timestamptz`, `numeric(19,4)`, su reloj) se añade aquí y en ningún otro sitio.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Dialect, Text, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

DECIMALES_DEL_IMPORTE = 4
_EPOCA = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSEGUNDO = timedelta(microseconds=1)

TEXTO = Text().with_variant(Text(collation="C"), "postgresql")
"""Texto que se compara por puntos de código en los dos motores; SQLite ya lo hace así."""


class Instante(TypeDecorator[datetime]):
    """Un `datetime` con zona, guardado como microsegundos enteros desde 1970 en UTC."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Pasa el instante a microsegundos."""
        del dialect
        return None if value is None else (value - _EPOCA) // _MICROSEGUNDO

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Devuelve el instante en UTC."""
        del dialect
        return None if value is None else _EPOCA + value * _MICROSEGUNDO


class Importe(TypeDecorator[Decimal]):
    """Un `Decimal` de hasta 14 dígitos enteros y 4 decimales, guardado como entero de diezmilésimas.

    Vuelve siempre con 4 decimales; los de su moneda los pone quien conoce la moneda.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        """Pasa el importe a diezmilésimas; uno con más de 4 decimales es un error del programa."""
        del dialect
        if value is None:
            return None
        diezmilesimas = value.scaleb(DECIMALES_DEL_IMPORTE)
        if diezmilesimas != diezmilesimas.to_integral_value():
            raise ValueError("un importe con más decimales de los que caben en su columna")
        return int(diezmilesimas)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        """Devuelve el importe exacto."""
        del dialect
        return None if value is None else Decimal(value).scaleb(-DECIMALES_DEL_IMPORTE)


class TextoJson(TypeDecorator[Any]):
    """Un objeto o una lista de textos, guardados como JSON en una columna de texto.

    No es el tipo JSON del motor: el de PostgreSQL no admite U+0000, que sí puede venir en las propiedades
    de un mensaje ajeno.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Mapping[str, str] | Sequence[str] | None, dialect: Dialect) -> str:
        """Escribe el JSON, todo en ASCII."""
        del dialect
        return json.dumps(dict(value) if isinstance(value, Mapping) else list(value or ()))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Devuelve un `dict` o una `list`."""
        del dialect
        return None if value is None else json.loads(value)


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
