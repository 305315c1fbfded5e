"""Las migraciones: llegan a las tablas que el código espera, enteras o nada, y solo cuando hace falta."""

import asyncio
import compileall
import logging
import os
import runpy
import shutil
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, MetaData, Table, create_engine

from alpespartners.migraciones import CABEZA, Historia, configuracion
from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.archivo import archivo_de
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.lecturas import LecturasSQLite
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.libro import LibroSQLite, migrar
from alpespartners.seedwork.arranque import ErrorDeArranque
from alpespartners.seedwork.sql.tipos import TEXTO, Importe, Instante, TextoJson
from tests.apoyo.base_datos import sql
from tests.apoyo.estructura import estructura, tablas_de_hoy
from tests.apoyo.eventos import impresion
from tests.apoyo.migraciones import historia_con
from tests.apoyo.repositorio import PAQUETE


@pytest.fixture
def migrada(tmp_path: Path) -> Generator[Connection]:
    migrar(tmp_path)
    motor = create_engine(f"sqlite:///{archivo_de(tmp_path)}")
    with motor.connect() as conexion:
        yield conexion
    motor.dispose()


def test_migrar_desde_nada_da_las_tablas_que_el_codigo_espera(migrada: Connection) -> None:
    contexto = MigrationContext.configure(migrada, opts={"compare_type": True, "render_as_batch": True})
    assert compare_metadata(contexto, tablas_de_hoy()) == []


def test_la_migracion_y_las_tablas_dan_la_misma_estructura(migrada: Connection) -> None:
    # `compare_metadata` no mira nombres de claves ni AUTOINCREMENT ni WITHOUT ROWID.
    motor = create_engine("sqlite://")
    with motor.begin() as conexion:
        tablas_de_hoy().create_all(conexion)
        creada = estructura(conexion)
    motor.dispose()
    assert estructura(migrada) == creada


def test_la_cabeza_es_la_ultima_revision(migrada: Connection) -> None:
    assert ScriptDirectory.from_config(configuracion(migrada)).get_heads() == [CABEZA]


def test_lo_que_habia_se_numera_por_cuando_se_registro_y_lo_nuevo_sigue(tmp_path: Path) -> None:
    motor = create_engine(f"sqlite:///{archivo_de(tmp_path)}")
    with motor.begin() as conexion:
        command.upgrade(configuracion(conexion), "0003")
    motor.dispose()
    for numero, registrado_en in enumerate((3, 1, 2, 1)):
        sql(
            tmp_path,
            "INSERT INTO impresiones (id, campana_id, tipo_evento, propiedades, comando_id, recibido_en,"  # noqa: S608
            " registrado_en, ocurrido_en, advertencias)"
            f" VALUES ('{numero}', 'c', 'CLIC', '{{}}', 'c-1', 1, {registrado_en}, 1, '[]')",
        )
    libro = LibroSQLite(tmp_path)
    libro.abrir()
    try:
        asyncio.run(libro.ejecutar(lambda t: set(t.eventos(clases.IMPRESIONES).agregar([impresion()]))))
    finally:
        libro.cerrar()
    numeradas = enumerate(["1", "3", "2", "0", "imp-123"], 1)
    assert sql(tmp_path, "SELECT secuencia, id FROM impresiones ORDER BY 1") == [*numeradas]


def test_cada_base_de_datos_tiene_su_identidad(tmp_path: Path) -> None:
    for carpeta in ("una", "otra"):
        migrar(tmp_path / carpeta)
    una, otra = (sql(tmp_path / carpeta, "SELECT identidad FROM libro") for carpeta in ("una", "otra"))
    assert len(una) == len(otra) == 1
    assert una != otra


def test_una_instalacion_que_solo_trae_lo_compilado_tambien_se_migra(tmp_path: Path) -> None:
    instalado = tmp_path / "instalado"
    shutil.copytree(PAQUETE, instalado / PAQUETE.name, ignore=shutil.ignore_patterns("__pycache__"))
    compileall.compile_dir(instalado, quiet=1, legacy=True)
    for fuente in instalado.rglob("*.py"):
        fuente.unlink()
    migrar_la_carpeta = (
        "import sys; from pathlib import Path;"
        "from alpespartners.modulos.tracking.infraestructura.motores.sqlite import libro;"
        "assert libro.__file__.startswith(sys.argv[1]); libro.migrar(Path(sys.argv[2]))"
    )
    subprocess.run(
        [sys.executable, "-c", migrar_la_carpeta, str(instalado), str(tmp_path)],
        env=os.environ | {"PYTHONPATH": str(instalado)},
        check=True,
    )
    assert sql(tmp_path, "SELECT version_num FROM alembic_version") == [(CABEZA,)]


