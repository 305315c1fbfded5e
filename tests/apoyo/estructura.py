"""La estructura de una base de datos, leída de ella: lo que se compara para saber si dos son iguales."""

from typing import Any

from sqlalchemy import Connection, inspect, text


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
            "autoincrement": _autoincrement(conexion, tabla),
        }
        for tabla in sorted(inspector.get_table_names())
        if tabla != "alembic_version"
    }


def _autoincrement(conexion: Connection, tabla: str) -> bool:
    """Si lo es; el inspector no lo dice."""
    if conexion.dialect.name != "sqlite":
        return False
    consulta = text("SELECT sql LIKE '%AUTOINCREMENT%' FROM sqlite_master WHERE name = :tabla")
    return bool(conexion.scalar(consulta, {"tabla": tabla}))
