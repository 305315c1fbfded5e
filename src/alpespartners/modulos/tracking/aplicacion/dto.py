"""Los DTO: una petición con los nombres de campo ya resueltos y cada valor con su tipo.

Qué es: la frontera entre el JSON y la aplicación. Los alias (`campana_id`) ya son un solo nombre, los
campos desconocidos ya están en `propiedades`, y `null` ya es ausencia. Un DTO tiene los campos de su comando
que pone quien envía, todos opcionales: un campo más en el comando es un campo más aquí.
Qué no es: datos válidos; de las reglas del dominio solo se les ha aplicado la que reúne las propiedades.
Por qué existe: separa «qué forma tiene el JSON» de «qué significa cada valor». Vive lo que una petición, y
por eso no paga por ser inmutable.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, make_dataclass
from typing import Any, Final

from alpespartners.modulos.tracking.aplicacion.comandos import (
    Comando,
    RegistrarConversion,
    RegistrarImpresion,
)

CAMPOS_DEL_SERVIDOR: Final = frozenset({"recibido_en", "advertencias", "señales", "ignorada", "faltas"})
"""Los de un comando que no pone quien envía."""


@dataclass(slots=True, kw_only=True)
class EventoDTO:
    """Lo que tiene cualquier petición."""

    id: str | None = None
    propiedades: Mapping[str, str]


def _dto_de(comando: type[Comando]) -> type[EventoDTO]:
    comunes = CAMPOS_DEL_SERVIDOR.union(campo.name for campo in fields(EventoDTO))
    propios: list[tuple[str, Any, Any]] = [
        (campo.name, f"{campo.type} | None", None) for campo in fields(comando) if campo.name not in comunes
    ]
    return make_dataclass(f"{comando.__name__}DTO", propios, bases=(EventoDTO,), slots=True, kw_only=True)


RegistrarImpresionDTO: Final = _dto_de(RegistrarImpresion)
"""El cuerpo de `POST /tracking/impresiones`."""

RegistrarConversionDTO: Final = _dto_de(RegistrarConversion)
"""El cuerpo de `POST /tracking/conversiones`."""
