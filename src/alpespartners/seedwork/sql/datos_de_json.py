"""Un dato de un JSON guardado como texto, que cada motor busca a su modo.

Qué es: la expresión que da, como texto, lo que hay en un sitio de un objeto, o nulo si no está. Un booleano
es `true` en un motor y `1` en el otro.
Qué no es: una comprobación. En SQLite, que cualquiera edita, un texto que no es JSON no tiene nada: una fila
así no puede dejar sin informe a su campaña. En PostgreSQL 15, que no sabe si lo es sin leerlo, es un error.
"""

from typing import Any

from sqlalchemy import ColumnElement, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement

from alpespartners.seedwork.sql.tipos import TEXTO


class DatoDeJSON(FunctionElement[str]):
    """El de ese sitio.

    Args:
        columna: la del texto.
        sitio: el nombre de un campo y, si es una lista, el lugar de su elemento. Se escribe en la sentencia
            tal cual: con un parámetro, PostgreSQL no podría agrupar por él. Nunca viene de fuera.
    """

    type = TEXTO
    inherit_cache = True

    def __init__(self, columna: ColumnElement[Any], *sitio: str | int) -> None:
        super().__init__(columna, *(literal_column(f"'{parte}'") for parte in sitio))
        self.en_sqlite = "$" + "".join(
            f"[{parte}]" if isinstance(parte, int) else f'."{parte}"' for parte in sitio
        )


@compiles(DatoDeJSON, "sqlite")
def _en_sqlite(dato: DatoDeJSON, compilador: SQLCompiler, **opciones: Any) -> str:
    columna = compilador.process(next(iter(dato.clauses)), **opciones)
    leido = f"CAST(json_extract({columna}, '{dato.en_sqlite}') AS TEXT)"
    return f"CASE WHEN json_valid({columna}) THEN {leido} END"


@compiles(DatoDeJSON, "postgresql")
def _en_postgresql(dato: DatoDeJSON, compilador: SQLCompiler, **opciones: Any) -> str:
    columna, *sitio = (compilador.process(parte, **opciones) for parte in dato.clauses)
    return f"json_extract_path_text(CAST({columna} AS JSON), {', '.join(sitio)})"
