"""Cómo se deshace lo último que añadieron las revisiones, para probar las de antes."""

from typing import Final

VOLVER_A_LA_0010: Final = (
    *(
        f"ALTER TABLE {tabla} DROP COLUMN {columna}"
        for tabla in ("impresiones", "conversiones")
        for columna in ("clic_id", "lectura")
    ),
    "DROP TABLE enlaces",
    "DROP TABLE secretos_de_enlaces",
)
"""Sentencias que quitan lo de después, menos la columna de `claves`: quien las usa borra esa tabla entera."""
