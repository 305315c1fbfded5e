"""La revisión 0008: resume a los usuarios que había como quien registra, y nadie de antes registra ya."""

import asyncio
import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, text

import alpespartners.migraciones
from alpespartners.composicion.adaptadores import CUENTAS
from alpespartners.modulos.informes.dominio import unicos
from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.handlers import ManejadorDeRegistro
from alpespartners.modulos.tracking.infraestructura.motores.base_datos import BaseDatos, Libro
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.base_datos import BaseDatosPostgreSQL
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.archivo import (
    archivo_de,
    biblioteca_sqlite,
)
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.base_datos import BaseDatosSQLite
from tests.apoyo.cuentas import DeUsuarios, contadas_y_guardadas, usuarios_guardados
from tests.apoyo.eventos import AHORA, CONVERSION, IMPRESION, recibido
from tests.apoyo.postgresql import sql
from tests.apoyo.revisiones import VOLVER_A_LA_0010

DIA = datetime(2026, 1, 14, tzinfo=UTC)

VOLVER_A_LA_0007 = (
    *VOLVER_A_LA_0010,
    "DROP INDEX ix_conversiones_influencer_id_ocurrido_en_id",
    "DROP INDEX ix_cuentas_por_semana_influencer_id_semana_campana_id",
    "DROP TABLE usuarios_por_dia",
    "DROP TABLE claves",
    "ALTER TABLE carriles RENAME COLUMN arriendo_hasta TO arrendado_hasta",
    "UPDATE alembic_version SET version_num = '0007'",
)
DE_ANTES = {
    "sigue_en_su_carril": "UPDATE carriles SET arrendado_hasta = {ahora}",
    "abre_uno": (
        "INSERT INTO carriles (topico, titular, publicado_hasta, ultimo, escritas, seguidas, publicadas,"
        " arrendado_hasta) VALUES ('t', 'de-antes', 0, 0, 0, 0, 0, {ahora})"
    ),
}
"""Lo que un consumidor de la 0007 hace con su carril en cada lote."""


def _revision() -> Any:
    archivo = Path(alpespartners.migraciones.__file__).parent / "versions" / "0008_usuarios.py"
    especificacion = importlib.util.spec_from_file_location("revision_0008", archivo)
    assert especificacion is not None
    assert especificacion.loader is not None
    modulo = importlib.util.module_from_spec(especificacion)
    especificacion.loader.exec_module(modulo)
    return modulo


REVISION = _revision()


class Motor(ABC):
    """Una base de datos recién migrada."""

    ahora: str

    def __init__(self, base: BaseDatos) -> None:
        self.base = base
        base.migrar()

    @abstractmethod
    def en_una_transaccion(self, *sentencias: str) -> Any:
        """Las ejecuta y confirma si ninguna falla."""

    def registrar(self, usuarios: Iterable[str | None], **cambios: Any) -> None:
        """Registra una impresión y una conversión de cada uno."""
        todos = list(usuarios)

        def asentar(libro: Libro, clase: clases.Clase, comando: Any) -> None:
            lote = []
            for usuario in todos:
                clave = f"{clase.plural}-{usuario}-{cambios}"
                suyo = replace(comando, **{"usuario_id": usuario, "id": clave[:120], **cambios})
                lote.append(recibido(suyo, clave))
            asyncio.run(libro.ejecutar(lambda t: ManejadorDeRegistro(clase).manejar(lote, t, AHORA)))

        libro = self.base.libro()
        libro.abrir()
        try:
            asentar(libro, clases.IMPRESIONES, IMPRESION)
            asentar(libro, clases.CONVERSIONES, CONVERSION)
        finally:
            libro.cerrar()

    def usuarios(self) -> DeUsuarios:
        """Los guardados, que son los que están en las filas."""
        lecturas = self.base.lecturas()
        try:
            lecturas.leer_libro(contadas_y_guardadas)
            return lecturas.leer_libro(usuarios_guardados)
        finally:
            lecturas.cerrar()

    def escribir(self, trabajo: Callable[[Connection], Any]) -> None:
        reparaciones = self.base.reparaciones()
        try:
            reparaciones.escribir(trabajo)
        finally:
            reparaciones.cerrar()


class EnSQLite(Motor):
    ahora = "1768473360120000"

    def __init__(self, datos: Path) -> None:
        super().__init__(BaseDatosSQLite(datos, CUENTAS))
        self._datos = datos

    def en_una_transaccion(self, *sentencias: str) -> Any:
        with closing(biblioteca_sqlite().connect(archivo_de(self._datos))) as conexion, conexion:
            conexion.execute("BEGIN IMMEDIATE")
            for sentencia in sentencias:
                conexion.execute(sentencia)


class EnPostgreSQL(Motor):
    ahora = "'2026-01-15 10:36:00.12Z'"

    def __init__(self, url: str) -> None:
        super().__init__(BaseDatosPostgreSQL(url, CUENTAS))
        self._url = url

    def en_una_transaccion(self, *sentencias: str) -> Any:
        sql(self._url, "; ".join(sentencias))


