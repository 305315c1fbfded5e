"""Los hechos dicen de una lectura lo mismo que ella, en los dos motores."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, text

from alpespartners.composicion.adaptadores import CUENTAS
from alpespartners.modulos.tracking.aplicacion.clases import CLASES, IMPRESIONES
from alpespartners.modulos.tracking.aplicacion.handlers import ManejadorDeRegistro
from alpespartners.modulos.tracking.dominio.lectura import NO_EVALUADA, Lectura
from alpespartners.modulos.tracking.infraestructura.libro.hechos import hechos
from alpespartners.modulos.tracking.infraestructura.motores.base_datos import BaseDatos
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.base_datos import BaseDatosPostgreSQL
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.base_datos import BaseDatosSQLite
from alpespartners.modulos.tracking.infraestructura.repositorios import RepositorioEventosSQL
from tests.apoyo.eventos import AHORA, IMPRESION, recibido
from tests.apoyo.postgresql import ServidorDePrueba

LECTURAS = [
    Lectura(reglas="1"),
    Lectura(reglas="1", red="tiktok", dispositivo="movil", pais="CO", clase="UNICO"),
    Lectura(reglas="1", clase="BOT", bot=True, señales=("agente_de_robot", "referrer_de_spam")),
    Lectura(reglas="1", bot=True, señales=("agente_de_programa", NO_EVALUADA), red="directo"),
    Lectura(reglas="1", clase="INVALIDO", bot=True, señales=("agente_de_robot",)),
    Lectura(reglas="1", señales=(NO_EVALUADA,)),
    None,
]


@pytest.mark.parametrize("motor", ["sqlite", "postgresql"])
def test_los_hechos_dicen_de_cada_lectura_lo_que_ella(
    motor: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    if motor == "sqlite":
        base: BaseDatos = BaseDatosSQLite(tmp_path, CUENTAS)
    else:
        servidor: ServidorDePrueba = request.getfixturevalue("servidor_postgresql")
        base = BaseDatosPostgreSQL(servidor.base_nueva(), CUENTAS)
    reparaciones, libro = base.reparaciones(), base.libro()
    libro.abrir()
    try:
        lote = [recibido(replace(IMPRESION, id=f"i-{lugar}"), f"c-{lugar}") for lugar in range(len(LECTURAS))]
        manejador = ManejadorDeRegistro(IMPRESIONES, None)
        asyncio.run(libro.ejecutar(lambda transaccion: manejador.manejar(lote, transaccion, AHORA)))
        suyas = {f"i-{lugar}": lectura for lugar, lectura in enumerate(LECTURAS) if lectura is not None}
        reparaciones.escribir(
            lambda conexion: RepositorioEventosSQL(conexion, IMPRESIONES).poner_lecturas(suyas)
        )
        halladas = reparaciones.leer_libro(_de_las_impresiones)
    finally:
        libro.cerrar()
        reparaciones.cerrar()
    nada = Lectura(reglas="")
    esperadas = [
        (una.clase_de_trafico, una.red, una.dispositivo, una.pais, una.robot)
        for una in (lectura or nada for lectura in LECTURAS)
    ]
    assert sorted(halladas, key=str) == sorted(esperadas, key=str)


def test_en_sqlite_una_lectura_ilegible_no_impide_contar_las_demas(tmp_path: Path) -> None:
    base = BaseDatosSQLite(tmp_path, CUENTAS)
    reparaciones, libro = base.reparaciones(), base.libro()
    libro.abrir()
    try:
        lote = [recibido(replace(IMPRESION, id=f"i-{lugar}"), f"c-{lugar}") for lugar in range(2)]
        manejador = ManejadorDeRegistro(IMPRESIONES, None)
        asyncio.run(libro.ejecutar(lambda transaccion: manejador.manejar(lote, transaccion, AHORA)))
        suya = {"i-0": LECTURAS[2] or Lectura(reglas="")}
        reparaciones.escribir(
            lambda conexion: RepositorioEventosSQL(conexion, IMPRESIONES).poner_lecturas(suya)
        )
        reparaciones.escribir(
            lambda conexion: conexion.execute(
                text("UPDATE impresiones SET lectura = 'basura' WHERE id = 'i-1'")
            )
        )
        halladas = reparaciones.leer_libro(_de_las_impresiones)
    finally:
        libro.cerrar()
        reparaciones.cerrar()
    assert sorted(halladas, key=str) == [("BOT", None, None, None, "agente_de_robot"), (None,) * 5]


def _de_las_impresiones(conexion: Connection) -> list[tuple[str | None, ...]]:
    filas = hechos()[CLASES.index(IMPRESIONES)].subquery().c
    consulta = select(filas.clase, filas.red, filas.dispositivo, filas.pais, filas.robot)
    return [tuple(fila) for fila in conexion.execute(consulta)]
