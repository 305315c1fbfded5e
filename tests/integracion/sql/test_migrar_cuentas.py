"""Las revisiones 0007 y 0015: cuentan lo que había igual que quien registra; nadie escribe sin contar."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

import asyncpg
import pytest

from alpespartners.composicion.adaptadores import CUENTAS
from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.clases import Clase
from alpespartners.modulos.tracking.aplicacion.handlers import ManejadorDeRegistro
from alpespartners.modulos.tracking.aplicacion.mensajes import ComandoRecibido
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible
from alpespartners.modulos.tracking.dominio.objetos_valor import TipoEvento
from alpespartners.modulos.tracking.infraestructura.motores.base_datos import (
    BaseDatos,
    LecturasDelLibro,
    Libro,
)
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.base_datos import BaseDatosPostgreSQL
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.archivo import (
    archivo_de,
    biblioteca_sqlite,
)
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.base_datos import BaseDatosSQLite
from alpespartners.seedwork.arranque import ErrorDeArranque
from tests.apoyo.base_datos import libro_sqlite
from tests.apoyo.cuentas import TABLAS, Cuentas, contadas_y_guardadas
from tests.apoyo.espera import hasta
from tests.apoyo.eventos import AHORA, CONVERSION, IMPRESION, recibido
from tests.apoyo.postgresql import ServidorDePrueba, libro_postgresql, sql
from tests.apoyo.procedencias import LECTURAS_QUE_SE_CUENTAN, LectorPorAgente
from tests.apoyo.revisiones import VOLVER_A_LA_0010, VOLVER_A_LA_0014

DIA = datetime(2026, 1, 14, tzinfo=UTC)
MICROSEGUNDO = timedelta(microseconds=1)
EL_MAYOR = Decimal("99999999999999.9999")
"""El importe más grande: en diezmilésimas, diez ya no caben en 64 bits."""

VOLVER_A_LA_0006 = (
    *VOLVER_A_LA_0010,
    "DROP INDEX ix_conversiones_influencer_id_ocurrido_en_id",
    *(f"DROP TABLE {tabla}" for tabla in (*TABLAS, "usuarios_por_dia", "claves")),
    "ALTER TABLE carriles RENAME COLUMN arriendo_hasta TO reservado_hasta",
    "UPDATE alembic_version SET version_num = '0006'",
)
DE_ANTES = {
    "sigue_en_su_carril": "UPDATE carriles SET reservado_hasta = {ahora}",
    "abre_uno": (
        "INSERT INTO carriles (topico, titular, publicado_hasta, ultimo, escritas, seguidas, publicadas,"
        " reservado_hasta) VALUES ('t', 'de-antes', 0, 0, 0, 0, 0, {ahora})"
    ),
}
"""Lo que un consumidor de la 0006 hace con su carril en cada lote."""


class Motor(ABC):
    """Una base de datos recién migrada.

    Args:
        base: la misma, como la eligen los ajustes.
    """

    ahora: str

    def __init__(self, base: BaseDatos) -> None:
        self.base = base
        base.migrar()

    @abstractmethod
    def abierto(self) -> AbstractContextManager[tuple[Libro, LecturasDelLibro]]:
        """Un proceso que escribe en ella, y otro que la lee."""

    @abstractmethod
    def en_una_transaccion(self, *sentencias: str) -> Any:
        """Las ejecuta, confirma si ninguna falla y devuelve las filas de la última."""

    def registrar(self, clase: Clase, lote: Sequence[ComandoRecibido]) -> None:
        with self.abierto() as (libro, _):
            asyncio.run(
                libro.ejecutar(
                    lambda t: ManejadorDeRegistro(clase, LectorPorAgente()).manejar(lote, t, AHORA)
                )
            )

    def cuentas(self) -> Cuentas:
        """Las guardadas, que son las que da contar las filas."""
        with self.abierto() as (_, lecturas):
            contadas, guardadas = lecturas.leer_libro(contadas_y_guardadas)
        assert guardadas == contadas
        return guardadas

    def insertar(self, id_evento: str) -> str:
        """La sentencia con que un consumidor de la 0006 escribe una fila."""
        return (
            "INSERT INTO impresiones (id, campana_id, tipo_evento, propiedades, comando_id, recibido_en,"  # noqa: S608
            " registrado_en, ocurrido_en, advertencias, secuencia)"
            f" VALUES ('{id_evento}', 'c', 'CLIC', '{{}}', 'c-1', {self.ahora}, {self.ahora}, {self.ahora},"
            " '[]', 1000000)"
        )


class EnSQLite(Motor):
    ahora = "1768473360120000"

    def __init__(self, datos: Path) -> None:
        super().__init__(BaseDatosSQLite(datos, CUENTAS))
        self._datos = datos

    def abierto(self) -> AbstractContextManager[tuple[Libro, LecturasDelLibro]]:
        return libro_sqlite(self._datos)

    def en_una_transaccion(self, *sentencias: str) -> Any:
        with closing(biblioteca_sqlite().connect(archivo_de(self._datos))) as conexion, conexion:
            conexion.execute("BEGIN IMMEDIATE")
            return [conexion.execute(sentencia).fetchall() for sentencia in sentencias][-1]


class EnPostgreSQL(Motor):
    ahora = "'2026-01-15 10:36:00.12Z'"

    def __init__(self, url: str) -> None:
        super().__init__(BaseDatosPostgreSQL(url, CUENTAS))
        self._url = url

    def abierto(self) -> AbstractContextManager[tuple[Libro, LecturasDelLibro]]:
        return libro_postgresql(self._url)

    def en_una_transaccion(self, *sentencias: str) -> Any:
        return sql(self._url, "; ".join(sentencias))


@pytest.fixture(params=["sqlite", "postgresql"])
def motor(request: pytest.FixtureRequest, tmp_path: Path) -> Motor:
    if request.param == "sqlite":
        return EnSQLite(tmp_path)
    return EnPostgreSQL(request.getfixturevalue("servidor_postgresql").base_nueva())


@pytest.mark.parametrize(
    ("volver", "lecturas"),
    # Antes de la 0013 no se guardaba ninguna.
    [(VOLVER_A_LA_0006, 1), (VOLVER_A_LA_0014, len(LECTURAS_QUE_SE_CUENTAN))],
    ids=["0006", "0014"],
)
def test_lo_que_habia_se_cuenta_igual_que_si_se_acabara_de_registrar(
    motor: Motor, volver: Sequence[str], lecturas: int
) -> None:
    tramos = [DIA + n * timedelta(minutes=7, seconds=30) for n in range(-5, 6)]
    rincones = [DIA - MICROSEGUNDO, DIA, DIA + timedelta(minutes=15) - MICROSEGUNDO]
    combinadas = product((*tramos, *rincones, None), ("cmp-1", "ñandú", "🛒"), ("inf-1", None))
    comunes: list[dict[str, Any]] = [
        {
            "timestamp": cuando,
            "campaña_id": campaña,
            "influencer_id": influencer,
            "user_agent": f"{lugar % lecturas}",
        }
        for lugar, (cuando, campaña, influencer) in enumerate(combinadas)
    ]
    motor.registrar(
        clases.IMPRESIONES,
        [
            recibido(replace(IMPRESION, id=f"{tipo}-{n}", tipo_evento=tipo, **cambios), f"{tipo}-{n}")
            for tipo in TipoEvento
            for n, cambios in enumerate(comunes)
        ],
    )
    dinero: list[dict[str, Any]] = [
        {"valor": EL_MAYOR, "moneda": "UYW", "cupon": "VERANO"},
        {"valor": Decimal("0.0001"), "moneda": "CLF"},
        {"valor": Decimal(0), "moneda": "COP"},
        {"valor": None, "moneda": None, "tipo_conversion": "REGISTRO"},
        # Una moneda sin importe no cuenta en ella.
        {"valor": None, "moneda": "COP", "tipo_conversion": "DESCARGA"},
    ]
    motor.registrar(
        clases.CONVERSIONES,
        [
            recibido(replace(CONVERSION, id=f"{m}-{n}", **suyo, **cambios), f"{m}-{n}")
            for m, suyo in enumerate(dinero)
            for n, cambios in enumerate(comunes)
        ],
    )
    registradas = motor.cuentas()
    assert sum(n for n, _ in registradas["cuentas_por_dia"].values()) == (3 + len(dinero)) * len(comunes)
    assert max(valen for _, valen in registradas["cuentas_por_dia"].values()) >= 10 * (10**18 - 1)
    clases_de_clic = {clave[3] for clave in registradas["cuentas_por_dia"] if clave[2] == "CLIC"}
    assert len(clases_de_clic) == (1 if lecturas == 1 else 5)
    motor.en_una_transaccion(*volver)
    # Se cuenta por tandas de números de llegada: cada cuenta sale así de varias.
    for tabla in ("impresiones", "conversiones"):
        motor.en_una_transaccion(f"UPDATE {tabla} SET secuencia = secuencia * 30000 + 1")  # noqa: S608 (es suya)
    motor.base.migrar()
    assert motor.cuentas() == registradas
    # Lo que se registra después suma en las mismas.
    motor.registrar(clases.IMPRESIONES, [recibido(replace(IMPRESION, id="nueva"), "nueva")])
    assert motor.cuentas() != registradas


@pytest.mark.parametrize("con_su_carril", DE_ANTES)
def test_un_consumidor_de_antes_no_escribe_ninguna_fila(motor: Motor, con_su_carril: str) -> None:
    lote = [motor.insertar("de-antes"), DE_ANTES[con_su_carril].format(ahora=motor.ahora)]
    motor.en_una_transaccion(*VOLVER_A_LA_0006)
    motor.en_una_transaccion(*lote)
    motor.base.migrar()
    antes = motor.cuentas()
    assert sum(n for n, _ in antes["cuentas_por_tramo"].values()) == 1
    lote[0] = motor.insertar("despues").replace("1000000", "1000001")
    with pytest.raises((biblioteca_sqlite().OperationalError, CalledProcessError)):
        motor.en_una_transaccion(*lote)
    assert motor.en_una_transaccion("SELECT count(*) FROM impresiones WHERE id = 'despues'") in (
        [(0,)],
        [["0"]],
    )
    assert motor.cuentas() == antes


def test_un_consumidor_que_cuenta_sin_clase_no_escribe_ninguna_fila(motor: Motor) -> None:
    cuenta = (
        "INSERT INTO cuentas_por_dia"  # noqa: S608
        " (campana_id, dia, tipo, moneda, fragmento, cuantos, valor_alto, valor_bajo)"
        f" VALUES ('c', {motor.ahora}, 'CLIC', '', 0, 1, 0, 0)"
        " ON CONFLICT (campana_id, dia, tipo, moneda, fragmento)"
        " DO UPDATE SET cuantos = cuentas_por_dia.cuantos + excluded.cuantos"
    )
    motor.en_una_transaccion(*VOLVER_A_LA_0014)
    motor.en_una_transaccion(motor.insertar("de-antes"), cuenta)
    motor.base.migrar()
    antes = motor.cuentas()
    with pytest.raises((biblioteca_sqlite().OperationalError, CalledProcessError)):
        motor.en_una_transaccion(motor.insertar("despues").replace("1000000", "1000001"), cuenta)
    assert motor.cuentas() == antes


async def test_migrar_espera_a_quien_esta_escribiendo_y_cuenta_lo_suyo(
    servidor_postgresql: ServidorDePrueba,
) -> None:
    url = servidor_postgresql.base_nueva()
    motor = EnPostgreSQL(url)
    motor.en_una_transaccion(*VOLVER_A_LA_0006)
    consumidor = await asyncpg.connect(url)
    try:
        async with consumidor.transaction():
            await consumidor.execute(motor.insertar("a-medias"))
            migracion = asyncio.create_task(asyncio.to_thread(motor.base.migrar))
            esperando = "SELECT 1 FROM pg_locks WHERE relation = 'impresiones'::regclass AND NOT granted"
            await asyncio.to_thread(hasta, lambda: sql(url, esperando))
            # Lo último de su lote, su carril: no le puede esperar a ella.
            await consumidor.execute("UPDATE carriles SET reservado_hasta = now()")
        await migracion
    finally:
        await consumidor.close()
    cuentas = await asyncio.to_thread(motor.cuentas)
    assert [clave[0] for clave in cuentas["cuentas_por_tramo"]] == ["c"]
    # Ninguno de los dos tuvo que empezar otra vez.
    bloqueos = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    assert sql(url, bloqueos) == [["0"]]


@pytest.mark.parametrize(
    ("cambio", "falta"),
    [
        ("DROP TABLE cuentas_por_dia", "falta la tabla cuentas_por_dia"),
        (
            "ALTER TABLE cuentas_por_tramo DROP COLUMN valor_alto",
            "a la tabla cuentas_por_tramo le falta la columna valor_alto",
        ),
    ],
)
def test_sin_donde_contar_nadie_escribe_ni_lee_y_se_dice_que_falta(
    motor: Motor, cambio: str, falta: str
) -> None:
    motor.en_una_transaccion(cambio)
    for arrancar in (
        motor.base.migrar,
        motor.base.libro().abrir,
        lambda: motor.base.dejar_lista(migra=False),
    ):
        with pytest.raises(ErrorDeArranque, match=falta):
            arrancar()
    lecturas = motor.base.lecturas()
    try:
        with pytest.raises(BaseDatosNoDisponible, match=falta):
            lecturas.leer_libro(lambda _conexion: None)
    finally:
        lecturas.cerrar()