def test_migrar_dos_veces_no_cambia_nada(tmp_path: Path) -> None:
    migrar(tmp_path)
    antes = sql(tmp_path, "SELECT * FROM sqlite_master")
    migrar(tmp_path)
    assert sql(tmp_path, "SELECT * FROM sqlite_master") == antes
    assert sql(tmp_path, "SELECT version_num FROM alembic_version") == [(CABEZA,)]


def test_migrar_se_cuenta_una_vez_y_en_español(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        migrar(tmp_path)
        migrar(tmp_path)
    assert caplog.messages == [f"La base de datos queda en la revisión {CABEZA}."]


def test_la_plantilla_da_una_revision_que_se_puede_ejecutar_y_no_halla_nada_pendiente(
    migrada: Connection, tmp_path: Path
) -> None:
    revision = _revision_nueva(migrada, tablas_de_hoy(), tmp_path)
    assert "    pass\n" in revision
    assert f"down_revision = '{CABEZA}'" in revision


def test_una_revision_nueva_se_escribe_con_los_tipos_que_no_cambian(
    migrada: Connection, tmp_path: Path
) -> None:
    con_otra = tablas_de_hoy()
    Table(
        "otra",
        con_otra,
        Column("id", TEXTO, primary_key=True),
        Column("c0", Instante),
        Column("c1", Importe),
        Column("c2", TextoJson),
    )
    revision = _revision_nueva(migrada, con_otra, tmp_path)
    for columna in ('"id", TEXTO,', '"c0", INSTANTE,', '"c1", IMPORTE,', '"c2", TEXTO_JSON,'):
        assert f"sa.Column({columna}" in revision.replace("'", '"')


def _revision_nueva(conexion: Connection, metadatos: MetaData, carpeta: Path) -> str:
    """El texto de la revisión que falta para llegar a esas tablas; se puede ejecutar."""
    historia = Historia(otras_carpetas=(carpeta,))
    ajustes = configuracion(conexion, historia, metadatos=metadatos)
    command.revision(ajustes, "Añade algo", autogenerate=True, version_path=str(carpeta), rev_id="siguiente")
    (archivo,) = carpeta.glob("siguiente_*.py")
    assert runpy.run_path(str(archivo))["revision"] == "siguiente"
    return archivo.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("paso", "causa"),
    [
        ("op.execute('SELECT no_existe FROM impresiones')", "OperationalError: no such column: no_existe"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        (
            "from alembic.util import CommandError; raise CommandError('de Alembic')",
            "CommandError: de Alembic",
        ),
    ],
)
@pytest.mark.parametrize("ya_migradas", [0, 1])
def test_una_migracion_que_falla_dice_cual_y_por_que_y_no_deja_nada_a_medias(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, paso: str, causa: str, ya_migradas: int
) -> None:
    datos, carpeta = tmp_path / "datos", tmp_path / "revisiones"
    datos.mkdir()
    carpeta.mkdir()
    for _ in range(ya_migradas):
        migrar(datos)
    antes = sql(datos, "SELECT name, sql FROM sqlite_master")
    rota = historia_con(carpeta, "op.execute('CREATE TABLE a_medias (n INTEGER)')", paso)
    with pytest.raises(ErrorDeArranque) as fallo:
        migrar(datos, rota)
    assert str(fallo.value) == (
        f"La base de datos {archivo_de(datos)} no se pudo migrar y sigue como estaba:"
        f" falló la revisión siguiente ({causa})."
    )
    assert [(r.levelname, bool(r.exc_info)) for r in caplog.records if r.levelno > logging.INFO] == [
        ("ERROR", True)
    ]
    assert sql(datos, "SELECT name, sql FROM sqlite_master") == antes
    arreglada = historia_con(carpeta, "op.execute('CREATE TABLE a_medias (n INTEGER)')")
    migrar(datos, arreglada)
    assert sql(datos, "SELECT version_num FROM alembic_version") == [("siguiente",)]


def test_una_revision_del_producto_que_falla_se_nombra(tmp_path: Path) -> None:
    # Estorba a la última tabla que se crea, cuando las demás ya lo están.
    sql(tmp_path, "CREATE TABLE bandeja_salida (ajena TEXT)")
    with pytest.raises(
        ErrorDeArranque, match=r"falló la revisión 0001 \(OperationalError: table bandeja_salida"
    ):
        LibroSQLite(tmp_path).abrir()
    assert sql(tmp_path, "SELECT name FROM sqlite_master") == [("bandeja_salida",)]
    sql(tmp_path, "DROP TABLE bandeja_salida")
    migrar(tmp_path)
    assert sql(tmp_path, "SELECT version_num FROM alembic_version") == [(CABEZA,)]


def test_una_revision_que_ni_se_puede_leer_no_pasa_por_una_version_posterior(tmp_path: Path) -> None:
    datos = tmp_path / "datos"
    with pytest.raises(ErrorDeArranque, match=r"no se pudo migrar .*\(SyntaxError: "):
        migrar(datos, historia_con(tmp_path, "esto no es Python"))


def test_una_migracion_olvidada_se_dice_al_arrancar_y_no_toca_nada(tmp_path: Path) -> None:
    migrar(tmp_path)
    sql(tmp_path, "ALTER TABLE impresiones DROP COLUMN referrer")
    antes = sql(tmp_path, "SELECT name, sql FROM sqlite_master")
    for arrancar in (migrar, lambda datos: LibroSQLite(datos).abrir()):
        with pytest.raises(ErrorDeArranque, match="a la tabla impresiones le falta la columna referrer"):
            arrancar(tmp_path)
    assert sql(tmp_path, "SELECT name, sql FROM sqlite_master") == antes


async def test_una_tabla_que_otro_cambia_en_marcha_se_dice_y_los_eventos_esperan(tmp_path: Path) -> None:
    libro, lecturas = LibroSQLite(tmp_path), LecturasSQLite(tmp_path)
    libro.abrir()
    try:
        assert await lecturas.leer(lambda c: c.eventos(clases.IMPRESIONES).obtener(["imp-123"])) == {}
        sql(tmp_path, "ALTER TABLE impresiones DROP COLUMN referrer")
        for _ in range(2):
            with pytest.raises(BaseDatosNoDisponible, match="impresiones le falta la columna referrer"):
                await libro.ejecutar(lambda t: set(t.eventos(clases.IMPRESIONES).agregar([impresion()])))
        with pytest.raises(BaseDatosNoDisponible):
            await lecturas.leer(lambda c: c.eventos(clases.IMPRESIONES).obtener(["imp-123"]))
        # También a quien pregunta por lo que sí se podría leer.
        with pytest.raises(BaseDatosNoDisponible, match="impresiones le falta la columna referrer"):
            await lecturas.leer(lambda c: c.balance.renglones())
        with pytest.raises(BaseDatosNoDisponible, match="impresiones le falta la columna referrer"):
            lecturas.leer_libro(lambda c: c)
        sql(tmp_path, "ALTER TABLE impresiones ADD COLUMN referrer TEXT")
        assert await libro.ejecutar(lambda t: set(t.eventos(clases.IMPRESIONES).agregar([impresion()]))) == {
            "imp-123"
        }
        assert set(await lecturas.leer(lambda c: c.eventos(clases.IMPRESIONES).obtener(["imp-123"]))) == {
            "imp-123"
        }
    finally:
        lecturas.cerrar()
        libro.cerrar()


async def test_una_columna_que_pide_un_valor_que_no_se_escribe_no_rechaza_a_nadie(tmp_path: Path) -> None:
    libro = LibroSQLite(tmp_path)
    libro.abrir()
    try:
        (creacion,) = sql(tmp_path, "SELECT sql FROM sqlite_master WHERE name = 'impresiones'")
        sql(tmp_path, "ALTER TABLE impresiones RENAME TO apartada")
        sql(tmp_path, str(creacion[0]).replace("(", "(nueva TEXT NOT NULL, ", 1))
        with pytest.raises(
            BaseDatosNoDisponible, match="columna nueva de la tabla impresiones no admite nulos"
        ):
            await libro.ejecutar(lambda t: set(t.eventos(clases.IMPRESIONES).agregar([impresion()])))
        sql(tmp_path, "DROP TABLE impresiones")
        sql(tmp_path, "ALTER TABLE apartada RENAME TO impresiones")
        assert await libro.ejecutar(lambda t: set(t.eventos(clases.IMPRESIONES).agregar([impresion()]))) == {
            "imp-123"
        }
    finally:
        libro.cerrar()


def test_un_esquema_posterior_al_programa_se_dice_en_una_frase(tmp_path: Path) -> None:
    migrar(tmp_path)
    sql(tmp_path, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ErrorDeArranque, match="versión posterior"):
        migrar(tmp_path)
    with pytest.raises(ErrorDeArranque, match="versión posterior"):
        LibroSQLite(tmp_path).abrir()
    assert sql(tmp_path, "SELECT version_num FROM alembic_version") == [("9999",)]


def test_con_el_esquema_al_dia_no_se_importa_alembic(tmp_path: Path) -> None:
    migrar(tmp_path)
    guion = """
import sys
from pathlib import Path
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.libro import LibroSQLite, migrar
migrar(Path(sys.argv[1]))
libro = LibroSQLite(Path(sys.argv[1]))
libro.abrir()
libro.cerrar()
sys.exit("alembic" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", guion, str(tmp_path)], check=True)


def test_si_otro_escribe_no_se_migra_y_se_confia_en_el(tmp_path: Path) -> None:
    libro = LibroSQLite(tmp_path)
    libro.abrir()
    try:
        sql(tmp_path, "UPDATE alembic_version SET version_num = '9999'")
        migrar(tmp_path)
    finally:
        libro.cerrar()
    assert sql(tmp_path, "SELECT version_num FROM alembic_version") == [("9999",)]
