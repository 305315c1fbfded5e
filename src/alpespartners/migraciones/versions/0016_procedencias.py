"""Las procedencias de los informes: cuánto hay por red, dispositivo, país y robot.

Qué es: su tabla y, de las filas que ya tenían lectura, sus cuentas. Desde aquí las suma quien registra.
Qué no es: gratis. Lee cada tabla de eventos una vez por dimensión, y mientras tanto nadie escribe en ellas.
"""

from typing import Final

import sqlalchemy as sa
from alembic import op

from alpespartners.migraciones.tipos import INSTANTE, TEXTO

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_TANDA: Final = 1_000_000
"""Cuántas filas se cuentan de una vez: SQLite las ordena en la memoria."""
_TABLA: Final = "cuentas_por_procedencia"
_CLAVE: Final = "campana_id, dia, dimension, dato, tipo, clase, moneda, fragmento"
_SUMANDO: Final = ", ".join(
    f"{columna} = {_TABLA}.{columna} + excluded.{columna}"
    for columna in ("cuantos", "valor_alto", "valor_bajo")
)

# Los días, desde el año 1: antes de 1970, el resto de una división sería negativo.
_EN_POSTGRESQL: Final = {
    "dia": "date_bin('1 day', ocurrido_en, '0001-01-01 00:00:00+00')",
    "dato": "json_extract_path_text(CAST(lectura AS json), '{0}')",
    "señal": "json_extract_path_text(CAST(lectura AS json), 'señales', '0')",
    "alto": "sum(div(valor * 10000, 1000000000))",
    "bajo": "sum(mod(valor * 10000, 1000000000))",
}
_EN_SQLITE: Final = {
    "dia": "ocurrido_en - (ocurrido_en + 62135596800000000) % 86400000000",
    # Lo que otra mano dejó ilegible es como si no se hubiera leído.
    "dato": "CASE WHEN json_valid(lectura) THEN CAST(json_extract(lectura, '$.{0}') AS text) END",
    "señal": "CAST(json_extract(lectura, '$.\"señales\"[0]') AS text)",
    "alto": "sum(valor / 1000000000)",
    "bajo": "sum(valor % 1000000000)",
}


def upgrade() -> None:
    """Aplica la revisión."""
    en_postgresql = op.get_context().dialect.name == "postgresql"
    if en_postgresql:
        # En el orden en que las toca un lote.
        op.execute("LOCK TABLE impresiones, conversiones, carriles IN SHARE ROW EXCLUSIVE MODE")
    op.create_table(
        _TABLA,
        sa.Column("campana_id", TEXTO),
        sa.Column("dia", INSTANTE),
        sa.Column("dimension", TEXTO),
        sa.Column("dato", TEXTO),
        sa.Column("tipo", TEXTO),
        sa.Column("clase", TEXTO),
        sa.Column("moneda", TEXTO),
        sa.Column("fragmento", sa.Integer()),
        sa.Column("cuantos", sa.BigInteger(), nullable=False),
        sa.Column("valor_alto", sa.BigInteger(), nullable=False),
        sa.Column("valor_bajo", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(*_CLAVE.split(", "), name=op.f(f"pk_{_TABLA}")),
        sqlite_with_rowid=False,
    )
    _contar(_EN_POSTGRESQL if en_postgresql else _EN_SQLITE)
    if en_postgresql:
        # Cada lote cambia unas pocas filas: con sitio en su página no hay que tocar los índices.
        op.execute(f"ALTER TABLE {_TABLA} SET (fillfactor = 50)")


def _contar(motor: dict[str, str]) -> None:
    """Cuenta las filas que ya tienen lectura; de lo que ella no dice no hay cuenta."""
    es_robot = f"{motor['dato'].format('bot')} IN ('true', '1')"
    clase = f"coalesce({motor['dato'].format('clase')}, CASE WHEN {es_robot} THEN 'BOT' END, '')"
    datos = {dimension: motor["dato"].format(dimension) for dimension in ("red", "dispositivo", "pais")}
    datos["robot"] = f"CASE WHEN {es_robot} THEN {motor['señal']} END"
    for eventos, tipo, moneda, alto, bajo in (
        ("impresiones", "tipo_evento", "''", "0", "0"),
        (
            "conversiones",
            "tipo_conversion",
            # La de su importe: una moneda sin él no cuenta en ella.
            "CASE WHEN valor IS NULL THEN '' ELSE coalesce(moneda, '') END",
            f"coalesce({motor['alto']}, 0)",
            f"coalesce({motor['bajo']}, 0)",
        ),
    ):
        ultima = op.get_bind().scalar(sa.text(f"SELECT coalesce(max(secuencia), 0) FROM {eventos}"))  # noqa: S608 (todo es de esta revisión)
        for desde in range(0, ultima, _TANDA):
            filas = (
                f"FROM {eventos} WHERE secuencia > {desde} AND secuencia <= {desde + _TANDA}"
                " AND lectura IS NOT NULL"
            )
            for dimension, dato in datos.items():
                op.execute(
                    f"INSERT INTO {_TABLA} ({_CLAVE}, cuantos, valor_alto, valor_bajo)"
                    f" SELECT campana_id, {motor['dia']}, '{dimension}', {dato}, {tipo}, {clase}, {moneda},"
                    f" 0, count(*), {alto}, {bajo} {filas} AND {dato} <> ''"
                    " GROUP BY 1, 2, 4, 5, 6, 7 ORDER BY 1, 2, 4, 5, 6, 7"
                    f" ON CONFLICT ({_CLAVE}) DO UPDATE SET {_SUMANDO}"
                )
