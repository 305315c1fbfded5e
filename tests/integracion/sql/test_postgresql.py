"""PostgreSQL: su esquema, su URL, sus carreras y sus ausencias."""

import asyncio
import gc
import logging
import os
import re
import signal
import threading
import time
import traceback
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, event, func, literal, select, text

from alpespartners.composicion.adaptadores import CUENTAS
from alpespartners.migraciones import CABEZA, configuracion
from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.handlers import ManejadorDeRegistro
from alpespartners.modulos.tracking.aplicacion.mensajes import DestinoDeComando, Envio, IdentidadComando
from alpespartners.modulos.tracking.aplicacion.puertos import (
    BaseDatosNoDisponible,
    BaseDatosOcupada,
    FiltroDestinos,
)
from alpespartners.modulos.tracking.aplicacion.topicos import COMANDO_REGISTRAR_IMPRESION
from alpespartners.modulos.tracking.dominio.repositorios import FiltroEventos, FiltroRegistro
from alpespartners.modulos.tracking.infraestructura.libro.destinos import RegistroDestinosSQL
from alpespartners.modulos.tracking.infraestructura.libro.tablas import bandeja_salida, impresiones
from alpespartners.modulos.tracking.infraestructura.motores.postgresql import servidor as postgresql
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.base_datos import BaseDatosPostgreSQL
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.lecturas import LecturasPostgreSQL
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.libro import LibroPostgreSQL, migrar
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.servidor import (
    SentenciaRechazada,
    ServidorPostgreSQL,
    para_asyncpg,
    pausas_con_azar,
)
from alpespartners.modulos.tracking.infraestructura.repositorios import (
    DatosRechazados,
    RepositorioEventosSQL,
    TransaccionSQL,
)
from alpespartners.seedwork.arranque import ErrorDeArranque
from alpespartners.seedwork.sql.tipos import TEXTO, RelojDeLaBase
from tests.apoyo.espera import hasta
from tests.apoyo.estructura import estructura, tablas_de_hoy
from tests.apoyo.eventos import AHORA, CONVERSION, IMPRESION, ilegible, impresion, recibido
from tests.apoyo.migraciones import historia_con
from tests.apoyo.por_publicar import por_publicar
from tests.apoyo.postgresql import SIN_PRISA, ServidorDePrueba, libro_postgresql, servidor_de_prueba, sql
from tests.apoyo.repositorio import RAIZ

LARGO = timedelta(minutes=5)
OPERACION = RAIZ / "docs" / "operacion.md"
CAMPAÑA = FiltroEventos(campaña_id="cmp-456")
DESPEDIDA_DE_TLS = 2 + 1 + 16
"""Octetos de un registro con `close_notify` cifrado (RFC 8446, 5.2): la alerta, su clase y su sello."""


@contextmanager
def conexion(url: str, **ajustes: Any) -> Generator[Callable[[Callable[[Connection], Any]], Any]]:
    """Ejecuta funciones en transacciones, sin libro de por medio."""
    servidor = ServidorPostgreSQL(url, nombre="prueba", conexiones=1, **ajustes)
    try:
        yield servidor.ejecutar_y_esperar
    finally:
        servidor.cerrar()


@contextmanager
def abierto(url: str, arriendo: timedelta = LARGO) -> Generator[LibroPostgreSQL]:
    libro = LibroPostgreSQL(url, arriendo, proyectar=CUENTAS, limite=SIN_PRISA)
    libro.abrir()
    try:
        yield libro
    finally:
        libro.cerrar()


@contextmanager
def lector(url: str) -> Generator[LecturasPostgreSQL]:
    lecturas = LecturasPostgreSQL(url, limite=SIN_PRISA)
    try:
        yield lecturas
    finally:
        lecturas.cerrar()


def depositar(*ids: str) -> Callable[[TransaccionSQL], list[Envio]]:
    def trabajo(transaccion: TransaccionSQL) -> list[Envio]:
        cartas = [ilegible(comando_id) for comando_id in ids]
        return transaccion.bandeja.depositar_cartas(COMANDO_REGISTRAR_IMPRESION, cartas)

    return trabajo


@pytest.fixture
def url(servidor_postgresql: ServidorDePrueba) -> str:
    return servidor_postgresql.base_nueva()


# El esquema


def test_migrar_da_las_tablas_que_el_codigo_espera_y_sus_ajustes(
    servidor_postgresql: ServidorDePrueba, url: str
) -> None:
    def comparar(abierta: Connection) -> list[Any]:
        contexto = MigrationContext.configure(abierta, opts={"compare_type": True})
        return list(compare_metadata(contexto, tablas_de_hoy()))

    with conexion(url) as ejecutar, conexion(servidor_postgresql.base_vacia()) as ejecutar_en_otra:
        assert ejecutar(comparar) == []
        ejecutar_en_otra(tablas_de_hoy().create_all)
        assert ejecutar(estructura) == ejecutar_en_otra(estructura)
    ajustes = sql(
        url, "SELECT relname, unnest(reloptions) FROM pg_class WHERE relkind = 'r' AND reloptions <> '{}'"
    )
    assert sorted(ajustes) == [
        ["balance", "fillfactor=50"],
        ["bandeja_salida", "autovacuum_vacuum_scale_factor=0"],
        ["bandeja_salida", "autovacuum_vacuum_threshold=20000"],
        ["carriles", "fillfactor=50"],
        ["cuentas_por_dia", "fillfactor=50"],
        ["cuentas_por_influencer", "fillfactor=50"],
        ["cuentas_por_procedencia", "fillfactor=50"],
        ["cuentas_por_semana", "fillfactor=50"],
        ["cuentas_por_tramo", "fillfactor=50"],
        ["usuarios_por_dia", "fillfactor=50"],
    ]
    columnas = sql(
        url,
        "SELECT column_name, data_type, collation_name FROM information_schema.columns"
        " WHERE table_name = 'conversiones' AND column_name IN ('id', 'valor', 'ocurrido_en')",
    )
    assert sorted(columnas) == [
        ["id", "text", "C"],
        ["ocurrido_en", "timestamp with time zone", ""],
        ["valor", "numeric", ""],
    ]


def test_varias_migraciones_a_la_vez_se_esperan_y_dejan_una(servidor_postgresql: ServidorDePrueba) -> None:
    vacia = servidor_postgresql.base_vacia()
    fallos: list[BaseException] = []

    def una() -> None:
        try:
            migrar(vacia)
        except ErrorDeArranque as error:
            fallos.append(error)

    hilos = [threading.Thread(target=una) for _ in range(4)]
    for hilo in hilos:
        hilo.start()
    for hilo in hilos:
        hilo.join()
    assert fallos == []
    assert sql(vacia, "SELECT version_num FROM alembic_version") == [[CABEZA]]


