"""La estructura de una base de datos, leída de ella: lo que se compara para saber si dos son iguales."""

from typing import Any

from sqlalchemy import Connection, MetaData, inspect, text

from alpespartners.modulos.claves.infraestructura.tablas import METADATOS as DE_CLAVES
from alpespartners.modulos.enlaces.infraestructura.tablas import METADATOS as DE_ENLACES
from alpespartners.modulos.informes.infraestructura.tablas import METADATOS as DE_INFORMES
from alpespartners.modulos.tracking.infraestructura.libro.tablas import METADATOS as DE_TRACKING


def tablas_de_hoy() -> MetaData:
    """Las de todos los módulos, en un solo catálogo."""
    todas = MetaData(naming_convention=DE_TRACKING.naming_convention)
    for suyas in (DE_TRACKING, DE_INFORMES, DE_CLAVES, DE_ENLACES):
        for tabla in suyas.sorted_tables:
            tabla.to_metadata(todas)
    return todas


def estructura(conexion: Connection) -> dict[str, dict[str, Any]]:
    """Por cada tabla, salvo la de Alembic: sus columnas, su clave, sus índices y sus reglas.

    El orden de las columnas no: nada depende de él, y una añadida va siempre al final.
    """
    inspector = inspect(conexion)
    return {
        tabla: {
            "columnas": {
                c["name"]: (c["type"].compile(conexion.dialect), c["nullable"], c["default"])
                for c in inspector.get_columns(tabla)
            },
            "clave": inspector.get_pk_constraint(tabla),
            "indices": {i["name"]: i for i in inspector.get_indexes(tabla)},
            "reglas": (inspector.get_unique_constraints(tabla), inspector.get_check_constraints(tabla)),
            "opciones": _opciones(conexion, tabla),
        }
        for tabla in sorted(inspector.get_table_names())
        if tabla != "alembic_version"
    }


def _opciones(conexion: Connection, tabla: str) -> set[str]:
    """Las de SQLite que tiene; el inspector no las dice."""
    if conexion.dialect.name != "sqlite":
        return set()
    consulta = text("SELECT sql FROM sqlite_master WHERE name = :tabla")
    creacion = str(conexion.scalar(consulta, {"tabla": tabla}))
    return {opcion for opcion in ("AUTOINCREMENT", "WITHOUT ROWID") if opcion in creacion}
