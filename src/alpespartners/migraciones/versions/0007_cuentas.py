"""Las cuentas de los informes: cuántos eventos hay y cuánto valen, por tiempo, tipo, moneda e influencer.

Qué es: las cuatro tablas y, de las filas que ya había, sus cuentas. Desde aquí las suma quien registra.
Qué no es: gratis. Lee dos veces cada tabla de eventos, y mientras tanto nadie escribe en ellas.

Un consumidor de antes que siga en marcha escribiría filas sin contarlas. No puede: cada lote suyo anota en su
carril hasta cuándo lo arrienda, y esa columna tiene desde aquí otro nombre. Su transacción falla entera, mira
el esquema, dice que es de una versión posterior y espera; no se pierde nada.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from alpespartners.migraciones.tipos import INSTANTE, TEXTO

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TANDA = 1_000_000
"""Cuántas filas se cuentan de una vez: SQLite las ordena en la memoria, en unos 100 MB."""


def _sumando(tabla: str) -> str:
    return ", ".join(
        f"{columna} = {tabla}.{columna} + excluded.{columna}"
        for columna in ("cuantos", "valor_alto", "valor_bajo")
    )


# Desde el año 1, que empezó en lunes: antes de 1970, el resto de una división sería negativo.
_EN_POSTGRESQL = {
    "tramo": "date_bin('15 minutes', ocurrido_en, '0001-01-01 00:00:00+00')",
    "dia": "date_bin('1 day', {}, '0001-01-01 00:00:00+00')",
    "semana": "date_bin('7 days', dia, '0001-01-01 00:00:00+00')",
    "alto": "sum(div(valor * 10000, 1000000000))",
    "bajo": "sum(mod(valor * 10000, 1000000000))",
    "de_sus_dias": (
        "sum(cuantos), sum(valor_alto), sum(valor_bajo) FROM cuentas_por_influencer"
        " GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6"
    ),
}
_EN_SQLITE = {
    "tramo": "ocurrido_en - (ocurrido_en + 62135596800000000) % 900000000",
    "dia": "{0} - ({0} + 62135596800000000) % 86400000000",
    "semana": "dia - (dia + 62135596800000000) % 604800000000",
    "alto": "sum(valor / 1000000000)",
    "bajo": "sum(valor % 1000000000)",
    # Agrupar los ordenaría, y puede haber tantos como filas.
    "de_sus_dias": (
        "cuantos, valor_alto, valor_bajo FROM cuentas_por_influencer WHERE true"
        " ON CONFLICT (campana_id, semana, influencer_id, cupon, tipo, moneda, fragmento)"
        f" DO UPDATE SET {_sumando('cuentas_por_semana')}"
    ),
}


def upgrade() -> None:
    """Aplica la revisión."""
    en_postgresql = op.get_context().dialect.name == "postgresql"
    if en_postgresql:
        # En el orden en que las toca un lote. El primero de un proceso abre antes su carril: si coincide,
        # PostgreSQL deshace uno de los dos, y se repite.
        op.execute("LOCK TABLE impresiones, conversiones, carriles IN SHARE ROW EXCLUSIVE MODE")
    _crear("cuentas_por_tramo", sa.Column("tramo", INSTANTE))
    _crear("cuentas_por_dia", sa.Column("dia", INSTANTE))
    _crear(
        "cuentas_por_influencer",
        sa.Column("dia", INSTANTE),
        sa.Column("influencer_id", TEXTO),
        sa.Column("cupon", TEXTO),
    )
    _crear(
        "cuentas_por_semana",
        sa.Column("semana", INSTANTE),
        sa.Column("influencer_id", TEXTO),
        sa.Column("cupon", TEXTO),
    )
    _contar(_EN_POSTGRESQL if en_postgresql else _EN_SQLITE)
    op.execute("ALTER TABLE carriles RENAME COLUMN reservado_hasta TO arrendado_hasta")
    if en_postgresql:
        # Cada lote cambia unas pocas filas: con sitio en su página no hay que tocar los índices.
        for tabla in ("cuentas_por_tramo", "cuentas_por_dia", "cuentas_por_influencer", "cuentas_por_semana"):
            op.execute(f"ALTER TABLE {tabla} SET (fillfactor = 50)")


def _crear(nombre: str, *propias: sa.Column[Any]) -> None:
    columnas: list[sa.Column[Any]] = [
        sa.Column("campana_id", TEXTO),
        *propias,
        sa.Column("tipo", TEXTO),
        sa.Column("moneda", TEXTO),
        sa.Column("fragmento", sa.Integer()),
    ]
    claves = [str(columna.name) for columna in columnas]
    op.create_table(
        nombre,
        *columnas,
        sa.Column("cuantos", sa.BigInteger(), nullable=False),
        sa.Column("valor_alto", sa.BigInteger(), nullable=False),
        sa.Column("valor_bajo", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(*claves, name=op.f(f"pk_{nombre}")),
        sqlite_with_rowid=False,
    )


def _contar(motor: dict[str, str]) -> None:
    """Cuenta las filas que ya hay; por orden de clave, que es como se guarda una cuenta."""
    dia = motor["dia"].format("ocurrido_en")
    for eventos, tipo, moneda, cupon, alto, bajo in (
        ("impresiones", "tipo_evento", "''", "''", "0", "0"),
        (
            "conversiones",
            "tipo_conversion",
            # La de su importe: una moneda sin él no cuenta en ella.
            "CASE WHEN valor IS NULL THEN '' ELSE coalesce(moneda, '') END",
            "coalesce(cupon, '')",
            f"coalesce({motor['alto']}, 0)",
            f"coalesce({motor['bajo']}, 0)",
        ),
    ):
        ultima = op.get_bind().scalar(sa.text(f"SELECT coalesce(max(secuencia), 0) FROM {eventos}"))  # noqa: S608 (todo es de esta revisión)
        for desde in range(0, ultima, _TANDA):
            filas = f"FROM {eventos} WHERE secuencia > {desde} AND secuencia <= {desde + _TANDA}"
            op.execute(
                "INSERT INTO cuentas_por_tramo"
                " (campana_id, tramo, tipo, moneda, fragmento, cuantos, valor_alto, valor_bajo)"
                f" SELECT campana_id, {motor['tramo']}, {tipo}, {moneda}, 0, count(*), {alto}, {bajo}"
                f" {filas} GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
                " ON CONFLICT (campana_id, tramo, tipo, moneda, fragmento)"
                f" DO UPDATE SET {_sumando('cuentas_por_tramo')}"
            )
            op.execute(
                "INSERT INTO cuentas_por_influencer"
                " (campana_id, dia, influencer_id, cupon, tipo, moneda,"
                " fragmento, cuantos, valor_alto, valor_bajo)"
                f" SELECT campana_id, {dia}, coalesce(influencer_id, ''), {cupon}, {tipo}, {moneda},"
                f" 0, count(*), {alto}, {bajo}"
                f" {filas} GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6"
                " ON CONFLICT (campana_id, dia, influencer_id, cupon, tipo, moneda, fragmento)"
                f" DO UPDATE SET {_sumando('cuentas_por_influencer')}"
            )
    # Los días, de sus tramos, que son muchos menos que las filas.
    op.execute(
        "INSERT INTO cuentas_por_dia"  # noqa: S608 (ídem)
        " (campana_id, dia, tipo, moneda, fragmento, cuantos, valor_alto, valor_bajo)"
        f" SELECT campana_id, {motor['dia'].format('tramo')}, tipo, moneda,"
        " 0, sum(cuantos), sum(valor_alto), sum(valor_bajo)"
        " FROM cuentas_por_tramo GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
    )
    op.execute(
        "INSERT INTO cuentas_por_semana"
        " (campana_id, semana, influencer_id, cupon, tipo, moneda,"
        " fragmento, cuantos, valor_alto, valor_bajo)"
        f" SELECT campana_id, {motor['semana']}, influencer_id, cupon, tipo, moneda,"
        f" 0, {motor['de_sus_dias']}"
    )
