"""Descripción de una ruta para OpenAPI: qué se le pide y qué contesta.

Qué es: lo que cada ruta lleva consigo; `operacion/openapi.py` compone con ello el documento.
Por qué existe: una descripción escrita aparte acaba hablando de otro servicio.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import msgspec

from alpespartners.api.http.limites import DE_UN_EVENTO, LimitesDeCuerpo
from alpespartners.api.http.tipos_de_medio import JSON

Esquema = Mapping[str, object]
"""Un esquema de JSON Schema 2020-12, que es el de OpenAPI 3.1."""


class CuerpoDescrito(msgspec.Struct, forbid_unknown_fields=True):
    """Base de los cuerpos que se responden: salen con sus campos, en su orden, y ninguno más.

    Attributes:
        ejemplos: los que enseña la documentación.
    """

    ejemplos: ClassVar[Sequence[Esquema]] = ()


@dataclass(frozen=True, slots=True)
class Etiqueta:
    """El grupo de operaciones en que aparece una."""

    nombre: str
    descripcion: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parametro:
    """Lo que se pide en la ruta, en la consulta o en una cabecera; en la ruta es siempre obligatorio."""

    nombre: str
    lugar: Literal["path", "query", "header"]
    esquema: Esquema
    descripcion: str | None = None
    ejemplo: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CuerpoPedido:
    """El cuerpo JSON que se pide.

    Attributes:
        nombre: el de su esquema entre los componentes.
        ejemplo: uno entero.
        limites: cuánto puede medir.
        tipo: el de medio.
        otros_esquemas: por su tipo de medio, el esquema de las demás formas de JSON en que puede venir.
        otros_formatos: por su tipo de medio, el texto de ejemplo de los demás en que puede venir.
    """

    nombre: str
    esquema: Esquema
    ejemplo: Any
    limites: LimitesDeCuerpo = DE_UN_EVENTO
    tipo: str = JSON
    otros_esquemas: Mapping[str, Esquema] = field(default_factory=dict)
    otros_formatos: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestacion:
    """Una respuesta posible.

    Attributes:
        formas: de qué tipo es su cuerpo; si son varias, de cualquiera de ellas.
        ejemplos: cuerpos que puede traer, por su nombre; si no hay, los enseña la forma.
        cabeceras: por su nombre, cómo es cada una.
        otros_formatos: por su tipo de medio, el texto de ejemplo de los demás en que puede venir.
        componente: si la comparten varias rutas, su nombre entre los componentes.
    """

    descripcion: str
    formas: tuple[type, ...]
    ejemplos: Mapping[str, object] = field(default_factory=dict)
    tipo: str = JSON
    cabeceras: Mapping[str, Esquema] = field(default_factory=dict)
    otros_formatos: Mapping[str, str] = field(default_factory=dict)
    componente: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operacion:
    """Lo que hace una ruta con su método.

    Attributes:
        contestaciones: por su código, las suyas; las que cualquiera puede dar se añaden solas.
    """

    id: str
    etiqueta: Etiqueta
    resumen: str
    contestaciones: Mapping[int, Contestacion]
    descripcion: str | None = None
    parametros: Sequence[Parametro] = ()
    cuerpo: CuerpoPedido | None = None
