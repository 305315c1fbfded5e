"""La corriente en PostgreSQL: completa y sin repetir, aunque cuatro escriban a la vez y confirmen tarde."""

import asyncio
import random
import subprocess
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from alembic import command
from sqlalchemy import Connection, Executable, event
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import ClauseElement

from alpespartners.medicion.servidor_postgresql import binarios
from alpespartners.migraciones import configuracion
from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.consultas.leer_corriente import (
    PaginaCorriente,
    leer_corriente,
    peticion_de_corriente,
)
from alpespartners.modulos.tracking.dominio.entidades import Impresion
from alpespartners.modulos.tracking.dominio.excepciones import DatosInvalidos
from alpespartners.modulos.tracking.dominio.repositorios import FiltroCorriente
from alpespartners.modulos.tracking.infraestructura.libro import corriente
from alpespartners.modulos.tracking.infraestructura.libro.corriente import CorrienteSQL
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.lecturas import LecturasPostgreSQL
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.libro import LibroPostgreSQL, migrar
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.servidor import ServidorPostgreSQL
from tests.apoyo.espera import hasta
from tests.apoyo.eventos import AHORA, impresion
from tests.apoyo.postgresql import SIN_PRISA, ServidorDePrueba, libro_postgresql, servidor_de_prueba, sql

SIN_EL_DISPARADOR = "DROP TRIGGER apuntar_escritor ON impresiones"
INSERTAR_COMO_UNA_VERSION_ANTERIOR = (
    "INSERT INTO impresiones (id, campana_id, tipo_evento, propiedades, comando_id, recibido_en,"
    " registrado_en, ocurrido_en, advertencias)"
    " VALUES ($1, 'c', 'CLIC', '{}', 'c-1', now(), now(), now(), '[]')"
)


class Lector:
    """Quien lee la corriente página a página y guarda su cursor."""

    def __init__(self, lecturas: LecturasPostgreSQL) -> None:
        self._lecturas = lecturas
        self.cursor: str | None = None
        self.vistas: list[str] = []
        self.vueltas = 0

    async def pagina(self) -> PaginaCorriente[Impresion]:
        parametros = {} if self.cursor is None else {"cursor": self.cursor}
        peticion = peticion_de_corriente(clases.IMPRESIONES, {**parametros, "limite": "7"})
        pagina = await leer_corriente(self._lecturas, clases.IMPRESIONES, peticion)
        self.cursor = pagina.siguiente
        self.vistas += [evento.id for evento in pagina.elementos]
        self.vueltas += 1
        return pagina

    async def ponerse_al_dia(self) -> list[str]:
        """Lee hasta que no queda nada, y devuelve lo que leyó."""
        antes = len(self.vistas)
        while not (await self.pagina()).al_dia:
            pass
        return self.vistas[antes:]


@pytest.fixture
def url(servidor_postgresql: ServidorDePrueba) -> str:
    return servidor_postgresql.base_nueva()


@pytest.fixture
def lector(url: str) -> Generator[Lector]:
    with leyendo(url) as abierto:
        yield abierto


@contextmanager
def leyendo(url: str) -> Generator[Lector]:
    lecturas = LecturasPostgreSQL(url, limite=SIN_PRISA)
    try:
        yield Lector(lecturas)
    finally:
        lecturas.cerrar()


@pytest.fixture
def escritores(url: str) -> Generator[list[LibroPostgreSQL]]:
    with ExitStack() as pila:
        yield [pila.enter_context(libro_postgresql(url))[0] for _ in range(4)]


def agregar(*ids: str, antes_de_confirmar: Callable[[], object] = lambda: None) -> Callable[[Any], None]:
    def trabajo(transaccion: Any) -> None:
        transaccion.eventos(clases.IMPRESIONES).agregar([impresion(id=id_evento) for id_evento in ids])
        antes_de_confirmar()

    return trabajo


class Abierta:
    """Una transacción que ya escribió y no se confirma hasta que se le dice."""

    def __init__(self, libro: LibroPostgreSQL, id_evento: str) -> None:
        self._escrito, self._permiso = threading.Event(), threading.Event()

        def esperar() -> None:
            self._escrito.set()
            assert self._permiso.wait(SIN_PRISA)

        self._tarea = asyncio.ensure_future(libro.ejecutar(agregar(id_evento, antes_de_confirmar=esperar)))

    async def escrita(self) -> "Abierta":
        assert await asyncio.to_thread(self._escrito.wait, SIN_PRISA)
        return self

    async def confirmar(self) -> None:
        self._permiso.set()
        await self._tarea


