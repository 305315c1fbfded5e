"""Las claves en su tabla: lo que se guarda vuelve igual, y un llavero ve cada cambio, en los dos motores."""

import asyncio
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, text

from alpespartners.composicion.adaptadores import claves_guardadas
from alpespartners.modulos.claves.aplicacion.creacion import ClavePedida, nueva_clave
from alpespartners.modulos.claves.aplicacion.llavero import Lectura, Marca
from alpespartners.modulos.claves.dominio.clave import ClaveGuardada
from alpespartners.modulos.claves.infraestructura.almacen import (
    agregar,
    leer_si_cambiaron,
    revocar,
)
from alpespartners.modulos.tracking.infraestructura.motores.base_datos import (
    BaseDatos,
    LecturasDelLibro,
    Reparaciones,
)
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.base_datos import BaseDatosPostgreSQL
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.base_datos import BaseDatosSQLite
from tests.apoyo.postgresql import ServidorDePrueba

T = TypeVar("T")

AHORA = datetime(2026, 11, 29, 12, 0, 0, 123_456, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def base(request: pytest.FixtureRequest, tmp_path: Path) -> BaseDatos:
    """Una recién migrada."""
    nueva: BaseDatos
    if request.param == "sqlite":
        nueva = BaseDatosSQLite(tmp_path)
    else:
        servidor: ServidorDePrueba = request.getfixturevalue("servidor_postgresql")
        nueva = BaseDatosPostgreSQL(servidor.base_vacia())
    nueva.migrar()
    return nueva


@dataclass
class Almacen:
    """La tabla de una base de datos, escrita como la escribe una orden."""

    base: BaseDatos
    reparaciones: Reparaciones
    lecturas: LecturasDelLibro

    def crear(self, *alcances: str, **pedida: Any) -> tuple[ClaveGuardada, str]:
        guardada, texto = nueva_clave(ClavePedida(nombre="Tienda", alcances=alcances, **pedida), AHORA)
        self.escribir(lambda conexion: agregar(conexion, guardada))
        return guardada, texto

    def escribir(self, trabajo: Callable[[Connection], T]) -> T:
        return self.reparaciones.escribir(trabajo)


@pytest.fixture
def almacen(base: BaseDatos) -> Generator[Almacen]:
    suyo = Almacen(base, base.reparaciones(), base.lecturas())
    yield suyo
    suyo.reparaciones.cerrar()
    suyo.lecturas.cerrar()


def todas(conexion: Connection) -> Sequence[ClaveGuardada]:
    return leer_si_cambiaron(conexion, None).claves or ()


def test_lo_que_se_guarda_vuelve_igual_y_en_el_orden_en_que_se_creo(almacen: Almacen) -> None:
    llenas = [
        almacen.crear(
            "captura",
            "lectura",
            campañas=["cmp-2", "cmp-1", "ñ"],
            prefijo="tienda-",
            limite=100,
            caduca="2027-01-01T00:00:00.000001Z",
        )[0],
        almacen.crear("operacion")[0],
        almacen.crear(dialecto="posthog")[0],
        almacen.crear("navegador", campañas=["c"], origenes=["https://*.b.com", "https://a.com:8443"])[0],
    ]
    assert sorted(almacen.escribir(todas), key=str) == sorted(llenas, key=str)


def test_solo_la_primera_es_la_primera_aunque_este_revocada(almacen: Almacen) -> None:
    guardadas = [nueva_clave(ClavePedida(nombre="a", alcances=["captura"]), AHORA)[0] for _ in range(2)]
    assert almacen.escribir(lambda conexion: agregar(conexion, guardadas[0]))
    almacen.escribir(lambda conexion: revocar(conexion, guardadas[0].identidad, AHORA))
    assert not almacen.escribir(lambda conexion: agregar(conexion, guardadas[1]))


def test_revocar_anota_cuando_y_repetirlo_no_lo_cambia(almacen: Almacen) -> None:
    guardada, _ = almacen.crear("captura")
    otra, _ = almacen.crear("captura")
    identidad = guardada.identidad
    assert almacen.escribir(lambda conexion: revocar(conexion, identidad, AHORA)) == AHORA
    despues = AHORA + timedelta(days=1)
    assert almacen.escribir(lambda conexion: revocar(conexion, identidad, despues)) == AHORA
    assert almacen.escribir(lambda conexion: revocar(conexion, "no-existe", AHORA)) is None
    assert sorted(almacen.escribir(todas), key=str) == sorted(
        [replace(guardada, revocada_en=AHORA), otra], key=str
    )


def test_si_nada_cambio_no_se_lee_ninguna_y_cada_cambio_se_ve(almacen: Almacen) -> None:
    def leer(conocida: Marca | None) -> Lectura:
        return almacen.escribir(lambda conexion: leer_si_cambiaron(conexion, conocida))

    vacia = leer(None)
    assert vacia.claves == []
    assert leer(vacia.marca).claves is None
    guardada, _ = almacen.crear("captura")
    con_una = leer(vacia.marca)
    assert con_una.claves == [guardada]
    assert leer(con_una.marca).claves is None
    almacen.escribir(lambda conexion: revocar(conexion, guardada.identidad, AHORA))
    revocada = leer(con_una.marca)
    assert revocada.claves == [replace(guardada, revocada_en=AHORA)]
    # La crea y la revoca otra máquina, con el reloj atrasado.
    otra, _ = almacen.crear("captura")
    con_dos = leer(revocada.marca)
    almacen.escribir(lambda conexion: revocar(conexion, otra.identidad, AHORA - timedelta(hours=1)))
    cambiadas = leer(con_dos.marca).claves
    assert cambiadas is not None
    assert all(clave.revocada_en is not None for clave in cambiadas)


def test_antes_de_que_haya_tablas_no_hay_ninguna() -> None:
    sin_tablas = leer_si_cambiaron(None, None)
    assert sin_tablas.claves == []
    assert leer_si_cambiaron(None, sin_tablas.marca).claves is None


@pytest.mark.parametrize("columna", ["alcances", "dialecto", "campanas"])
def test_de_una_que_no_escribio_este_programa_no_se_adivina_que_deja_hacer(
    almacen: Almacen, columna: str
) -> None:
    guardada, _ = almacen.crear("captura")
    almacen.escribir(lambda conexion: conexion.execute(text(f"UPDATE claves SET {columna} = '[\"todo\"'")))  # noqa: S608
    leidas = almacen.escribir(lambda conexion: leer_si_cambiaron(conexion, None))
    assert (leidas.claves, leidas.ilegibles) == ([], [guardada.identidad])


def test_una_que_no_escribio_este_programa_no_impide_leer_las_demas(almacen: Almacen) -> None:
    buena, mala = almacen.crear("captura")[0], almacen.crear("captura")[0]
    cambio = text("UPDATE claves SET dialecto = 'mixpanel' WHERE identidad = :identidad")
    almacen.escribir(lambda conexion: conexion.execute(cambio, {"identidad": mala.identidad}))
    leidas = almacen.escribir(lambda conexion: leer_si_cambiaron(conexion, None))
    assert (leidas.claves, leidas.ilegibles) == ([buena], [mala.identidad])


async def test_un_llavero_abre_la_que_se_crea_y_deja_de_abrir_la_que_se_revoca(almacen: Almacen) -> None:
    llavero = claves_guardadas(almacen.lecturas)
    await llavero.ponerse_al_dia()
    assert (llavero.se_conoce, llavero.hay) == (True, False)
    guardada, texto = await asyncio.to_thread(almacen.crear, "captura", campañas=["cmp-1"])
    await llavero.ponerse_al_dia()
    assert llavero.abrir(texto) == guardada
    await asyncio.to_thread(almacen.escribir, lambda conexion: revocar(conexion, guardada.identidad, AHORA))
    await llavero.ponerse_al_dia()
    assert llavero.abrir(texto) is None


async def test_un_llavero_que_no_puede_leer_sigue_abriendo_lo_que_abria(almacen: Almacen) -> None:
    _, texto = await asyncio.to_thread(almacen.crear, "captura")
    llavero = claves_guardadas(almacen.lecturas)
    await llavero.ponerse_al_dia()
    await asyncio.to_thread(
        almacen.escribir, lambda conexion: conexion.execute(text("ALTER TABLE claves RENAME TO otras"))
    )
    await llavero.ponerse_al_dia()
    assert llavero.al_dia
    assert llavero.abrir(texto) is not None
