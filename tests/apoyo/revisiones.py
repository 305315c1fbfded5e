"""Cómo se deshace lo último que añadieron las revisiones, para probar las de antes."""

from typing import Final

_DE_TODOS = ("tipo", "moneda")
_DE_CADA_UNO = ("influencer_id", "cupon", *_DE_TODOS)
_CUENTAS_DE_LA_0014 = {
    "cuentas_por_tramo": ("tramo", *_DE_TODOS),
    "cuentas_por_dia": ("dia", *_DE_TODOS),
    "cuentas_por_influencer": ("dia", *_DE_CADA_UNO),
    "cuentas_por_semana": ("semana", *_DE_CADA_UNO),
}
_INDICE = ("influencer_id", "semana", "campana_id")

SIN_PROCEDENCIAS: Final = ("DROP TABLE cuentas_por_procedencia",)

VOLVER_A_LA_0014: Final = (
    *SIN_PROCEDENCIAS,
    *(f"DROP TABLE {tabla}" for tabla in _CUENTAS_DE_LA_0014),
    *(
        f"CREATE TABLE {tabla} (campana_id TEXT, {', '.join(f'{clave} TEXT' for clave in claves)},"
        " fragmento INTEGER, cuantos BIGINT NOT NULL, valor_alto BIGINT NOT NULL, valor_bajo BIGINT NOT NULL,"
        f" CONSTRAINT pk_{tabla} PRIMARY KEY (campana_id, {', '.join(claves)}, fragmento))"
        for tabla, claves in _CUENTAS_DE_LA_0014.items()
    ),
    f"CREATE INDEX ix_cuentas_por_semana_{'_'.join(_INDICE)} ON cuentas_por_semana ({', '.join(_INDICE)})",
    "UPDATE alembic_version SET version_num = '0014'",
)
"""Las cuentas sin clase, y vacías: la 0015 no mira lo que dicen."""

VOLVER_A_LA_0010: Final = (
    *VOLVER_A_LA_0014,
    *(
        f"ALTER TABLE {tabla} DROP COLUMN {columna}"
        for tabla in ("impresiones", "conversiones")
        for columna in ("clic_id", "lectura")
    ),
    "DROP TABLE enlaces",
    "DROP TABLE secretos_de_enlaces",
)
"""Sentencias que quitan lo de después, menos la columna de `claves`: quien las usa borra esa tabla entera."""
