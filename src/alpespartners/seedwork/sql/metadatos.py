"""El catálogo de tablas de un módulo, con los nombres que llevan las claves y los índices.

Por qué existe: una migración nombra lo que crea; si cada módulo los llamara a su modo, ninguna prueba podría
comparar las tablas de hoy con las que dejan las migraciones.
"""

from sqlalchemy import MetaData


def metadatos() -> MetaData:
    """Un catálogo vacío."""
    return MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        }
    )
