"""La revisión 0016: las procedencias de lo que ya se había leído se cuentan igual que al registrar."""

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from alpespartners.composicion.adaptadores import CUENTAS
from alpespartners.migraciones import configuracion
from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.handlers import ManejadorDeRegistro
from alpespartners.modulos.tracking.aplicacion.puertos import Lector
from alpespartners.modulos.tracking.infraestructura.motores.base_datos import BaseDatos
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.base_datos import BaseDatosPostgreSQL
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.base_datos import BaseDatosSQLite
from tests.apoyo.cuentas import DeProcedencias, contadas_y_guardadas, procedencias_guardadas
from tests.apoyo.eventos import AHORA, CONVERSION, IMPRESION, recibido
from tests.apoyo.postgresql import ServidorDePrueba
from tests.apoyo.procedencias import LectorPorTurnos
from tests.apoyo.revisiones import SIN_PROCEDENCIAS, VOLVER_A_LA_0014

DIA = datetime(2026, 1, 14, tzinfo=UTC)
EL_MAYOR = Decimal("99999999999999.9999")
"""El importe más grande: en diezmilésimas, diez ya no caben en 64 bits."""


@pytest.fixture(params=["sqlite", "postgresql"])
def base(request: pytest.FixtureRequest, tmp_path: Path) -> BaseDatos:
    if request.param == "sqlite":
        nueva: BaseDatos = BaseDatosSQLite(tmp_path, CUENTAS)
    else:
        servidor: ServidorDePrueba = request.getfixturevalue("servidor_postgresql")
        nueva = BaseDatosPostgreSQL(servidor.base_nueva(), CUENTAS)
    nueva.migrar()
    return nueva


def _registrar(base: BaseDatos, lector: Lector | None, clase: clases.Clase, comandos: Sequence[Any]) -> None:
    lote = [recibido(comando, comando.id) for comando in comandos]
    libro = base.libro()
    libro.abrir()
    try:
        asyncio.run(libro.ejecutar(lambda t: ManejadorDeRegistro(clase, lector).manejar(lote, t, AHORA)))
    finally:
        libro.cerrar()


def _procedencias(base: BaseDatos) -> DeProcedencias:
    """Las guardadas, que son las que dan las filas."""
    with ExitStack() as pila:
        lecturas = base.lecturas()
        pila.callback(lecturas.cerrar)
        lecturas.leer_libro(contadas_y_guardadas)
        return lecturas.leer_libro(procedencias_guardadas)


def _escribir(base: BaseDatos, *sentencias: str) -> None:
    def trabajo(conexion: Connection) -> None:
        for sentencia in sentencias:
            conexion.execute(text(sentencia))

    with ExitStack() as pila:
        reparaciones = base.reparaciones()
        pila.callback(reparaciones.cerrar)
        reparaciones.escribir(trabajo)


def _la_de_antes(base: BaseDatos) -> str:
    """La revisión anterior a la 0016."""
    with ExitStack() as pila:
        lecturas = base.lecturas()
        pila.callback(lecturas.cerrar)
        directorio = lecturas.leer_libro(lambda c: ScriptDirectory.from_config(configuracion(c)))
    return str(directorio.get_revision("0016").down_revision)


def test_las_de_lo_que_habia_se_cuentan_igual_que_si_se_acabara_de_registrar(base: BaseDatos) -> None:
    lector = LectorPorTurnos()
    cuando = [DIA - timedelta(microseconds=1), DIA, datetime(1969, 12, 31, 23, tzinfo=UTC), None]
    vistas = [
        replace(IMPRESION, id=f"v-{n}", campaña_id=("ñandú", "🛒")[n % 2], timestamp=cuando[n % 4])
        for n in range(30)
    ]
    hechas = [
        replace(CONVERSION, id=f"c-{n}", valor=(EL_MAYOR, Decimal(0))[n % 2], moneda="UYW") for n in range(80)
    ]
    sin_importe = [
        replace(CONVERSION, id=f"s-{n}", tipo_conversion="REGISTRO", valor=None, moneda=("COP", None)[n % 2])
        for n in range(12)
    ]
    _registrar(base, lector, clases.IMPRESIONES, vistas)
    _registrar(base, lector, clases.CONVERSIONES, [*hechas, *sin_importe])
    _registrar(base, None, clases.IMPRESIONES, [replace(IMPRESION, id="sin-leer")])
    registradas = _procedencias(base)
    assert {dimension for _, _, dimension, *_ in registradas} == {"red", "dispositivo", "pais", "robot"}
    assert max(valen for _, valen in registradas.values()) >= 10 * (10**18 - 1)
    _escribir(
        base,
        *SIN_PROCEDENCIAS,
        f"UPDATE alembic_version SET version_num = '{_la_de_antes(base)}'",  # noqa: S608 (son suyas)
        # Se cuenta por tandas de números de llegada: cada cuenta sale así de varias.
        *(
            f"UPDATE {tabla} SET secuencia = secuencia * 30000 + 1"  # noqa: S608 (ídem)
            for tabla in ("impresiones", "conversiones")
        ),
    )
    base.migrar()
    assert _procedencias(base) == registradas
    # Lo que se registra después suma en las mismas.
    _registrar(base, LectorPorTurnos(), clases.IMPRESIONES, [replace(IMPRESION, id="nueva")])
    assert _procedencias(base) != registradas


def test_en_sqlite_migra_tambien_con_una_lectura_ilegible_que_no_cuenta_para_nadie(tmp_path: Path) -> None:
    base = BaseDatosSQLite(tmp_path, CUENTAS)
    base.migrar()
    dos = [replace(IMPRESION, id="legible"), replace(IMPRESION, id="ilegible")]
    _registrar(base, LectorPorTurnos(), clases.IMPRESIONES, dos)
    _escribir(base, *VOLVER_A_LA_0014, "UPDATE impresiones SET lectura = 'basura' WHERE id = 'ilegible'")
    base.migrar()
    with ExitStack() as pila:
        lecturas = base.lecturas()
        pila.callback(lecturas.cerrar)
        guardadas = lecturas.leer_libro(procedencias_guardadas)
    assert {cuantos for cuantos, _ in guardadas.values()} == {1}