@pytest.fixture(params=["sqlite", "postgresql"])
def motor(request: pytest.FixtureRequest, tmp_path: Path) -> Motor:
    if request.param == "sqlite":
        return EnSQLite(tmp_path)
    return EnPostgreSQL(request.getfixturevalue("servidor_postgresql").base_nueva())


def test_los_que_habia_se_resumen_igual_que_si_se_acabaran_de_registrar(motor: Motor) -> None:
    rincones = [DIA - timedelta(microseconds=1), DIA, datetime(2000, 1, 1, tzinfo=UTC), None]
    for cuando in rincones:
        motor.registrar(["usr-1", "ñandú", "🛒", None], timestamp=cuando, campaña_id="ñ")
    motor.registrar([f"usr-{n}" for n in range(500)], timestamp=DIA)
    registrados = motor.usuarios()
    assert {len(boceto) for _, boceto in registrados.values()} == {3 * 8, 4096}
    motor.en_una_transaccion(*VOLVER_A_LA_0007)
    # Se leen por tandas de números de llegada: los de un día salen así de varias.
    for tabla in ("impresiones", "conversiones"):
        motor.en_una_transaccion(f"UPDATE {tabla} SET secuencia = secuencia * 3000 + 1")  # noqa: S608 (es suya)
    motor.base.migrar()
    assert motor.usuarios() == registrados
    # Lo que se registra después se une a lo mismo.
    motor.registrar(["otro", "usr-1"], campaña_id="ñ", timestamp=DIA + timedelta(hours=3))
    assert motor.usuarios()["ñ", DIA][0] == registrados["ñ", DIA][0] + 4


def test_lo_que_no_cabe_en_la_memoria_se_escribe_a_trozos_y_se_une(motor: Motor) -> None:
    de_400, de_9 = ({unicos.resumen(f"u-{n}") for n in range(cuantos)} for cuantos in (400, 9))
    pequeño, grande = unicos.con(unicos.VACIO, de_9), unicos.con(unicos.VACIO, de_400)
    otro_grande = unicos.con(unicos.VACIO, {unicos.resumen(f"v-{n}") for n in range(500)})
    dia = DIA if isinstance(motor, EnPostgreSQL) else int(DIA.timestamp()) * 10**6
    trozos = [
        {("a", dia): (2, pequeño), ("b", dia): (3, grande)},
        {("a", dia): (5, grande), ("b", dia): (7, pequeño), ("c", dia): (1, grande)},
        {("c", dia): (1, otro_grande)},
    ]

    def guardar(conexion: Connection) -> None:
        with Operations.context(MigrationContext.configure(conexion)):
            for trozo in trozos:
                REVISION._guardar(trozo)  # noqa: SLF001 (es de la revisión, que no tiene nada público)

    motor.escribir(guardar)
    lecturas = motor.base.lecturas()
    try:
        assert lecturas.leer_libro(usuarios_guardados) == {
            ("a", DIA): (7, grande),
            ("b", DIA): (10, grande),
            ("c", DIA): (2, unicos.unidos([grande, otro_grande])),
        }
    finally:
        lecturas.cerrar()


@given(partes=st.lists(st.sets(st.integers(0, 1_000), max_size=3) | st.just(set(range(390))), max_size=4))
def test_el_boceto_de_la_revision_es_el_del_dominio(partes: list[set[int]]) -> None:
    de_ella, del_dominio = b"", unicos.VACIO
    for parte in partes:
        resumenes = {unicos.resumen(f"usr-{n}") for n in parte}
        de_ella, del_dominio = REVISION._con(de_ella, resumenes), unicos.con(del_dominio, resumenes)  # noqa: SLF001 (ídem)
        assert de_ella == del_dominio


@pytest.mark.parametrize("con_su_carril", DE_ANTES)
def test_un_consumidor_de_la_0007_no_escribe_ninguna_fila(motor: Motor, con_su_carril: str) -> None:
    fila = (
        "INSERT INTO impresiones (id, campana_id, usuario_id, tipo_evento, propiedades, comando_id,"  # noqa: S608
        " recibido_en, registrado_en, ocurrido_en, advertencias, secuencia)"
        f" VALUES ('despues', 'c', 'u', 'CLIC', '{{}}', 'c-1', {motor.ahora}, {motor.ahora}, {motor.ahora},"
        " '[]', 1000000)"
    )
    lote = [fila, DE_ANTES[con_su_carril].format(ahora=motor.ahora)]
    motor.en_una_transaccion(*VOLVER_A_LA_0007)
    motor.en_una_transaccion(lote[1])
    motor.base.migrar()
    with pytest.raises((biblioteca_sqlite().OperationalError, CalledProcessError)):
        motor.en_una_transaccion(*lote)
    lecturas = motor.base.lecturas()
    try:
        assert lecturas.leer_libro(lambda c: c.scalar(text("SELECT count(*) FROM impresiones"))) == 0
    finally:
        lecturas.cerrar()