async def en_orden_y_confirmadas_al_reves(
    escritores: list[LibroPostgreSQL], lector: Lector
) -> list[list[str]]:
    """Cuatro escriben por orden y confirman en otro; devuelve lo que se lee tras cada commit."""
    uno, dos, tres, cuatro = [
        await Abierta(libro, f"{numero}").escrita() for numero, libro in enumerate(escritores, 1)
    ]
    leido = [await lector.ponerse_al_dia()]
    for abierta in (tres, uno, cuatro, dos):
        await abierta.confirmar()
        leido.append(await lector.ponerse_al_dia())
    return leido


async def test_lo_que_se_confirma_antes_espera_a_lo_que_se_escribio_antes(
    escritores: list[LibroPostgreSQL], lector: Lector
) -> None:
    leido = await en_orden_y_confirmadas_al_reves(escritores, lector)
    assert leido == [[], [], ["1"], [], ["2", "3", "4"]]


async def test_sin_el_disparador_se_perderian(
    url: str, escritores: list[LibroPostgreSQL], lector: Lector
) -> None:
    sql(url, SIN_EL_DISPARADOR)
    leido = await en_orden_y_confirmadas_al_reves(escritores, lector)
    assert leido == [[], ["3"], [], ["4"], []]


async def test_cuatro_consumidores_que_confirman_tarde_y_un_lector_que_no_para(
    url: str, escritores: list[LibroPostgreSQL], lector: Lector
) -> None:
    azar = random.Random(12)  # noqa: S311 (no es un secreto)

    async def escribir(cual: int, libro: LibroPostgreSQL) -> None:
        for lote in range(25):
            ids = [f"{cual}-{lote}-{numero}" for numero in range(azar.randint(1, 9))]
            # Uno de cada ocho ya estaba: su número se quema.
            ids += [f"{cual}-{lote - 1}-0"] if lote and azar.randrange(8) == 0 else []
            vueltas = lector.vueltas + azar.randint(0, 4)
            esperar = lambda vueltas=vueltas: hasta(lambda: lector.vueltas >= vueltas or None, cada=0.001)  # noqa: E731
            await libro.ejecutar(agregar(*ids, antes_de_confirmar=esperar))

    tareas = [asyncio.create_task(escribir(n, libro)) for n, libro in enumerate(escritores)]
    while not all(tarea.done() for tarea in tareas):
        await lector.pagina()
    await asyncio.gather(*tareas)
    await lector.ponerse_al_dia()
    por_numero = [id_evento for (id_evento,) in sql(url, "SELECT id FROM impresiones ORDER BY secuencia")]
    assert lector.vistas == por_numero
    assert len(por_numero) > 100


async def test_lo_que_escribe_una_version_anterior_tampoco_se_pierde(
    url: str, escritores: list[LibroPostgreSQL], lector: Lector
) -> None:
    anterior = await asyncpg.connect(url)
    try:
        transaccion = anterior.transaction()
        await transaccion.start()
        await anterior.execute(INSERTAR_COMO_UNA_VERSION_ANTERIOR, "anterior")
        await escritores[0].ejecutar(agregar("nueva"))
        assert await lector.ponerse_al_dia() == []
        await transaccion.commit()
        assert await lector.ponerse_al_dia() == ["anterior", "nueva"]
    finally:
        await anterior.close()


async def test_lo_que_se_deshace_o_se_corta_deja_de_retener(
    url: str, escritores: list[LibroPostgreSQL], lector: Lector
) -> None:
    cortada = await asyncpg.connect(url)
    await cortada.execute("BEGIN")
    await cortada.execute(INSERTAR_COMO_UNA_VERSION_ANTERIOR, "nunca")
    await escritores[0].ejecutar(agregar("a"))
    assert await lector.ponerse_al_dia() == []
    cortada.terminate()
    hasta(lambda: sql(url, "SELECT escritores_desde('impresiones') IS NULL") == [["t"]])
    assert await lector.ponerse_al_dia() == ["a"]


