"""El único escritor de SQLite: su turno, sus transacciones y lo que pasa cuando algo falla o muere."""

import asyncio
import logging
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.handlers import ManejadorDeRegistro
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible
from alpespartners.modulos.tracking.dominio.repositorios import FiltroEventos
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.archivo import (
    archivo_de,
    biblioteca_sqlite,
    motor_de_escritura,
)
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.lecturas import LecturasSQLite
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.libro import LibroSQLite, migrar
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.turno import hay_consumidor, turno_breve
from alpespartners.seedwork.arranque import ErrorDeArranque
from tests.apoyo.base_datos import libro_sqlite, sql
from tests.apoyo.eventos import AHORA, IMPRESION, impresion, recibido

# Abre el libro, deposita sin confirmar y espera a que lo maten.
_A_MEDIAS = """
import asyncio, sys
from pathlib import Path
from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.libro import LibroSQLite
from tests.apoyo.base_datos import sql
from tests.apoyo.eventos import impresion

def confirmado(transaccion):
    transaccion.eventos(clases.IMPRESIONES).agregar([impresion(id="confirmada")])

def a_medias(transaccion):
    transaccion.eventos(clases.IMPRESIONES).agregar([impresion(id="a-medias")])
    sys.stdout.write("listo\\n")
    sys.stdout.flush()
    sys.stdin.read()

async def principal():
    libro = LibroSQLite(Path(sys.argv[1]))
    libro.abrir()
    await libro.ejecutar(confirmado)
    await libro.ejecutar(a_medias)

asyncio.run(principal())
"""
_RAIZ = Path(__file__).parents[3]


@pytest.fixture
def libro(tmp_path: Path) -> LibroSQLite:
    return LibroSQLite(tmp_path / "carpeta con espacios %41?#")


def test_un_segundo_consumidor_termina_con_una_frase(tmp_path: Path) -> None:
    primero = LibroSQLite(tmp_path)
    primero.abrir()
    try:
        with pytest.raises(ErrorDeArranque, match="Ya hay un proceso de consumidores sobre"):
            LibroSQLite(tmp_path).abrir()
    finally:
        primero.cerrar()
    tercero = LibroSQLite(tmp_path)
    tercero.abrir()
    tercero.cerrar()


async def test_un_consumidor_espera_a_que_termine_una_migracion(tmp_path: Path) -> None:
    libro = LibroSQLite(tmp_path)
    with turno_breve(tmp_path) as mio:
        assert mio
        apertura = asyncio.create_task(asyncio.to_thread(libro.abrir))
        hecha, _ = await asyncio.wait([apertura], timeout=0.3)
        assert not hecha
        assert not hay_consumidor(tmp_path)
    await apertura
    assert hay_consumidor(tmp_path)
    libro.cerrar()
    assert not hay_consumidor(tmp_path)


def test_la_carpeta_y_el_archivo_se_crean_solo_para_su_dueño(libro: LibroSQLite, tmp_path: Path) -> None:
    libro.abrir()
    asyncio.run(libro.ejecutar(lambda t: set(t.eventos(clases.IMPRESIONES).agregar([impresion()]))))
    (carpeta,) = tmp_path.iterdir()
    assert carpeta.stat().st_mode & 0o077 == 0
    assert {ruta.stat().st_mode & 0o077 for ruta in carpeta.iterdir()} == {0}
    libro.cerrar()


async def test_las_transacciones_simultaneas_van_de_una_en_una_y_ninguna_cuenta_dos_veces(
    libro: LibroSQLite,
) -> None:
    libro.abrir()

    async def asentar(numero: int) -> str:
        lote = [recibido(IMPRESION, f"c-{numero}")]
        manejador = ManejadorDeRegistro(clases.IMPRESIONES)
        (asiento,), _ = await libro.ejecutar(lambda t: manejador.manejar(lote, t, AHORA))
        return asiento.destino.estado

    estados = await asyncio.gather(*(asentar(numero) for numero in range(20)))
    assert sorted(estados) == ["DUPLICADA"] * 19 + ["REGISTRADA"]
    libro.cerrar()


async def test_cerrar_espera_a_la_transaccion_en_curso(tmp_path: Path) -> None:
    libro = LibroSQLite(tmp_path)
    libro.abrir()
    trabajo = asyncio.ensure_future(
        libro.ejecutar(lambda t: set(t.eventos(clases.IMPRESIONES).agregar([impresion()])))
    )
    await asyncio.sleep(0)
    libro.cerrar()
    assert await trabajo == {"imp-123"}


