"""Las migraciones: llegan a las tablas que el código espera, enteras o nada, y solo cuando hace falta."""

import logging
import runpy
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

from alpespartners import migraciones
from alpespartners.migraciones import CABEZA, configuracion
from alpespartners.modulos.tracking.infraestructura.libro.tablas import METADATOS
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.archivo import archivo_de
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.libro import LibroSQLite, migrar
from alpespartners.seedwork.arranque import ErrorDeArranque
from tests.apoyo.base_datos import sql


@pytest.fixture
def migrada(tmp_path: Path) -> Generator[Connection]:
    migrar(tmp_path)
    motor = create_engine(f"sqlite:///{archivo_de(tmp_path)}")
    with motor.connect() as conexion:
        yield conexion
    motor.dispose()


def test_migrar_desde_nada_da_las_tablas_que_el_codigo_espera(migrada: Connection) -> None:
    contexto = MigrationContext.configure(migrada, opts={"compare_type": True, "render_as_batch": True})
    assert compare_metadata(contexto, METADATOS) == []


def test_la_migracion_y_las_tablas_dicen_lo_mismo_hasta_en_los_nombres(migrada: Connection) -> None:
    # `compare_metadata` no mira nombres de claves, AUTOINCREMENT ni el orden de las columnas.
    consulta = text("SELECT name, sql FROM sqlite_master WHERE tbl_name <> 'alembic_version' ORDER BY name")
    motor = create_engine("sqlite://")
    with motor.begin() as conexion:
        METADATOS.create_all(conexion)
        creadas = conexion.execute(consulta).all()
    motor.dispose()
    assert migrada.execute(consulta).all() == creadas


def test_la_cabeza_es_la_ultima_revision(migrada: Connection) -> None:
    assert ScriptDirectory.from_config(configuracion(migrada)).get_heads() == [CABEZA]


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
    ajustes = configuracion(migrada)
    propias = Path(migraciones.__file__).parent / "versions"
    ajustes.set_main_option("path_separator", "newline")
    ajustes.set_main_option("version_locations", f"{propias}\n{tmp_path}")
    command.revision(ajustes, "Añade algo", autogenerate=True, version_path=str(tmp_path), rev_id="siguiente")
    (archivo,) = tmp_path.glob("siguiente_*.py")
    revision = runpy.run_path(str(archivo))
    assert (revision["revision"], revision["down_revision"]) == ("siguiente", CABEZA)
    assert "    pass\n" in archivo.read_text(encoding="utf-8")


def test_una_migracion_que_falla_no_deja_nada_a_medias(tmp_path: Path) -> None:
    # Estorba a la última tabla que se crea, cuando las demás ya lo están.
    sql(tmp_path, "CREATE TABLE bandeja_salida (ajena TEXT)")
    with pytest.raises(ErrorDeArranque, match="No se puede abrir la base de datos"):
        migrar(tmp_path)
    assert sql(tmp_path, "SELECT name FROM sqlite_master") == [("bandeja_salida",)]
    sql(tmp_path, "DROP TABLE bandeja_salida")
    migrar(tmp_path)
    assert sql(tmp_path, "SELECT version_num FROM alembic_version") == [(CABEZA,)]


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