async def test_ni_otra_tabla_ni_otro_esquema_ni_un_cerrojo_ajeno_retienen(
    url: str, escritores: list[LibroPostgreSQL], lector: Lector
) -> None:
    sql(url, "CREATE SCHEMA otro")
    migrar(f"{url}?search_path=otro")
    ajena = await asyncpg.connect(url)
    try:
        await ajena.execute("BEGIN")
        await ajena.execute("SELECT pg_advisory_xact_lock(0), pg_advisory_xact_lock(1, 1)")
        await ajena.execute(
            INSERTAR_COMO_UNA_VERSION_ANTERIOR.replace("impresiones", "otro.impresiones"), "o"
        )
        await ajena.execute(
            INSERTAR_COMO_UNA_VERSION_ANTERIOR.replace("impresiones", "conversiones").replace(
                "tipo_evento", "tipo_conversion"
            ),
            "v",
        )
        await escritores[0].ejecutar(agregar("a"))
        assert await lector.ponerse_al_dia() == ["a"]
    finally:
        await ajena.close()


async def test_una_copia_restaurada_sigue_apuntando_y_un_cursor_posterior_a_ella_se_rechaza(
    servidor_postgresql: ServidorDePrueba,
    url: str,
    escritores: list[LibroPostgreSQL],
    lector: Lector,
    tmp_path: Path,
) -> None:
    donde, volcado, otra = binarios(), str(tmp_path / "tracking.dump"), servidor_postgresql.base_vacia()
    assert donde is not None
    await escritores[0].ejecutar(agregar("a"))
    assert await lector.ponerse_al_dia() == ["a"]
    de_la_copia = lector.cursor
    for orden in (
        [str(donde / "pg_dump"), "--format=custom", f"--file={volcado}", url],
        [str(donde / "pg_restore"), "--exit-on-error", f"--dbname={otra}", volcado],
    ):
        await asyncio.to_thread(subprocess.run, orden, check=True, capture_output=True)
    await escritores[0].ejecutar(agregar("b"))
    assert await lector.ponerse_al_dia() == ["b"]

    with ExitStack() as pila, leyendo(otra) as otro_lector:
        libros = [pila.enter_context(libro_postgresql(otra))[0] for _ in range(4)]
        otro_lector.cursor = lector.cursor
        with pytest.raises(DatosInvalidos, match="se restauró"):
            await otro_lector.pagina()
        otro_lector.cursor = de_la_copia
        leido = await en_orden_y_confirmadas_al_reves(libros, otro_lector)
        assert leido == [[], [], ["1"], [], ["2", "3", "4"]]
        # Ya hay algo en su lugar, y no es lo que se leyó.
        otro_lector.cursor = lector.cursor
        with pytest.raises(DatosInvalidos, match="se restauró"):
            await otro_lector.pagina()


@pytest.mark.usefixtures("servidor_postgresql")
async def test_en_una_replica_no_avanza_y_cuando_pasa_a_ser_la_principal_si() -> None:
    with servidor_de_prueba() as servidor:
        url = servidor.base_nueva()
        with libro_postgresql(url) as (libro, _):
            await libro.ejecutar(agregar("a"))
        servidor.detener()
        servidor.en_espera()
        servidor.arrancar()
        with leyendo(url) as lector:
            assert await lector.ponerse_al_dia() == []
            sql(url, "SELECT pg_promote()")
            assert await lector.ponerse_al_dia() == ["a"]


def test_migrar_numera_lo_que_habia_por_cuando_se_registro_y_lo_nuevo_sigue(
    servidor_postgresql: ServidorDePrueba,
) -> None:
    url = servidor_postgresql.base_vacia()
    servidor = ServidorPostgreSQL(url, nombre="prueba", conexiones=1, limite=None)
    try:
        servidor.ejecutar_y_esperar(lambda conexion: command.upgrade(configuracion(conexion), "0003"))
    finally:
        servidor.cerrar()
    for numero, minuto in enumerate((3, 1, 2, 1)):
        sql(url, INSERTAR_COMO_UNA_VERSION_ANTERIOR.replace("$1", f"'{numero}'"))
        sql(url, f"UPDATE impresiones SET registrado_en = '2026-01-01 00:0{minuto}Z' WHERE id = '{numero}'")  # noqa: S608
    migrar(url)
    sql(url, INSERTAR_COMO_UNA_VERSION_ANTERIOR.replace("$1", "'nueva'"))
    assert sql(url, "SELECT secuencia, id FROM impresiones ORDER BY 1") == [
        [str(secuencia), id_evento] for secuencia, id_evento in enumerate(["1", "3", "2", "0", "nueva"], 1)
    ]