async def test_un_trabajo_cancelado_se_confirma_o_no_pero_no_estorba_al_siguiente(libro: LibroSQLite) -> None:
    libro.abrir()
    tarea = asyncio.ensure_future(
        libro.ejecutar(lambda t: set(t.eventos(clases.IMPRESIONES).agregar([impresion()])))
    )
    await asyncio.sleep(0)
    tarea.cancel()
    await asyncio.wait([tarea])
    await libro.ejecutar(lambda t: set(t.eventos(clases.IMPRESIONES).agregar([impresion()])))
    assert await libro.ejecutar(lambda t: len(t.eventos(clases.IMPRESIONES).obtener(["imp-123"]))) == 1
    libro.cerrar()


async def test_un_fallo_de_la_base_de_datos_se_dice_como_tal_sin_datos_personales(tmp_path: Path) -> None:
    libro = LibroSQLite(tmp_path)
    libro.abrir()
    sql(tmp_path, "ALTER TABLE impresiones RENAME TO apartada")
    with pytest.raises(BaseDatosNoDisponible) as fallo:
        await libro.ejecutar(lambda t: set(t.eventos(clases.IMPRESIONES).agregar([impresion()])))
    assert "falta la tabla impresiones" in str(fallo.value)
    assert "usr-101" not in f"{fallo.value} {fallo.value.__cause__}"
    sql(tmp_path, "ALTER TABLE apartada RENAME TO impresiones")
    assert set(await libro.ejecutar(lambda t: t.eventos(clases.IMPRESIONES).agregar([impresion()]))) == {
        "imp-123"
    }
    libro.cerrar()


async def test_con_el_disco_lleno_no_queda_nada_y_al_haber_sitio_se_sigue(tmp_path: Path) -> None:
    libro = LibroSQLite(tmp_path)
    libro.abrir()

    def limitar(paginas: int) -> None:
        with libro._motor.connect() as conexion:  # noqa: SLF001 — el límite es de esta conexión
            conexion.exec_driver_sql(f"PRAGMA max_page_count = {paginas}")

    limitar(1)
    muchas = [impresion(id=f"imp-{n}") for n in range(3_000)]
    with pytest.raises(BaseDatosNoDisponible, match="full"):
        await libro.ejecutar(lambda t: t.eventos(clases.IMPRESIONES).agregar(muchas))
    limitar(1_000_000)
    assert await libro.ejecutar(lambda t: t.eventos(clases.IMPRESIONES).obtener(["imp-0"])) == {}
    assert len(await libro.ejecutar(lambda t: t.eventos(clases.IMPRESIONES).agregar(muchas))) == 3_000
    libro.cerrar()


async def test_un_lote_se_inserta_en_el_orden_de_su_clave(tmp_path: Path) -> None:
    # Dos consumidores sobre PostgreSQL con lotes que se cruzan se bloquearían uno a otro.
    ids = ["c", "a", "ñ", "B", "🛒", "b"]
    libro = LibroSQLite(tmp_path)
    libro.abrir()
    await libro.ejecutar(
        lambda t: t.eventos(clases.IMPRESIONES).agregar([impresion(id=id_evento) for id_evento in ids])
    )
    libro.cerrar()
    assert [
        id_evento for (id_evento,) in sql(tmp_path, "SELECT id FROM impresiones ORDER BY rowid")
    ] == sorted(ids)


async def test_quien_lee_mientras_se_escribe_ve_transacciones_enteras(tmp_path: Path) -> None:
    libro, lecturas = LibroSQLite(tmp_path), LecturasSQLite(tmp_path)
    libro.abrir()
    filtro = FiltroEventos(campaña_id="cmp-456")
    terminado = asyncio.Event()

    async def leer() -> set[int]:
        vistos = set()
        while not terminado.is_set():
            vistos.add(
                len(await lecturas.leer(lambda c: c.eventos(clases.IMPRESIONES).listar(filtro, None, 1_000)))
            )
        return vistos

    lectores = [asyncio.create_task(leer()) for _ in range(3)]
    for lote in range(30):
        nuevas = [impresion(id=f"imp-{lote}-{n}") for n in range(10)]
        await libro.ejecutar(lambda t, nuevas=nuevas: t.eventos(clases.IMPRESIONES).agregar(nuevas))  # type: ignore[misc]
    terminado.set()
    vistos = set().union(*await asyncio.gather(*lectores))
    assert {cuantas % 10 for cuantas in vistos} == {0}
    lecturas.cerrar()
    libro.cerrar()


