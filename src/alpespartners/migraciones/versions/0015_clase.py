"""La clase en las cuentas: los clics de cada clase, y lo que parece de un robot, se cuentan aparte.

Qué es: las cuatro tablas de cuentas, con la clase en su clave, contadas otra vez desde las filas: las de
antes no sabían cuántos eran de cada una.
Qué no es: gratis. Lee dos veces cada tabla de eventos, y mientras tanto nadie escribe en ellas.

Un consumidor de antes que siga en marcha no puede escribir sin contar: sus cuentas no tienen clase, y en una
clave no puede faltar. Su lote falla entero y espera; no se pierde nada.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from alpespartners.migraciones.tipos import INSTANTE, TEXTO

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_TANDA = 1_000_000
"""Cuántas filas se cuentan de una vez: SQLite las ordena en la memoria, en unos 100 MB."""

_DE_TODOS = ("tipo", "clase", "moneda")
_DE_CADA_UNO = ("influencer_id", "cupon", *_DE_TODOS)
_CLAVES = {
    "cuentas_por_tramo": ("campana_id", "tramo", *_DE_TODOS),
    "cuentas_por_dia": ("campana_id", "dia", *_DE_TODOS),
    "cuentas_por_influencer": ("campana_id", "dia", *_DE_CADA_UNO),
    "cuentas_por_semana": ("campana_id", "semana", *_DE_CADA_UNO),
}
"""La clave de cada tabla, sin el fragmento."""
_INSTANTES = ("tramo", "dia", "semana")
_SUMADAS = ("cuantos", "valor_alto", "valor_bajo")
_INDICE = ("influencer_id", "semana", "campana_id")

# Desde el año 1, que empezó en lunes: antes de 1970, el resto de una división sería negativo.
_EN_POSTGRESQL = {
    "tramo": "date_bin('15 minutes', {}, '0001-01-01 00:00:00+00')",
    "dia": "date_bin('1 day', {}, '0001-01-01 00:00:00+00')",
    "semana": "date_bin('7 days', {}, '0001-01-01 00:00:00+00')",
    "alto": "sum(div(valor * 10000, 1000000000))",
    "bajo": "sum(mod(valor * 10000, 1000000000))",
    "clase": (
        "coalesce(json_extract_path_text(CAST(lectura AS JSON), 'clase'),"
        " CASE json_extract_path_text(CAST(lectura AS JSON), 'bot') WHEN 'true' THEN 'BOT' END, '')"
    ),
}
_EN_SQLITE = {
    "tramo": "{0} - ({0} + 62135596800000000) % 900000000",
    "dia": "{0} - ({0} + 62135596800000000) % 86400000000",
    "semana": "{0} - ({0} + 62135596800000000) % 604800000000",
    "alto": "sum(valor / 1000000000)",
    "bajo": "sum(valor % 1000000000)",
    "clase": (
        # Lo que otra mano dejó ilegible es como si no se hubiera leído.
        "CASE WHEN json_valid(lectura) THEN coalesce(json_extract(lectura, '$.clase'),"
        " CASE WHEN json_extract(lectura, '$.bot') THEN 'BOT' END, '') ELSE '' END"
    ),
}


def upgrade() -> None:
    """Aplica la revisión."""
    en_postgresql = op.get_context().dialect.name == "postgresql"
    if en_postgresql:
        # En el orden en que las toca un lote.
        op.execute("LOCK TABLE impresiones, conversiones IN SHARE ROW EXCLUSIVE MODE")
    for nombre, claves in _CLAVES.items():
        op.drop_table(nombre)
        _crear(nombre, claves)
    _contar(_EN_POSTGRESQL if en_postgresql else _EN_SQLITE)
    op.create_index(op.f(f"ix_cuentas_por_semana_{'_'.join(_INDICE)}"), "cuentas_por_semana", _INDICE)
    if en_postgresql:
        # Cada lote cambia unas pocas filas: con sitio en su página no hay que tocar los índices.
        for nombre in _CLAVES:
            op.execute(f"ALTER TABLE {nombre} SET (fillfactor = 50)")


def _crear(nombre: str, claves: tuple[str, ...]) -> None:
    columnas: list[sa.Column[Any]] = [
        sa.Column(clave, INSTANTE if clave in _INSTANTES else TEXTO) for clave in claves
    ]
    op.create_table(
        nombre,
        *columnas,
        sa.Column("fragmento", sa.Integer()),
        *(sa.Column(sumada, sa.BigInteger(), nullable=False) for sumada in _SUMADAS),
        sa.PrimaryKeyConstraint(*claves, "fragmento", name=op.f(f"pk_{nombre}")),
        sqlite_with_rowid=False,
    )


def _contar(motor: dict[str, str]) -> None:
    """Cuenta las filas que ya hay; por orden de clave, que es como se guarda una cuenta."""
    for eventos, propias in (
        (
            "impresiones",
            {"tipo": "tipo_evento", "moneda": "''", "cupon": "''", "alto": "0", "bajo": "0"},
        ),
        (
            "conversiones",
            {
                "tipo": "tipo_conversion",
                # La de su importe: una moneda sin él no cuenta en ella.
                "moneda": "CASE WHEN valor IS NULL THEN '' ELSE coalesce(moneda, '') END",
                "cupon": "coalesce(cupon, '')",
                "alto": f"coalesce({motor['alto']}, 0)",
                "bajo": f"coalesce({motor['bajo']}, 0)",
            },
        ),
    ):
        valores = {
            "campana_id": "campana_id",
            "tramo": motor["tramo"].format("ocurrido_en"),
            "dia": motor["dia"].format("ocurrido_en"),
            "influencer_id": "coalesce(influencer_id, '')",
            "clase": motor["clase"],
            **propias,
        }
        ultima = op.get_bind().scalar(sa.text(f"SELECT coalesce(max(secuencia), 0) FROM {eventos}"))  # noqa: S608 (todo es de esta revisión)
        for desde in range(0, ultima, _TANDA):
            filas = f"{eventos} WHERE secuencia > {desde} AND secuencia <= {desde + _TANDA}"
            for nombre in ("cuentas_por_tramo", "cuentas_por_influencer"):
                _sumar(nombre, valores, ["count(*)", valores["alto"], valores["bajo"]], filas)
    # Los días, de sus tramos, y las semanas, de sus días: son muchos menos que las filas.
    sumas = [f"sum({sumada})" for sumada in _SUMADAS]
    dias = {clave: clave for clave in _CLAVES["cuentas_por_dia"]} | {"dia": motor["dia"].format("tramo")}
    _sumar("cuentas_por_dia", dias, sumas, "cuentas_por_tramo")
    semanas = {clave: clave for clave in _CLAVES["cuentas_por_semana"]}
    semanas["semana"] = motor["semana"].format("dia")
    if motor is _EN_SQLITE:
        # Agrupar los ordenaría, y puede haber tantos como filas.
        _sumar("cuentas_por_semana", semanas, [*_SUMADAS], "cuentas_por_influencer WHERE true", agrupa=False)
    else:
        _sumar("cuentas_por_semana", semanas, sumas, "cuentas_por_influencer")


def _sumar(
    nombre: str, valores: dict[str, str], sumas: list[str], filas: str, *, agrupa: bool = True
) -> None:
    claves = _CLAVES[nombre]
    lugares = ", ".join(str(lugar + 1) for lugar in range(len(claves)))
    op.execute(
        f"INSERT INTO {nombre} ({', '.join((*claves, 'fragmento', *_SUMADAS))})"  # noqa: S608 (ídem)
        f" SELECT {', '.join(valores[clave] for clave in claves)}, 0, {', '.join(sumas)} FROM {filas}"
        f"{f' GROUP BY {lugares} ORDER BY {lugares}' if agrupa else ''}"
        f" ON CONFLICT ({', '.join((*claves, 'fragmento'))})"
        f" DO UPDATE SET {', '.join(f'{una} = {nombre}.{una} + excluded.{una}' for una in _SUMADAS)}"
    )
