"""Los hechos: de cada evento registrado, lo que otro módulo puede contar.

Qué es: una consulta por tabla de eventos, todas con las mismas columnas: `campana_id`, `influencer_id`,
`usuario_id`, `cupon`, `tipo`, `moneda`, `valor`, `ocurrido_en` y, de su lectura, `clase`, `red`,
`dispositivo`, `pais` y `robot` (lo primero que dice que lo es). Lo que una clase no tiene es nulo.
Qué no es: la fila; desde dónde y con qué se vio, tal como llegó, no sale de aquí.
Por qué existe: quien vuelve a contar el libro no tiene que saber qué tablas hay ni cómo se llama en cada una
el tipo. Son varias consultas y no su unión: de una unión, SQLite lee y ordena todo para dar lo primero.
"""

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, case, cast, func, literal, null, select
from sqlalchemy.types import TypeEngine

from alpespartners.modulos.tracking.aplicacion.clases import CLASES, Clase
from alpespartners.modulos.tracking.dominio.lectura import ClaseDeClic
from alpespartners.modulos.tracking.infraestructura.libro.filas import tabla_de
from alpespartners.seedwork.sql.datos_de_json import DatoDeJSON
from alpespartners.seedwork.sql.tipos import TEXTO, Importe

_PROPIAS: Final[dict[str, TypeEngine[Any]]] = {"cupon": TEXTO, "moneda": TEXTO, "valor": Importe()}
"""Las que no tiene toda clase, con su tipo."""
_VERDADERO: Final = ("true", "1")


def hechos() -> tuple[Select[Any], ...]:
    """Una consulta de cada clase de evento, sin filtro ni orden."""
    return tuple(_de(clase) for clase in CLASES)


def _de(clase: Clase) -> Select[Any]:
    columnas = tabla_de(clase).c
    propias: list[ColumnElement[Any]] = [
        columnas[nombre] if nombre in columnas else cast(null(), tipo).label(nombre)
        for nombre, tipo in _PROPIAS.items()
    ]
    return select(
        columnas.campana_id,
        columnas.influencer_id,
        columnas.usuario_id,
        columnas.ocurrido_en,
        columnas[clase.campo_tipo].label("tipo"),
        *propias,
        *_de_su_lectura(columnas.lectura),
    )


def _de_su_lectura(lectura: ColumnElement[Any]) -> Iterator[ColumnElement[Any]]:
    """Lo mismo que `Lectura.clase_de_trafico`, `Lectura.robot` y sus campos, de su texto."""
    es_robot = DatoDeJSON(lectura, "bot").in_([literal(dicho, TEXTO) for dicho in _VERDADERO])
    yield func.coalesce(
        DatoDeJSON(lectura, "clase"), case((es_robot, literal(ClaseDeClic.BOT.value, TEXTO)))
    ).label("clase")
    yield from (DatoDeJSON(lectura, nombre).label(nombre) for nombre in ("red", "dispositivo", "pais"))
    yield case((es_robot, DatoDeJSON(lectura, "señales", 0))).label("robot")
