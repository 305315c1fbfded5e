"""Los usuarios distintos de cada campaña y día, en un boceto, y los de las filas que ya había.

Qué es: la tabla y, de cada fila con usuario, su resumen en el boceto de su día. Desde aquí lo hace quien
registra. Cómo se resume y se escribe está copiado, y no importado: una revisión hace siempre lo mismo.
Qué no es: gratis. Lee enteras las tablas de eventos, y mientras tanto nadie escribe en ellas.

Un consumidor de antes que siga en marcha escribiría filas sin contar a sus usuarios. No puede, como en la
0007: la columna de su carril que toca en cada lote tiene desde aquí otro nombre.
"""

from hashlib import blake2b
from typing import Any

import sqlalchemy as sa
from alembic import op

from alpespartners.migraciones.tipos import INSTANTE, TEXTO

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_TANDA = 100_000
"""Cuántas filas se leen de una vez."""
_EN_LA_MEMORIA = 20_000
"""De cuántos días y campañas se tiene a la vez el boceto, que es de hasta 4 KB."""

_EXACTOS = 384
_REGISTROS = 4_096

# Desde el año 1: antes de 1970, el resto de una división sería negativo.
_DIA_EN_POSTGRESQL = "date_bin('1 day', ocurrido_en, '0001-01-01 00:00:00+00')"
_DIA_EN_SQLITE = "ocurrido_en - (ocurrido_en + 62135596800000000) % 86400000000"

_usuarios = sa.table(
    "usuarios_por_dia",
    sa.column("campana_id", TEXTO),
    sa.column("dia", INSTANTE),
    sa.column("fragmento", sa.Integer()),
    sa.column("eventos", sa.BigInteger()),
    sa.column("boceto", sa.LargeBinary()),
)
_Bocetos = dict[tuple[str, Any], tuple[int, bytes]]
"""Por campaña y día, cuántos eventos traen usuario y el boceto de quiénes son."""


def upgrade() -> None:
    """Aplica la revisión."""
    en_postgresql = op.get_context().dialect.name == "postgresql"
    if en_postgresql:
        # Como en la 0007: en el orden en que las toca un lote.
        op.execute("LOCK TABLE impresiones, conversiones, carriles IN SHARE ROW EXCLUSIVE MODE")
    op.create_table(
        "usuarios_por_dia",
        sa.Column("campana_id", TEXTO),
        sa.Column("dia", INSTANTE),
        sa.Column("fragmento", sa.Integer()),
        sa.Column("eventos", sa.BigInteger(), nullable=False),
        sa.Column("boceto", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("campana_id", "dia", "fragmento", name=op.f("pk_usuarios_por_dia")),
    )
    if en_postgresql:
        # Un boceto no se deja comprimir, y aparte de su fila no se copia cada vez que se cuentan eventos.
        op.execute("ALTER TABLE usuarios_por_dia ALTER COLUMN boceto SET STORAGE EXTERNAL")
        op.execute("ALTER TABLE usuarios_por_dia SET (fillfactor = 50)")
    _contar(_DIA_EN_POSTGRESQL if en_postgresql else _DIA_EN_SQLITE)
    op.execute("ALTER TABLE carriles RENAME COLUMN arrendado_hasta TO arriendo_hasta")


def _contar(dia: str) -> None:
    bocetos: _Bocetos = {}
    for eventos in ("impresiones", "conversiones"):
        ultima = op.get_bind().scalar(sa.text(f"SELECT coalesce(max(secuencia), 0) FROM {eventos}"))  # noqa: S608 (todo es de esta revisión)
        for desde in range(0, ultima, _TANDA):
            leidas = op.get_bind().execute(
                sa.text(
                    f"SELECT campana_id, {dia}, usuario_id, count(*) FROM {eventos}"  # noqa: S608 (ídem)
                    f" WHERE secuencia > {desde} AND secuencia <= {desde + _TANDA}"
                    " AND usuario_id IS NOT NULL GROUP BY 1, 2, 3"
                )
            )
            _reunir(bocetos, leidas)
            if len(bocetos) > _EN_LA_MEMORIA:
                _guardar(bocetos)
                bocetos = {}
    _guardar(bocetos)


def _reunir(bocetos: _Bocetos, leidas: Any) -> None:
    grupos: dict[tuple[str, Any], tuple[list[int], set[int]]] = {}
    for campana_id, dia, usuario_id, cuantos in leidas:
        eventos, resumenes = grupos.setdefault((campana_id, dia), ([], set()))
        eventos.append(cuantos)
        octetos = blake2b(usuario_id.encode(), digest_size=8, person=b"alpes-unicos").digest()
        resumenes.add(int.from_bytes(octetos, "big"))
    for clave, (eventos, resumenes) in grupos.items():
        antes, boceto = bocetos.get(clave, (0, b""))
        bocetos[clave] = antes + sum(eventos), _con(boceto, resumenes)


def _guardar(bocetos: _Bocetos) -> None:
    """Los escribe, unidos a los que ya estén escritos."""
    base = op.get_bind()
    # Casi siempre caben todos en la memoria, y no hay ninguno.
    hay = base.execute(sa.select(_usuarios.c.fragmento).limit(1)).first() is not None
    nuevas = []
    for (campana_id, dia), (eventos, boceto) in sorted(bocetos.items()):
        suya = sa.and_(_usuarios.c.campana_id == campana_id, _usuarios.c.dia == dia)
        consulta = sa.select(_usuarios.c.eventos, _usuarios.c.boceto).where(suya)
        escrita = base.execute(consulta).first() if hay else None
        if escrita is None:
            nuevas.append((campana_id, dia, 0, eventos, boceto))
        else:
            unidos = {"eventos": escrita.eventos + eventos, "boceto": _union(escrita.boceto, boceto)}
            base.execute(sa.update(_usuarios).where(suya).values(unidos))
    if nuevas:
        base.execute(sa.insert(_usuarios), [dict(zip(_usuarios.c.keys(), n, strict=True)) for n in nuevas])


def _con(boceto: bytes, resumenes: set[int]) -> bytes:
    if len(boceto) != _REGISTROS:
        todos = _resumenes(boceto) | resumenes
        if len(todos) <= _EXACTOS:
            return b"".join(uno.to_bytes(8, "big") for uno in sorted(todos))
        boceto, resumenes = bytes(_REGISTROS), todos
    registros = bytearray(boceto)
    for uno in resumenes:
        lugar, rango = uno >> 52, 53 - (uno & 2**52 - 1).bit_length()
        registros[lugar] = max(registros[lugar], rango)
    return bytes(registros)


def _union(uno: bytes, otro: bytes) -> bytes:
    if len(otro) != _REGISTROS:
        return _con(uno, _resumenes(otro))
    if len(uno) != _REGISTROS:
        return _con(otro, _resumenes(uno))
    return bytes(map(max, uno, otro))


def _resumenes(boceto: bytes) -> set[int]:
    return {int.from_bytes(boceto[lugar : lugar + 8], "big") for lugar in range(0, len(boceto), 8)}