class Explicar(Executable, ClauseElement):
    """El plan de una sentencia, con sus mismos parámetros."""

    inherit_cache = False

    def __init__(self, sentencia: ClauseElement) -> None:
        self.sentencia = sentencia


@compiles(Explicar)
def _explicar(elemento: Explicar, compilador: Any, **opciones: Any) -> str:
    return f"EXPLAIN {compilador.process(elemento.sentencia, **opciones)}"


@pytest.mark.parametrize(
    "filtro",
    [
        FiltroCorriente(),
        FiltroCorriente(campaña_id="c1"),
        FiltroCorriente(influencer_id="i1"),
        FiltroCorriente(tipo="VENTA"),
        FiltroCorriente(desde=AHORA, hasta=AHORA + timedelta(days=1)),
        FiltroCorriente(registrado_desde=AHORA),
    ],
    ids=["ninguno", "campaña", "influencer", "tipo", "ocurrido", "registrado"],
)
def test_un_tramo_sale_de_su_indice_y_acotado_con_cualquier_filtro(
    url: str, filtro: FiltroCorriente, monkeypatch: pytest.MonkeyPatch
) -> None:
    # De una tabla de millones, las que se miran son pocas: aquí también, o el plan sería otro.
    monkeypatch.setattr(corriente, "FILAS_MIRADAS", 500)
    sql(
        url,
        "INSERT INTO conversiones (id, campana_id, influencer_id, tipo_conversion, propiedades, comando_id,"
        " recibido_en, registrado_en, ocurrido_en, advertencias)"
        " SELECT n, 'c' || n % 5, 'i' || n % 50, 'VENTA', '{}', n, now(), now(), now(), '[]'"
        " FROM generate_series(1, 60000) AS n; ANALYZE conversiones",
    )

    def planes(conexion: Connection) -> list[str]:
        sentencias: list[ClauseElement] = []
        event.listen(
            conexion.engine, "before_execute", lambda _conexion, sentencia, *_: sentencias.append(sentencia)
        )
        suya = CorrienteSQL(conexion, clases.CONVERSIONES)
        suya.leer(filtro, 100, 60_000, 100)
        suya.antes_de(AHORA + timedelta(days=36_500), 60_000)
        suya.sello(100)
        suya.frontera()
        return ["\n".join(conexion.scalars(Explicar(sentencia))) for sentencia in sentencias.copy()]

    servidor = ServidorPostgreSQL(url, nombre="prueba", conexiones=1, limite=SIN_PRISA)
    try:
        hallados = servidor.ejecutar_y_esperar(planes)
    finally:
        servidor.cerrar()
    assert not any("Seq Scan on conversiones" in plan for plan in hallados), hallados
    *_, tramo, comienzo, _, _ = hallados
    assert "Index Scan using ix_conversiones_secuencia" in tramo
    assert "Sort" not in tramo
    assert "Index Cond: ((secuencia > " in tramo
    assert "Index Only Scan using ix_conversiones_registrado_en_secuencia" in comienzo


def test_toda_tabla_de_eventos_apunta_a_quien_escribe(url: str) -> None:
    con_disparador = sql(
        url, "SELECT tgrelid::regclass FROM pg_trigger WHERE tgname = 'apuntar_escritor' AND tgenabled = 'O'"
    )
    assert sorted(con_disparador) == sorted([clase.plural] for clase in clases.CLASES)


def test_los_numeros_no_se_dan_por_adelantado_a_ninguna_conexion(url: str) -> None:
    # Con CACHE mayor que 1, una conexión daría después de otra un número menor: la frontera no valdría.
    assert sql(url, "SELECT DISTINCT cache_size, increment_by, cycle FROM pg_sequences") == [["1", "1", "f"]]