def test_matar_al_escritor_a_media_transaccion_no_deja_nada_de_ella_ni_cerrojo_alguno(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _A_MEDIAS, str(tmp_path)],
        cwd=_RAIZ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as proceso:
        assert proceso.stdout is not None
        assert proceso.stdout.readline() == "listo\n"
        assert hay_consumidor(tmp_path)
        proceso.kill()
        proceso.wait()
    assert not hay_consumidor(tmp_path)
    libro = LibroSQLite(tmp_path)
    libro.abrir()
    leidas = asyncio.run(
        libro.ejecutar(lambda t: t.eventos(clases.IMPRESIONES).obtener(["confirmada", "a-medias"]))
    )
    libro.cerrar()
    assert set(leidas) == {"confirmada"}


@pytest.mark.parametrize("abrir", [migrar, lambda datos: LibroSQLite(datos).abrir()], ids=["migrar", "abrir"])
def test_un_archivo_que_no_es_una_base_de_datos_se_dice_en_una_frase(tmp_path: Path, abrir: object) -> None:
    assert callable(abrir)
    archivo_de(tmp_path).write_bytes(b"esto no es SQLite" * 100)
    with pytest.raises(ErrorDeArranque, match=r"No se puede abrir la base de datos .*not a database"):
        abrir(tmp_path)
    assert not hay_consumidor(tmp_path)


def test_una_carpeta_que_no_se_puede_crear_se_dice_en_una_frase(tmp_path: Path) -> None:
    (tmp_path / "archivo").touch()
    with pytest.raises(ErrorDeArranque, match="No se puede escribir en la carpeta de datos"):
        LibroSQLite(tmp_path / "archivo" / "datos").abrir()


def test_los_ajustes_no_pierden_un_commit_en_un_corte_de_luz(tmp_path: Path) -> None:
    migrar(tmp_path)
    motor = motor_de_escritura(tmp_path)
    with motor.connect() as conexion:
        ajustes = {
            ajuste: conexion.exec_driver_sql(f"PRAGMA {ajuste}").scalar()
            for ajuste in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    motor.dispose()
    assert ajustes == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 60_000}


@pytest.mark.parametrize(("version", "avisa"), [((3, 51, 2), True), ((3, 51, 3), False)])
def test_una_biblioteca_que_puede_dañar_el_wal_se_avisa(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    version: tuple[int, int, int],
    avisa: bool,  # noqa: FBT001
) -> None:
    monkeypatch.setattr(biblioteca_sqlite(), "sqlite_version_info", version)
    with caplog.at_level(logging.WARNING):
        LibroSQLite(tmp_path)
    assert ("puede dañar su WAL" in caplog.text) is avisa


async def test_sin_pysqlite3_se_usa_la_biblioteca_de_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pysqlite3.dbapi2", None)
    assert biblioteca_sqlite() is sqlite3
    libro = LibroSQLite(tmp_path)
    libro.abrir()
    manejador, lote = (
        ManejadorDeRegistro(clases.IMPRESIONES),
        [recibido(IMPRESION, "c-1"), recibido(IMPRESION, "c-2")],
    )
    destinos, _ = await libro.ejecutar(lambda t: manejador.manejar(lote, t, AHORA))
    assert [destino.destino.estado for destino in destinos] == ["REGISTRADA", "DUPLICADA"]
    libro.cerrar()


async def test_copiar_el_archivo_despues_de_cerrar_es_copiarlo_todo(tmp_path: Path) -> None:
    datos, copia = tmp_path / "datos", tmp_path / "copia"
    copia.mkdir()
    with libro_sqlite(datos) as (libro, lecturas):
        await libro.ejecutar(
            lambda transaccion: transaccion.eventos(clases.IMPRESIONES).agregar([impresion()])
        )
        # La API sigue leyendo cuando el consumidor cierra: por eso SQLite no lo consolida solo.
        await lecturas.leer(lambda consulta: consulta.eventos(clases.IMPRESIONES).obtener(["imp-123"]))
        libro.cerrar()
        shutil.copy(archivo_de(datos), archivo_de(copia))
    assert sql(copia, "SELECT id FROM impresiones") == [("imp-123",)]
