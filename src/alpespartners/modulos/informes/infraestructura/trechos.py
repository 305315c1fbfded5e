"""Los trechos en que se recorre una campaña al recontarla."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, FromClause


class Trecho(NamedTuple):
    """Unas semanas seguidas de una campaña: desde `desde`, que se incluye, hasta `hasta`, que no.

    Donde falta uno de los dos no hay límite, y por eso se ven también las filas de días sin cuentas.
    """

    campana_id: str
    desde: datetime | None
    hasta: datetime | None

    def dentro(self, tabla: FromClause, instante: ColumnElement[Any]) -> Iterator[ColumnElement[bool]]:
        """Las condiciones de que una fila de esa tabla, con su instante, sea de este trecho."""
        yield tabla.c.campana_id == self.campana_id
        if self.desde is not None:
            yield instante >= self.desde
        if self.hasta is not None:
            yield instante < self.hasta
