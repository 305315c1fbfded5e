"""De entidad a fila y de vuelta, sobre SQLite: lo que sale es lo que entró."""

from collections.abc import Generator
from decimal import Decimal

import pytest
from hypothesis import given
from sqlalchemy import Connection, Text, create_engine, insert, literal, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import StatementError

from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.comandos import RegistrarConversion, RegistrarImpresion
from alpespartners.modulos.tracking.infraestructura.libro.filas import a_fila
from alpespartners.modulos.tracking.infraestructura.libro.tablas import METADATOS, conversiones, impresiones
from alpespartners.modulos.tracking.infraestructura.repositorios import RepositorioEventosSQL
from alpespartners.seedwork.sql.tipos import TEXTO, Importe, Instante
from tests.apoyo.estrategias import comandos_de_conversion, comandos_de_impresion
from tests.apoyo.eventos import conversion, impresion


@pytest.fixture(scope="module")
def conexion() -> Generator[Connection]:
    motor = create_engine("sqlite://")
    with motor.connect() as abierta:
        METADATOS.create_all(abierta)
        yield abierta
    motor.dispose()


@given(comandos_de_impresion())
def test_toda_impresion_vuelve_igual_de_su_fila(conexion: Connection, comando: RegistrarImpresion) -> None:
    entidad = impresion(comando)
    with conexion.begin_nested() as guardado:
        repositorio = RepositorioEventosSQL(conexion, clases.IMPRESIONES)
        assert set(repositorio.agregar([entidad])) == {entidad.id}
        assert repositorio.obtener([entidad.id]) == {entidad.id: entidad}
        assert conexion.scalar(select(impresiones.c.ocurrido_en)) == entidad.ocurrido_en
        guardado.rollback()


@given(comandos_de_conversion())
def test_toda_conversion_vuelve_igual_de_su_fila_con_las_cifras_de_su_importe(
    conexion: Connection, comando: RegistrarConversion
) -> None:
    entidad = conversion(comando)
    with conexion.begin_nested() as guardado:
        repositorio = RepositorioEventosSQL(conexion, clases.CONVERSIONES)
        assert set(repositorio.agregar([entidad])) == {entidad.id}
        leida = repositorio.obtener([entidad.id])[entidad.id]
        guardado.rollback()
    assert leida == entidad
    # `Decimal("1.0") == Decimal("1.00")`: la igualdad no ve las cifras.
    assert str(leida.contenido.valor) == str(entidad.contenido.valor)


def test_el_dinero_y_los_instantes_se_guardan_como_enteros(conexion: Connection) -> None:
    with conexion.begin_nested() as guardado:
        RepositorioEventosSQL(conexion, clases.CONVERSIONES).agregar([conversion(valor=Decimal("199999.99"))])
        fila = conexion.execute(
            text("SELECT valor, typeof(valor), ocurrido_en, typeof(ocurrido_en) FROM conversiones")
        ).one()
        guardado.rollback()
    assert tuple(fila) == (1_999_999_900, "integer", 1_768_473_300_000_000, "integer")


def test_un_importe_con_mas_de_cuatro_decimales_no_se_redondea_se_rechaza(conexion: Connection) -> None:
    with pytest.raises(StatementError, match="más decimales"):
        conexion.scalar(select(literal(Decimal("0.00001"), Importe)))


def test_una_fila_con_una_moneda_que_dejo_de_estar_activa_se_sigue_leyendo(conexion: Connection) -> None:
    antigua = a_fila(conversion(id="antigua", valor=Decimal("7.5"))) | {"moneda": "HRK", "secuencia": 1}
    with conexion.begin_nested() as guardado:
        conexion.execute(insert(conversiones).values(antigua))
        leida = RepositorioEventosSQL(conexion, clases.CONVERSIONES).obtener(["antigua"])["antigua"]
        guardado.rollback()
    assert leida.contenido.valor is not None
    assert (leida.contenido.valor.valor, leida.contenido.valor.moneda) == (Decimal("7.5"), "HRK")


def test_el_texto_se_compara_por_puntos_de_codigo_en_los_dos_motores(conexion: Connection) -> None:
    postgres = postgresql.dialect()  # type: ignore[no-untyped-call]
    assert str(TEXTO.compile(dialect=postgres)) == 'TEXT COLLATE "C"'
    assert str(TEXTO.compile(dialect=conexion.dialect)) == "TEXT"


def test_un_valor_ausente_es_null(conexion: Connection) -> None:
    nulos = select(literal(None, Importe), literal(None, Instante), literal(None, Text))
    assert tuple(conexion.execute(nulos).one()) == (None, None, None)