def test_solo_migrar_crea_las_tablas_y_un_consumidor_sin_ellas_lo_dice(
    servidor_postgresql: ServidorDePrueba,
) -> None:
    vacia = servidor_postgresql.base_vacia()
    with pytest.raises(ErrorDeArranque, match=r"no tiene las tablas .*alpespartners migrar"):
        LibroPostgreSQL(vacia).abrir()
    assert sql(vacia, "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace") == []


@pytest.mark.parametrize(("revision", "frase"), [("0001", "versión anterior"), ("9999", "versión posterior")])
def test_un_esquema_de_otra_version_se_dice_en_una_frase(url: str, revision: str, frase: str) -> None:
    sql(url, f"UPDATE alembic_version SET version_num = '{revision}'")  # noqa: S608 (la escribe esta prueba)
    with pytest.raises(ErrorDeArranque, match=frase):
        LibroPostgreSQL(url).abrir()
    with lector(url) as lecturas, pytest.raises(ErrorDeArranque, match=frase):
        lecturas.comprobar()
    if revision == "9999":
        with pytest.raises(ErrorDeArranque, match=frase):
            migrar(url)


@pytest.mark.parametrize(
    ("paso", "causa"),
    [
        ("op.execute('SELECT no_existe FROM impresiones')", r"ProgrammingError: .*no_existe"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
    ],
)
@pytest.mark.parametrize("base", ["base_nueva", "base_vacia"])
def test_una_migracion_que_falla_dice_cual_y_por_que_y_no_deja_nada_a_medias(
    servidor_postgresql: ServidorDePrueba,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    base: str,
    paso: str,
    causa: str,
) -> None:
    url = getattr(servidor_postgresql, base)()
    tablas = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1"
    antes = sql(url, tablas)
    rota = historia_con(tmp_path, "op.execute('CREATE TABLE a_medias (n INTEGER)')", paso)
    with pytest.raises(ErrorDeArranque, match=rf"sigue como estaba: falló la revisión siguiente \({causa}"):
        migrar(url, rota)
    assert [(r.levelname, bool(r.exc_info)) for r in caplog.records if r.levelno > logging.INFO] == [
        ("ERROR", True)
    ]
    assert sql(url, tablas) == antes
    migrar(url, historia_con(tmp_path, "op.execute('CREATE TABLE a_medias (n INTEGER)')"))
    assert sql(url, "SELECT version_num FROM alembic_version") == [["siguiente"]]


def test_una_migracion_que_choca_con_quien_escribe_se_repite(url: str, tmp_path: Path) -> None:
    # El servidor dice que hay un bloqueo en círculo la primera vez; la secuencia sobrevive a deshacer.
    sql(url, "CREATE SEQUENCE intentos")
    choca = "RAISE 'choque' USING ERRCODE = '40P01'"
    orden = f"DO $$ BEGIN IF nextval('intentos') = 1 THEN {choca}; END IF; END $$"
    migrar(url, historia_con(tmp_path, f'op.execute("{orden}")'))
    assert sql(url, "SELECT version_num, last_value FROM alembic_version, intentos") == [["siguiente", "2"]]


async def test_migrar_no_se_bloquea_con_quien_esta_asentando(servidor_postgresql: ServidorDePrueba) -> None:
    url = servidor_postgresql.base_vacia()
    with conexion(url) as ejecutar:
        ejecutar(lambda abierta: command.upgrade(configuracion(abierta), "0003"))
    # Lo que hace un consumidor: mira qué comandos tienen ya destino y, en la misma transacción, lo anota.
    consumidor = await asyncpg.connect(url)
    try:
        async with consumidor.transaction():
            assert await consumidor.fetchval("SELECT count(*) FROM destinos") == 0
            migracion = asyncio.create_task(asyncio.to_thread(migrar, url))
            esperando = "SELECT count(*) FROM pg_locks WHERE relation = 'destinos'::regclass AND NOT granted"
            await asyncio.to_thread(hasta, lambda: sql(url, esperando) == [["1"]] or None)
            await consumidor.execute(
                "INSERT INTO destinos (topico, comando_id, huella, estado, campos, recibido_en, decidido_en)"
                " VALUES ('t', 'c-1', '', 'ILEGIBLE', '[]', now(), now())"
            )
        await migracion
    finally:
        await consumidor.close()
    assert sql(url, "SELECT comando_id FROM destinos") == [["c-1"]]
    assert sql(url, "SELECT version_num FROM alembic_version") == [[CABEZA]]


def test_una_migracion_olvidada_se_dice_al_arrancar_y_no_toca_nada(url: str) -> None:
    sql(url, "ALTER TABLE impresiones DROP COLUMN referrer")
    frase = "a la tabla impresiones le falta la columna referrer"
    with lector(url) as lecturas:
        base_datos = BaseDatosPostgreSQL(url)
        arranques: list[Callable[[], None]] = [
            base_datos.migrar,
            base_datos.libro().abrir,
            lecturas.comprobar,
            partial(base_datos.dejar_lista, migra=False),
        ]
        for arrancar in arranques:
            with pytest.raises(ErrorDeArranque, match=frase):
                arrancar()


async def test_una_tabla_que_otro_cambia_en_marcha_se_dice_y_los_eventos_esperan(url: str) -> None:
    frase = "a la tabla impresiones le falta la columna referrer"
    with abierto(url) as libro, lector(url) as lecturas:
        assert await lecturas.leer(lambda c: c.eventos(clases.IMPRESIONES).obtener(["imp-123"])) == {}
        sql(url, "ALTER TABLE impresiones DROP COLUMN referrer")
        with pytest.raises(BaseDatosNoDisponible):
            await libro.ejecutar(lambda t: set(t.eventos(clases.IMPRESIONES).agregar([impresion()])))
        with pytest.raises(BaseDatosNoDisponible, match=frase):
            await libro.ejecutar(lambda t: set(t.eventos(clases.IMPRESIONES).agregar([impresion()])))
        with pytest.raises(BaseDatosNoDisponible):
            await lecturas.leer(lambda c: c.eventos(clases.IMPRESIONES).obtener(["imp-123"]))
        # También a quien pregunta por lo que sí se podría leer.
        with pytest.raises(BaseDatosNoDisponible, match=frase):
            await lecturas.leer(lambda c: c.balance.renglones())
        with pytest.raises(BaseDatosNoDisponible, match=frase):
            await asyncio.to_thread(lecturas.leer_libro, lambda c: c)
        sql(url, "ALTER TABLE impresiones ADD COLUMN referrer text")
        assert set(await libro.ejecutar(lambda t: t.eventos(clases.IMPRESIONES).agregar([impresion()]))) == {
            "imp-123"
        }
        assert await lecturas.leer(lambda c: c.balance.renglones()) == []


async def test_una_columna_que_pide_un_valor_que_no_se_escribe_se_dice_y_no_rechaza_a_nadie(url: str) -> None:
    with abierto(url) as libro:
        sql(url, "ALTER TABLE impresiones ADD COLUMN nueva integer NOT NULL")
        with pytest.raises(BaseDatosOcupada, match="23502"):
            await libro.ejecutar(lambda t: set(t.eventos(clases.IMPRESIONES).agregar([impresion()])))
        with pytest.raises(BaseDatosNoDisponible, match="nueva de la tabla impresiones no admite nulos"):
            await libro.ejecutar(lambda t: set(t.eventos(clases.IMPRESIONES).agregar([impresion()])))
        # Lo que el servidor pone él solo no estorba.
        sql(url, "ALTER TABLE impresiones ALTER COLUMN nueva SET DEFAULT 1")
        sql(url, "ALTER TABLE impresiones ADD COLUMN otra integer GENERATED ALWAYS AS IDENTITY")
        assert set(await libro.ejecutar(lambda t: t.eventos(clases.IMPRESIONES).agregar([impresion()]))) == {
            "imp-123"
        }


def test_una_base_de_datos_que_no_guarda_cualquier_texto_no_se_usa(
    servidor_postgresql: ServidorDePrueba,
) -> None:
    latina = servidor_postgresql.base_vacia(
        "TEMPLATE template0 ENCODING LATIN1 LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C'"
    )
    for usar in (migrar, lambda url: LibroPostgreSQL(url).abrir()):
        with pytest.raises(ErrorDeArranque, match="está en LATIN1 y tiene que estar en UTF8"):
            usar(latina)


async def test_hasta_que_haya_tablas_se_lee_una_base_vacia(servidor_postgresql: ServidorDePrueba) -> None:
    vacia = servidor_postgresql.base_vacia()
    for direccion in (vacia, servidor_postgresql.url("aun_no_existe")):
        with lector(direccion) as lecturas:
            await asyncio.to_thread(lecturas.comprobar)
            assert (
                await lecturas.leer(lambda c: c.eventos(clases.IMPRESIONES).listar(CAMPAÑA, None, 10)) == []
            )
            assert await lecturas.leer(lambda c: c.eventos(clases.IMPRESIONES).obtener(["a"])) == {}
            assert await lecturas.leer(lambda c: c.balance.renglones()) == []
            assert await lecturas.consumidores() == 0
    with lector(vacia) as lecturas:
        assert await lecturas.leer(lambda c: c.eventos(clases.IMPRESIONES).obtener(["a"])) == {}
        await asyncio.to_thread(migrar, vacia)
        with abierto(vacia) as libro:
            await libro.ejecutar(lambda t: set(t.eventos(clases.IMPRESIONES).agregar([impresion(id="a")])))
        assert set(await lecturas.leer(lambda c: c.eventos(clases.IMPRESIONES).obtener(["a"]))) == {"a"}


@asynccontextmanager
async def sin_despedidas(servidor: ServidorDePrueba) -> AsyncGenerator[int]:
    """Un puerto que lleva al servidor y calla que él cuelga; al salir espera a que cuelgue quien llamaba."""
    llamadas: list[asyncio.Task[None] | None] = []

    async def ida(desde: asyncio.StreamReader, hacia: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while octetos := await desde.read(65_536):
                hacia.write(octetos)

    async def vuelta(desde: asyncio.StreamReader, hacia: asyncio.StreamWriter) -> None:
        hacia.write(await desde.readexactly(1))  # que admite TLS
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                cabecera = await desde.readexactly(5)
                registro = await desde.readexactly(int.from_bytes(cabecera[3:]))
                if len(registro) != DESPEDIDA_DE_TLS:
                    hacia.write(cabecera + registro)

    async def atender(de_quien_llama: asyncio.StreamReader, a_quien_llama: asyncio.StreamWriter) -> None:
        llamadas.append(asyncio.current_task())
        del_servidor, al_servidor = await asyncio.open_connection("127.0.0.1", servidor.puerto)
        await asyncio.gather(ida(de_quien_llama, al_servidor), vuelta(del_servidor, a_quien_llama))
        for suyo in (a_quien_llama, al_servidor):
            suyo.close()
            with suppress(ConnectionError):
                await suyo.wait_closed()

    async with await asyncio.start_server(atender, "127.0.0.1", 0) as puerta:
        yield puerta.sockets[0].getsockname()[1]
        assert llamadas
        await asyncio.gather(*filter(None, llamadas))


async def test_al_cerrar_no_queda_ninguna_conexion_aunque_el_servidor_no_se_despida(
    servidor_postgresql: ServidorDePrueba,
) -> None:
    assert servidor_postgresql.certificado.exists()  # sin TLS no hay despedida que esperar
    partes = urlsplit(servidor_postgresql.url("aun_no_existe"))
    async with sin_despedidas(servidor_postgresql) as puerto:
        donde = f"{partes.username}:{partes.password}@127.0.0.1:{puerto}"
        with lector(partes._replace(netloc=donde).geturl()) as lecturas:
            assert await lecturas.leer(lambda c: c.balance.renglones()) == []
        # Si quedara una, recogerla sería un `ResourceWarning`, que aquí es un fallo.
        gc.collect()


# La URL


@pytest.mark.parametrize(
    ("parametros", "cifrada"),
    [
        ("?sslmode=disable", "f"),
        ("?sslmode=prefer", "t"),
        ("?sslmode=require", "t"),
        ("?sslmode=verify-ca&sslrootcert={ca}", "t"),
        ("?sslmode=verify-full&sslrootcert={ca}&application_name=x&connect_timeout=3&keepalives=1", "t"),
        ("?channel_binding=prefer&gssencmode=disable&sslmode=disable", "f"),
    ],
)
def test_sslmode_cifra_y_comprueba_lo_que_dice(
    servidor_postgresql: ServidorDePrueba, url: str, parametros: str, cifrada: str
) -> None:
    consulta = text("SELECT left(ssl::text, 1) FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    with conexion(url + parametros.format(ca=servidor_postgresql.certificado)) as ejecutar:
        assert ejecutar(lambda c: c.scalar(consulta)) == cifrada


@pytest.mark.parametrize("clave", ["verify-ca", "verify-full"])
def test_un_certificado_que_no_firma_quien_se_espera_no_vale(
    servidor_postgresql: ServidorDePrueba, url: str, clave: str, tmp_path: Any
) -> None:
    assert servidor_postgresql.certificado.exists()
    with pytest.raises(ErrorDeArranque, match="CERTIFICATE_VERIFY_FAILED"):
        LibroPostgreSQL(f"{url}?sslmode={clave}&sslrootcert=system").abrir()
    with pytest.raises(ErrorDeArranque, match="no existe el archivo que dice sslrootcert"):
        LibroPostgreSQL(f"{url}?sslmode={clave}&sslrootcert={tmp_path}/nada.crt")


@pytest.mark.parametrize(
    "forma",
    [
        "postgresql://?host=127.0.0.1&port={puerto}&user=alpes&password={clave}&dbname={base}",
        "postgresql:///{base}?host={enchufe}&port={puerto}&user=alpes&password={clave}",
        "postgresql://alpes:{clave}@/{base}?host={enchufe}&port={puerto}",
    ],
)
def test_servidor_usuario_clave_y_base_valen_tambien_como_parametros(
    servidor_postgresql: ServidorDePrueba, url: str, forma: str
) -> None:
    sin_escapar, _, base = url.rpartition("/")
    clave = sin_escapar.removeprefix("postgresql://alpes:").partition("@")[0]
    otra = forma.format(
        puerto=servidor_postgresql.puerto, enchufe=servidor_postgresql.enchufe, clave=clave, base=base
    )
    with conexion(otra) as ejecutar:
        assert ejecutar(lambda c: c.scalar(text("SELECT current_database()"))) == base


@pytest.mark.parametrize(
    ("cambiar", "frase"),
    [
        (lambda url: url.replace("contr", "otra"), "password authentication failed"),
        (lambda url: f"{url}_no_existe", "does not exist"),
        (lambda url: f"{url}?sslmode=quizas", "sslmode"),
        (lambda url: f"{url}?parametro_inventado=1", "parametro_inventado"),
        (lambda url: f"{url}?channel_binding=require", "channel_binding"),
        (lambda url: url.replace("alpes:", "alpes:de@secreto:mas"), "la URL no se entiende"),
    ],
)
def test_un_ajuste_que_no_vale_se_dice_en_una_frase_y_sin_la_clave(
    url: str, cambiar: Callable[[str], str], frase: str
) -> None:
    with pytest.raises(ErrorDeArranque, match=frase) as fallo:
        LibroPostgreSQL(cambiar(url)).abrir()
    assert not any(trozo in str(fallo.value) for trozo in ("contr", "se%C3%B1a", "secreto"))


def test_lo_que_asyncpg_no_entiende_y_no_cambia_nada_se_quita_de_la_url() -> None:
    original = "postgresql://u:%2F%40@a:1,b:2/c?sslmode=require&connect_timeout=3&options=-c%20x%3D1"
    assert para_asyncpg(original) == "postgresql://u:%2F%40@a:1,b:2/c?sslmode=require&options=-c+x%3D1"


# Los datos


@pytest.mark.parametrize("texto", ["\x00", "a\x00b", "\x10", "\x100", "\x10\x00", "\x00\x10\x100", "0\x10"])
def test_nul_vuelve_como_era_aunque_postgresql_no_lo_admita(url: str, texto: str) -> None:
    with conexion(url) as ejecutar:
        assert ejecutar(lambda c: c.scalar(select(literal(texto, TEXTO)))) == texto
        assert ejecutar(lambda c: c.scalar(select(literal(texto, TEXTO) == literal(texto, TEXTO))))


async def test_buscar_lo_que_no_puede_existir_no_halla_nada(url: str) -> None:
    with lector(url) as lecturas:
        assert await lecturas.leer(lambda c: c.eventos(clases.IMPRESIONES).obtener(["a\x00", ""])) == {}
        assert await lecturas.leer(lambda c: c.destinos.de_evento("t", "\x00", 9)) == []


async def test_una_fila_que_el_servidor_no_admite_es_culpa_de_los_datos_y_no_los_dice(url: str) -> None:
    sql(url, "ALTER TABLE impresiones ADD CHECK (usuario_id <> 'usr-101')")
    with abierto(url) as libro:
        with pytest.raises(DatosRechazados) as rechazo:
            await libro.ejecutar(lambda t: set(t.eventos(clases.IMPRESIONES).agregar([impresion()])))
        assert "usr-101" not in str(rechazo.value)
        # El dominio no la dejaría pasar; una columna sin esa regla sería culpa del dato igualmente.
        sustituto = replace(impresion(), comando_id="\ud800")
        with pytest.raises(DatosRechazados):
            await libro.ejecutar(lambda t: t.eventos(clases.IMPRESIONES).agregar([sustituto]))
        assert await libro.ejecutar(
            lambda t: set(t.eventos(clases.IMPRESIONES).agregar([impresion(usuario_id="otro")]))
        )


async def test_una_numeracion_por_detras_de_sus_filas_no_rechaza_nada_y_se_arregla_como_dice_operacion(
    url: str,
) -> None:
    arreglo = re.search(
        r"^SELECT setval\(.*?;$", OPERACION.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    assert arreglo is not None
    with abierto(url) as libro:
        await libro.ejecutar(lambda t: set(t.eventos(clases.IMPRESIONES).agregar([impresion()])))
        sql(url, "SELECT setval('impresiones_secuencia_seq', 1, false)")
        otra = impresion(id="imp-otra")
        with pytest.raises(BaseDatosOcupada, match="SQLSTATE 23505, por ix_impresiones_secuencia"):
            await libro.ejecutar(lambda t: set(t.eventos(clases.IMPRESIONES).agregar([otra])))
        sql(url, arreglo[0])
        nuevas = await libro.ejecutar(lambda t: t.eventos(clases.IMPRESIONES).agregar([otra]))
        assert nuevas == {"imp-otra": 2}


async def test_una_tabla_que_otro_cambio_no_rechaza_nada_y_se_dice_de_que_version_es(url: str) -> None:
    with abierto(url) as libro:
        sql(url, "ALTER TABLE impresiones ADD COLUMN nueva integer NOT NULL")
        sql(url, "UPDATE alembic_version SET version_num = '9999'")
        with pytest.raises(BaseDatosOcupada, match="23502") as ocupada:
            await libro.ejecutar(lambda t: set(t.eventos(clases.IMPRESIONES).agregar([impresion()])))
        assert "192.168.1.1" not in "".join(traceback.format_exception(ocupada.value))
        with pytest.raises(BaseDatosNoDisponible, match="versión posterior"):
            await libro.ejecutar(lambda t: set(t.eventos(clases.IMPRESIONES).agregar([impresion()])))
        sql(url, "ALTER TABLE impresiones DROP COLUMN nueva")
        sql(url, f"UPDATE alembic_version SET version_num = '{CABEZA}'")  # noqa: S608 (es nuestra)
        assert set(await libro.ejecutar(lambda t: t.eventos(clases.IMPRESIONES).agregar([impresion()]))) == {
            "imp-123"
        }


async def test_tras_un_rechazo_se_mira_si_el_esquema_es_de_otra_version(url: str) -> None:
    with abierto(url) as libro:
        sql(url, "ALTER TABLE impresiones ADD CHECK (usuario_id <> 'usr-101')")
        sql(url, "UPDATE alembic_version SET version_num = '9999'")
        with pytest.raises(DatosRechazados):
            await libro.ejecutar(lambda t: set(t.eventos(clases.IMPRESIONES).agregar([impresion()])))
        with pytest.raises(BaseDatosNoDisponible, match="versión posterior"):
            await libro.ejecutar(lambda t: set(t.eventos(clases.IMPRESIONES).agregar([impresion()])))


async def test_una_columna_renombrada_no_es_culpa_de_quien_envio(url: str) -> None:
    with abierto(url) as libro:
        sql(url, "ALTER TABLE impresiones RENAME COLUMN referrer TO origen")
        with pytest.raises(BaseDatosNoDisponible, match="referrer"):
            await libro.ejecutar(lambda t: set(t.eventos(clases.IMPRESIONES).agregar([impresion()])))


async def test_un_defecto_del_programa_no_cita_los_datos_ni_pasa_por_una_caida(url: str) -> None:
    sql(url, "ALTER TABLE destinos ADD CHECK (evento_id <> 'conv-9')")
    manejador = ManejadorDeRegistro(clases.CONVERSIONES)
    with abierto(url) as libro, pytest.raises(SentenciaRechazada) as fallo:
        await libro.ejecutar(lambda t: manejador.manejar([ilegible("c", clave="conv-9")], t, AHORA))
    assert str(fallo.value) == "23514"
    assert fallo.value.__cause__ is None


def test_lo_que_no_cabe_en_el_tipo_de_su_columna_no_sale_en_el_registro(url: str) -> None:
    dato = impresion().contenido.usuario_id or ""
    with conexion(url) as ejecutar, pytest.raises(SentenciaRechazada) as fallo:
        ejecutar(lambda c: c.execute(text("SELECT CAST(:dato AS bigint)"), {"dato": dato}))
    assert dato not in "".join(traceback.format_exception(fallo.value))


# La bandeja


async def test_dos_barridos_a_la_vez_no_se_llevan_el_mismo_envio_ni_se_esperan(url: str) -> None:
    with abierto(url, timedelta(0)) as libro:
        depositados = await libro.ejecutar(depositar("a", "b", "c", "d"))
    with abierto(url) as uno, abierto(url) as otro:

        def con_otro_en_medio(transaccion: TransaccionSQL) -> tuple[list[Envio], list[Envio]]:
            primeros = transaccion.bandeja.reservar_vencidos(2)
            # Sin haber confirmado los primeros. En otro hilo: este tiene un bucle en marcha.
            with ThreadPoolExecutor(1) as hilo:
                return primeros, hilo.submit(asyncio.run, otro.reservar_vencidos(10)).result()

        primeros, segundos = await uno.ejecutar(con_otro_en_medio)
    assert (primeros, segundos) == (depositados[:2], depositados[2:])


def test_los_envios_vencidos_se_buscan_por_el_indice(url: str) -> None:
    vencidos = select(bandeja_salida.c.numero).where(bandeja_salida.c.reservada_hasta <= RelojDeLaBase())

    def plan(abierta: Connection) -> str:
        abierta.execute(text("SET LOCAL enable_seqscan = off"))
        consulta = vencidos.compile(abierta, compile_kwargs={"literal_binds": True})
        return "\n".join(abierta.scalars(text(f"EXPLAIN {consulta}")))

    with conexion(url) as ejecutar:
        assert "Index Cond: (reservada_hasta <=" in ejecutar(plan)


async def test_el_arriendo_se_mide_con_el_reloj_del_servidor_y_no_con_el_de_la_transaccion(url: str) -> None:
    with abierto(url) as libro:
        antes = datetime.now(UTC)
        await libro.ejecutar(
            lambda t: (t.balance.renglones(), hasta(lambda: datetime.now(UTC) > antes), depositar("a")(t))
        )
    with conexion(url) as ejecutar:
        fila = ejecutar(lambda c: c.execute(select(bandeja_salida)).one())
    assert antes <= fila.depositado_en <= datetime.now(UTC)
    assert abs(fila.reservada_hasta - fila.depositado_en - LARGO) < timedelta(seconds=1)


async def test_lo_retirado_no_vuelve_y_su_numero_no_se_repite(url: str) -> None:
    with abierto(url, timedelta(0)) as libro:
        (primero,) = await libro.ejecutar(depositar("a"))
        await libro.retirar([primero.numero])
        (segundo,) = await libro.ejecutar(depositar("b"))
        await libro.retirar([primero.numero])
        assert await libro.reservar_vencidos(10) == [segundo]
        await libro.renovar([segundo.numero])
        assert segundo.numero > primero.numero


# La lista de destinos


@contextmanager
def planes(url: str) -> Generator[Callable[[Callable[[Connection], Any]], list[str]]]:
    """Cómo resolvería PostgreSQL las lecturas de una consulta con tantas filas que convenga un índice."""

    def explicar(consulta: Callable[[Connection], Any]) -> Callable[[Connection], list[str]]:
        def trabajo(abierta: Connection) -> list[str]:
            hallados: list[str] = []

            def antes(_c: Any, cursor: Any, sentencia: str, parametros: Any, *_: Any) -> None:
                cursor.execute(f"EXPLAIN {sentencia}", parametros)
                hallados.append("\n".join(fila[0] for fila in cursor.fetchall()))

            for ajuste in ("enable_seqscan", "enable_bitmapscan", "enable_sort"):
                abierta.execute(text(f"SET LOCAL {ajuste} = off"))
            event.listen(abierta, "before_cursor_execute", antes)
            consulta(abierta)
            event.remove(abierta, "before_cursor_execute", antes)
            return hallados

        return trabajo

    with conexion(url) as ejecutar:
        yield lambda consulta: ejecutar(explicar(consulta))


def test_una_pagina_de_destinos_sale_de_su_indice_sin_ordenar_nada(url: str) -> None:
    lugar = (AHORA, IdentidadComando("c", b"h"))
    casos = [
        (FiltroDestinos(estado="DUPLICADA"), "topico_estado_decidido_en_comando_id_huella"),
        (
            FiltroDestinos(estado="RECHAZADA", motivo="requerido"),
            "topico_motivo_decidido_en_comando_id_huella",
        ),
        (FiltroDestinos(estado="RECHAZADA", campaña_id="a"), "de_una_campana"),
    ]
    # Que un filtro deja pocas filas lo sabe por sus estadísticas.
    sql(
        url,
        "INSERT INTO destinos (topico, comando_id, huella, estado, motivo, campos, recibido_en, decidido_en,"
        " campana_id) SELECT 't', 'c-' || n, '', CASE WHEN n % 10 = 0 THEN 'RECHAZADA' ELSE 'DUPLICADA' END,"
        " CASE WHEN n % 1000 = 0 THEN 'requerido' WHEN n % 10 = 0 THEN 'conflicto_de_id' END, '[]', now(),"
        " now(), 'cmp-' || n % 500 FROM generate_series(1, 20000) n",
    )
    sql(url, "ANALYZE destinos")
    with planes(url) as explicar:
        for filtro, indice in casos:
            (plan,) = explicar(
                lambda c, filtro=filtro: RegistroDestinosSQL(c).listar("t", filtro, lugar, 10)  # type: ignore[misc]
            )
            assert f"Index Scan Backward using ix_destinos_{indice} " in plan
            assert "ROW(decidido_en, comando_id, huella) <" in plan
            assert "Sort" not in plan


def test_una_pagina_de_lo_registrado_sale_de_su_indice_y_solo_ordena_cada_instante(url: str) -> None:
    with planes(url) as explicar:
        (plan,) = explicar(
            lambda c: RepositorioEventosSQL(c, clases.IMPRESIONES).registrados(
                FiltroRegistro(), (AHORA, "x"), 10
            )
        )
    assert "Index Scan Backward using ix_impresiones_registrado_en_secuencia " in plan
    assert "Index Cond" in plan
    assert "Presorted Key: registrado_en" in plan


async def test_dos_que_olvidan_a_la_vez_no_se_esperan(url: str) -> None:
    manejador = ManejadorDeRegistro(clases.CONVERSIONES)
    malas = [recibido(replace(CONVERSION, moneda="ZZZ"), f"c-{n}") for n in range(4)]
    despues = AHORA + timedelta(days=1)
    with abierto(url) as uno, abierto(url) as otro:
        await uno.ejecutar(lambda t: manejador.manejar(malas, t, AHORA))

        def con_otro_en_medio(transaccion: TransaccionSQL) -> tuple[int, int]:
            primeros = transaccion.destinos.olvidar_enviados(despues, 3)
            # Sin haber confirmado los primeros. En otro hilo: este tiene un bucle en marcha.
            with ThreadPoolExecutor(1) as hilo:
                return primeros, hilo.submit(asyncio.run, otro.olvidar_enviados(despues, 10)).result()

        assert await uno.ejecutar(con_otro_en_medio) == (3, 1)


# Las lecturas


async def test_una_lectura_ve_un_solo_instante_y_no_puede_escribir(url: str) -> None:
    with abierto(url) as libro, lector(url) as lecturas:
        await libro.ejecutar(lambda t: set(t.eventos(clases.IMPRESIONES).agregar([impresion()])))
        sql(url, "CREATE TABLE modelo AS TABLE impresiones; DELETE FROM impresiones")

        def dos_veces(consulta: Any) -> tuple[int, int]:
            antes = len(consulta.eventos(clases.IMPRESIONES).listar(CAMPAÑA, None, 10))
            sql(url, "INSERT INTO balance VALUES ('t', 0, 'e', 'm', 1, NULL)")
            sql(url, "INSERT INTO impresiones SELECT * FROM modelo")
            assert consulta.balance.renglones() == []
            return antes, len(consulta.eventos(clases.IMPRESIONES).listar(CAMPAÑA, None, 10))

        assert await lecturas.leer(dos_veces) == (0, 0)
        assert (
            len(await lecturas.leer(lambda c: c.eventos(clases.IMPRESIONES).listar(CAMPAÑA, None, 10))) == 1
        )
        with pytest.raises(BaseDatosNoDisponible, match="read-only"):
            await lecturas.leer(lambda c: c.balance.sumar("t", []) or c.balance.contar_envios(retirados=1))  # type: ignore[attr-defined]


async def test_se_cuentan_los_procesos_de_consumidores_conectados(url: str) -> None:
    with lector(url) as lecturas:
        assert await lecturas.consumidores() == 0
        with abierto(url) as uno, abierto(url):
            await asyncio.gather(*(uno.ejecutar(lambda t: t.balance.sumar("t", [])) for _ in range(4)))
            assert await lecturas.consumidores() == 2
        assert await lecturas.consumidores() == 0


# Las carreras


@pytest.mark.parametrize("cuantos", [1, 2, 4])
async def test_varios_consumidores_sobre_los_mismos_ids_dejan_una_fila_un_evento_y_un_destino_por_comando(
    url: str, cuantos: int
) -> None:
    ids = [f"imp-{n:03}" for n in range(60)]
    manejador = ManejadorDeRegistro(clases.IMPRESIONES)

    async def consumir(libro: LibroPostgreSQL, consumidor: int) -> list[DestinoDeComando]:
        decididos: list[DestinoDeComando] = []
        for ronda in range(6):
            # Cada uno recorre los ids en otro orden: así es como se bloquearían en círculo.
            giro = (consumidor * 17 + ronda * 7) % len(ids)
            orden = ids[giro:] + ids[:giro]
            lote = [
                recibido(
                    replace(IMPRESION, id=i, usuario_id="otro" if ronda == 5 else "usr-101"),
                    f"{consumidor}-{ronda}-{i}",
                )
                for i in (orden if consumidor % 2 else reversed(orden))
            ]
            comunes = [recibido(replace(IMPRESION, id=i), f"comun-{ronda}-{i}") for i in orden[:20]]
            mezcla = [*lote, *comunes, ilegible(f"roto-{ronda}")]
            asentado = await libro.ejecutar(lambda t, lote=mezcla: manejador.manejar(lote, t, AHORA))  # type: ignore[misc]
            decididos += asentado.destinos
        return decididos

    with ExitStack() as pila:
        libros = [pila.enter_context(abierto(url, timedelta(0))) for _ in range(cuantos)]
        decididos = [
            destino
            for suyos in await asyncio.gather(*(consumir(libro, n) for n, libro in enumerate(libros)))
            for destino in suyos
        ]
        envios = await por_publicar(libros[0])
        with lector(url) as lecturas:
            renglones = await lecturas.leer(lambda c: c.balance.renglones())
            pendientes = await lecturas.leer(lambda c: c.balance.envios_pendientes())

    por_comando = Counter(destino.identidad for destino in decididos)
    assert max(por_comando.values()) == 1
    comandos = {identidad.comando_id for identidad in por_comando}
    comunes = {comando for comando in comandos if comando.startswith("comun-")}
    assert len(comandos) == 6 * len(ids) * cuantos + len(comunes) + 6
    estados = Counter(destino.destino.estado for destino in decididos)
    assert (estados["REGISTRADA"], estados["ILEGIBLE"]) == (len(ids), 6)
    assert estados["RECHAZADA"] == len(ids) * cuantos
    assert Counter(envio.sobre.topico for envio in envios) == {
        "evento-impresion-registrada": len(ids),
        f"{COMANDO_REGISTRAR_IMPRESION}-tracking-DLQ": 6,
    }
    assert pendientes.cuantos == len(envios)
    sumado: Counter[str] = Counter()
    for renglon in renglones:
        sumado[renglon.estado] += renglon.cuantos
    assert sumado == estados
    contadas = Counter(
        {estado: int(n) for estado, n in sql(url, "SELECT estado, count(*) FROM destinos GROUP BY 1")}
    )
    contadas["REGISTRADA"] = int(sql(url, "SELECT count(*) FROM impresiones")[0][0])
    assert contadas == estados
    # El orden por clave no los evita por suerte: sin él los habría en cada ronda.
    bloqueos = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    assert sql(url, bloqueos) == [["0"]]


async def test_un_bloqueo_en_circulo_se_deshace_y_se_repite_aunque_vuelva_a_bloquearse(url: str) -> None:
    sql(url, "INSERT INTO balance SELECT t, 0, 'e', 'm', 0, NULL FROM unnest(ARRAY['a', 'b']) t")
    intentos: list[int] = []
    juntos = threading.Barrier(2)

    def sumar(abierta: Connection, topico: str) -> None:
        abierta.execute(text("UPDATE balance SET cuantos = cuantos + 1 WHERE topico = :t"), {"t": topico})

    def el_que_pierde(abierta: Connection) -> None:
        intentos.append(len(intentos))
        abierta.execute(text("SET LOCAL deadlock_timeout = '50ms'"))
        sumar(abierta, "a")
        if len(intentos) <= 2:
            juntos.wait(60)
        sumar(abierta, "b")

    def el_que_gana(abierta: Connection) -> None:
        # No mira si hay un círculo: lo deshace siempre el otro.
        abierta.execute(text("SET LOCAL deadlock_timeout = '10min'"))
        sumar(abierta, "b")
        juntos.wait(60)
        sumar(abierta, "a")

    with conexion(url, limite=None) as uno, conexion(url, limite=None) as otro, ThreadPoolExecutor(1) as hilo:
        perdedor = hilo.submit(uno, el_que_pierde)
        otro(el_que_gana)
        otro(el_que_gana)
        perdedor.result()
    assert intentos == [0, 1, 2]
    assert sql(url, "SELECT topico, cuantos FROM balance ORDER BY 1") == [["a", "3"], ["b", "3"]]


def _chocar(estado: str, intentos: list[str]) -> Callable[[Connection], None]:
    """Un trabajo que el servidor deshace siempre, como si hubiera chocado con el de otro."""

    def trabajo(abierta: Connection) -> None:
        intentos.append(estado)
        abierta.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'choque' USING ERRCODE = '{estado}'; END $$"))

    return trabajo


@pytest.mark.parametrize("estado", ["40P01", "40001"])
def test_si_siempre_choca_se_repite_tras_cada_pausa_y_luego_se_dice_que_esta_ocupada(
    url: str, estado: str
) -> None:
    intentos: list[str] = []
    with (
        conexion(url, pausas=lambda: [0.0, 0.001, 0.002]) as ejecutar,
        pytest.raises(BaseDatosOcupada, match="choque"),
    ):
        ejecutar(_chocar(estado, intentos))
    assert intentos == [estado] * 4


def test_las_pausas_no_alargan_el_limite_de_una_transaccion(url: str) -> None:
    intentos: list[str] = []
    with (
        conexion(url, limite=1, pausas=lambda: [3_600.0]) as ejecutar,
        pytest.raises(BaseDatosOcupada, match="40P01"),
    ):
        ejecutar(_chocar("40P01", intentos))
    assert intentos == ["40P01"]


def test_las_pausas_son_pocas_crecen_y_llevan_azar() -> None:
    sorteos = [pausas_con_azar() for _ in range(20)]
    assert all(0 < sum(pausas) < 1 and pausas == sorted(pausas) for pausas in sorteos)
    assert len({tuple(pausas) for pausas in sorteos}) > 1


def test_una_conexion_cortada_dos_veces_seguidas_no_se_repite_mas(url: str) -> None:
    intentos: list[int] = []

    def cortarse(abierta: Connection) -> None:
        intentos.append(len(intentos))
        abierta.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with conexion(url) as ejecutar, pytest.raises(BaseDatosNoDisponible, match="terminating connection"):
        ejecutar(cortarse)
    assert intentos == [0, 1]


# Las ausencias


async def test_con_las_conexiones_cortadas_se_conecta_otra_vez_sin_que_se_note(url: str) -> None:
    with libro_postgresql(url) as (libro, lecturas):
        await libro.ejecutar(lambda t: set(t.eventos(clases.IMPRESIONES).agregar([impresion(id="a")])))
        assert (
            len(await lecturas.leer(lambda c: c.eventos(clases.IMPRESIONES).listar(CAMPAÑA, None, 10))) == 1
        )
        sql(
            url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        assert await libro.ejecutar(
            lambda t: set(t.eventos(clases.IMPRESIONES).agregar([impresion(id="b")]))
        ) == {"b"}
        assert (
            len(await lecturas.leer(lambda c: c.eventos(clases.IMPRESIONES).listar(CAMPAÑA, None, 10))) == 2
        )


@pytest.mark.usefixtures("servidor_postgresql")
async def test_un_servidor_que_se_va_y_vuelve_no_pierde_nada_ni_pide_arrancar_de_nuevo() -> None:
    with servidor_de_prueba() as servidor, libro_postgresql(servidor.base_nueva()) as (libro, lecturas):
        await libro.ejecutar(lambda t: set(t.eventos(clases.IMPRESIONES).agregar([impresion(id="a")])))
        servidor.detener()
        with pytest.raises(BaseDatosNoDisponible):
            await libro.ejecutar(lambda t: set(t.eventos(clases.IMPRESIONES).agregar([impresion(id="b")])))
        with pytest.raises(BaseDatosNoDisponible):
            await lecturas.leer(lambda c: c.balance.renglones())
        # Quien arranca ahora tampoco se detiene: espera a que vuelva.
        tardio = LibroPostgreSQL(servidor.url("prueba_1"))
        await asyncio.to_thread(tardio.abrir)
        with pytest.raises(BaseDatosNoDisponible):
            await tardio.ejecutar(lambda t: t.eventos(clases.IMPRESIONES).obtener(["a"]))
        await asyncio.to_thread(servidor.arrancar)
        assert await libro.ejecutar(
            lambda t: set(t.eventos(clases.IMPRESIONES).agregar([impresion(id="b")]))
        ) == {"b"}
        assert set(await tardio.ejecutar(lambda t: t.eventos(clases.IMPRESIONES).obtener(["a", "b"]))) == {
            "a",
            "b",
        }
        assert (
            len(await lecturas.leer(lambda c: c.eventos(clases.IMPRESIONES).listar(CAMPAÑA, None, 10))) == 2
        )
        tardio.cerrar()


async def test_quien_deja_una_transaccion_a_medias_la_pierde_y_los_demas_no_le_esperan(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(postgresql._ABANDONO, "idle_in_transaction_session_timeout", "200")  # noqa: SLF001
    registradas: list[set[str]] = []
    with abierto(url) as parado, abierto(url) as otro:

        def parar_con_la_fila_en_la_mano(transaccion: TransaccionSQL) -> set[str]:
            mias = set(transaccion.eventos(clases.IMPRESIONES).agregar([impresion()]))
            if not registradas:
                with ThreadPoolExecutor(1) as hilo:
                    agregar = otro.ejecutar(
                        lambda t: set(t.eventos(clases.IMPRESIONES).agregar([impresion()]))
                    )
                    registradas.append(hilo.submit(asyncio.run, agregar).result())
            return mias

        # Se repite una vez, con otra conexión, y la fila ya está.
        assert await parado.ejecutar(parar_con_la_fila_en_la_mano) == set()
    assert registradas == [{"imp-123"}]


async def test_una_base_de_datos_que_desaparece_no_se_lee_como_si_estuviera_vacia(
    servidor_postgresql: ServidorDePrueba,
) -> None:
    url = servidor_postgresql.base_nueva()
    with lector(url) as lecturas:
        assert await lecturas.leer(lambda c: c.balance.renglones()) == []
        base = urlsplit(url).path.removeprefix("/")
        sql(servidor_postgresql.url("postgres"), f"DROP DATABASE {base} WITH (FORCE)")
        with pytest.raises(BaseDatosNoDisponible):
            await lecturas.leer(lambda c: c.balance.renglones())
        with pytest.raises(BaseDatosNoDisponible):
            await lecturas.consumidores()


async def test_sin_una_tabla_se_dice_que_la_base_de_datos_no_sirve_y_se_repite(url: str) -> None:
    with abierto(url) as libro:
        sql(url, "ALTER TABLE impresiones RENAME TO apartada")
        with pytest.raises(BaseDatosNoDisponible, match="does not exist"):
            await libro.ejecutar(lambda t: set(t.eventos(clases.IMPRESIONES).agregar([impresion()])))
        sql(url, "ALTER TABLE apartada RENAME TO impresiones")
        assert set(await libro.ejecutar(lambda t: t.eventos(clases.IMPRESIONES).agregar([impresion()]))) == {
            "imp-123"
        }


async def test_un_trabajo_cancelado_no_deja_nada_y_no_estorba_al_siguiente(url: str) -> None:
    with abierto(url) as libro:
        tarea = asyncio.create_task(
            libro._servidor.ejecutar(lambda c: c.execute(text("SELECT pg_sleep(4)")))  # noqa: SLF001
        )
        await asyncio.sleep(0)
        tarea.cancel()
        await asyncio.wait([tarea])
        contar = select(func.count()).select_from(impresiones)
        assert await libro._servidor.ejecutar(lambda c: c.scalar(contar)) == 0  # noqa: SLF001


async def test_un_servidor_que_no_responde_no_retiene_ni_a_quien_pide_ni_a_quien_cierra(url: str) -> None:
    servidor = ServidorPostgreSQL(url, nombre="prueba", conexiones=1, limite=0.2)
    proceso = await servidor.ejecutar(lambda c: c.scalar(text("SELECT pg_backend_pid()")))
    assert isinstance(proceso, int)
    os.kill(proceso, signal.SIGSTOP)
    try:
        inicio = time.monotonic()
        with pytest.raises(BaseDatosNoDisponible):
            await servidor.ejecutar(lambda c: c.scalar(text("SELECT 1")))
        await asyncio.to_thread(servidor.cerrar)
        assert time.monotonic() - inicio < 30
    finally:
        os.kill(proceso, signal.SIGCONT)


async def test_una_sentencia_demasiado_larga_se_corta(url: str) -> None:
    servidor = ServidorPostgreSQL(url, nombre="prueba", conexiones=1, limite=0.2)
    with pytest.raises(BaseDatosNoDisponible, match="statement timeout"):
        await servidor.ejecutar(lambda c: c.execute(text("SELECT pg_sleep(30)")))
    servidor.cerrar()
