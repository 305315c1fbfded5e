"""Las lecturas sobre SQLite: con base de datos o sin ella, con escritor o sin él, y sin recorrer tablas."""

import asyncio
from collections.abc import Generator
from datetime import datetime
from pathlib import Path

import pytest

from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.mensajes import IdentidadComando
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible, Consulta, FiltroDestinos
from alpespartners.modulos.tracking.dominio.repositorios import (
    FiltroCorriente,
    FiltroEventos,
    FiltroRegistro,
    Posicion,
)
from alpespartners.modulos.tracking.infraestructura.libro.corriente import CorrienteSQL
from alpespartners.modulos.tracking.infraestructura.libro.destinos import RegistroDestinosSQL
from alpespartners.modulos.tracking.infraestructura.libro.enviados import enviados_de
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.archivo import archivo_de
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.lecturas import LecturasSQLite
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.libro import LibroSQLite, migrar
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.turno import turno_breve
from alpespartners.modulos.tracking.infraestructura.repositorios import RepositorioEventosSQL
from alpespartners.seedwork.procesos.cerrojos import Cerrojo
from tests.apoyo.base_datos import planes, sql
from tests.apoyo.eventos import AHORA, impresion


def todo(consulta: Consulta) -> tuple[list[str], list[str]]:
    filtro = FiltroEventos(campaña_id="cmp-456")
    assert not consulta.eventos(clases.CONVERSIONES).obtener(["imp-123"])
    return (
        sorted(consulta.eventos(clases.IMPRESIONES).obtener(["imp-123"])),
        [evento.id for evento in consulta.eventos(clases.IMPRESIONES).listar(filtro, None, 10)],
    )


@pytest.fixture
def datos(tmp_path: Path) -> Path:
    return tmp_path / "carpeta con espacios %41?#"


@pytest.fixture
def lecturas(datos: Path) -> Generator[LecturasSQLite]:
    abiertas = LecturasSQLite(datos)
    yield abiertas
    abiertas.cerrar()


def test_antes_de_que_exista_la_base_de_datos_se_lee_una_vacia(datos: Path, lecturas: LecturasSQLite) -> None:
    assert asyncio.run(lecturas.leer(todo)) == ([], [])
    assert asyncio.run(lecturas.consumidores()) == 0
    assert not datos.exists()


def test_un_archivo_recien_creado_y_sin_tablas_se_lee_vacio(datos: Path, lecturas: LecturasSQLite) -> None:
    datos.mkdir()
    archivo_de(datos).touch()
    assert asyncio.run(lecturas.leer(todo)) == ([], [])


async def test_en_cuanto_existe_se_lee_sin_volver_a_abrir(datos: Path, lecturas: LecturasSQLite) -> None:
    assert await lecturas.leer(todo) == ([], [])
    libro = LibroSQLite(datos)
    libro.abrir()
    assert await lecturas.leer(todo) == ([], [])
    await libro.ejecutar(lambda t: t.eventos(clases.IMPRESIONES).agregar([impresion()]))
    assert await lecturas.leer(todo) == (["imp-123"], ["imp-123"])
    libro.cerrar()
    assert await lecturas.leer(todo) == (["imp-123"], ["imp-123"])


async def test_se_lee_aunque_no_haya_escritor_ni_quede_su_wal(datos: Path, lecturas: LecturasSQLite) -> None:
    libro = LibroSQLite(datos)
    libro.abrir()
    await libro.ejecutar(lambda t: t.eventos(clases.IMPRESIONES).agregar([impresion()]))
    libro.cerrar()
    assert not archivo_de(datos).with_name(archivo_de(datos).name + "-wal").exists()
    assert await lecturas.leer(todo) == (["imp-123"], ["imp-123"])


async def test_no_se_lee_lo_que_aun_no_se_ha_confirmado(datos: Path, lecturas: LecturasSQLite) -> None:
    libro = LibroSQLite(datos)
    libro.abrir()
    bucle = asyncio.get_running_loop()

    def trabajo(transaccion: object) -> tuple[list[str], list[str]]:
        transaccion.eventos(clases.IMPRESIONES).agregar([impresion()])  # type: ignore[attr-defined]
        return asyncio.run_coroutine_threadsafe(lecturas.leer(todo), bucle).result(10)

    assert await libro.ejecutar(trabajo) == ([], [])
    assert await lecturas.leer(todo) == (["imp-123"], ["imp-123"])
    libro.cerrar()


async def test_hay_un_consumidor_mientras_vive_y_una_migracion_no_lo_es(
    datos: Path, lecturas: LecturasSQLite
) -> None:
    migrar(datos)
    assert await lecturas.consumidores() == 0
    with turno_breve(datos) as mio:
        assert mio
        assert await lecturas.consumidores() == 0
    libro = LibroSQLite(datos)
    libro.abrir()
    assert await lecturas.consumidores() == 1
    libro.cerrar()
    assert await lecturas.consumidores() == 0


async def test_preguntar_por_el_consumidor_justo_cuando_arranca_no_se_lo_impide(
    datos: Path, lecturas: LecturasSQLite
) -> None:
    migrar(datos)
    pregunta = Cerrojo(datos / "consumidor.lock")
    assert pregunta.tomar(compartido=True)
    libro = LibroSQLite(datos)
    apertura = asyncio.create_task(asyncio.to_thread(libro.abrir))
    hecha, _ = await asyncio.wait([apertura], timeout=0.2)
    assert not hecha
    pregunta.cerrar()
    await apertura
    assert await lecturas.consumidores() == 1
    libro.cerrar()


def test_un_archivo_dañado_es_una_base_de_datos_no_disponible(datos: Path, lecturas: LecturasSQLite) -> None:
    datos.mkdir()
    archivo_de(datos).write_bytes(b"esto no es SQLite" * 100)
    with pytest.raises(BaseDatosNoDisponible):
        asyncio.run(lecturas.leer(todo))


def test_una_carpeta_que_no_se_puede_usar_no_dice_si_hay_consumidor(
    datos: Path, lecturas: LecturasSQLite
) -> None:
    datos.mkdir()
    (datos / "consumidor.lock").mkdir()
    with pytest.raises(BaseDatosNoDisponible):
        asyncio.run(lecturas.consumidores())


async def test_una_lectura_no_puede_escribir(datos: Path, lecturas: LecturasSQLite) -> None:
    migrar(datos)
    with pytest.raises(BaseDatosNoDisponible, match="readonly"):
        await lecturas.leer(lambda c: c.eventos(clases.IMPRESIONES).agregar([impresion()]))  # type: ignore[attr-defined]


async def test_las_lecturas_no_dejan_transacciones_abiertas(datos: Path, lecturas: LecturasSQLite) -> None:
    libro = LibroSQLite(datos)
    libro.abrir()
    await libro.ejecutar(lambda t: t.eventos(clases.IMPRESIONES).agregar([impresion()]))
    await asyncio.gather(*(lecturas.leer(todo) for _ in range(8)))
    libro.cerrar()
    # Solo sin lectores con transacción se puede vaciar el WAL entero.
    ((ocupado, _, _),) = sql(datos, "PRAGMA wal_checkpoint(TRUNCATE)")
    assert ocupado == 0


@pytest.mark.parametrize(
    ("filtro", "indice"),
    [
        (FiltroEventos(campaña_id="a", desde=AHORA), "campana_id_ocurrido_en_id"),
        (FiltroEventos(campaña_id="a", influencer_id="b"), "campana_id_influencer_id_ocurrido_en_id"),
        (FiltroEventos(campaña_id="a", tipo="VENTA"), "campana_id_tipo_conversion_ocurrido_en_id"),
        (FiltroEventos(influencer_id="b", desde=AHORA), "influencer_id_ocurrido_en_id"),
    ],
)
def test_una_pagina_sale_de_su_indice_sin_ordenar_nada(filtro: FiltroEventos, indice: str) -> None:
    (plan,) = planes(
        lambda conexion: RepositorioEventosSQL(conexion, clases.CONVERSIONES).listar(
            filtro, Posicion(AHORA, "x"), 10
        )
    )
    assert f"USING INDEX ix_conversiones_{indice} " in plan
    assert "(ocurrido_en,id)<(?,?)" in plan


@pytest.mark.parametrize(
    "filtro",
    [
        FiltroCorriente(),
        FiltroCorriente(campaña_id="a"),
        FiltroCorriente(influencer_id="b"),
        FiltroCorriente(tipo="VENTA"),
        FiltroCorriente(desde=AHORA, hasta=AHORA),
        FiltroCorriente(registrado_desde=AHORA),
    ],
    ids=["ninguno", "campaña", "influencer", "tipo", "ocurrido", "registrado"],
)
def test_un_tramo_de_la_corriente_sale_de_su_indice_sin_ordenar_nada(filtro: FiltroCorriente) -> None:
    *_, tramo = planes(lambda conexion: CorrienteSQL(conexion, clases.CONVERSIONES).leer(filtro, 1, 9, 10))
    assert tramo == "SEARCH conversiones USING INDEX ix_conversiones_secuencia (secuencia>? AND secuencia<?)"


def test_lo_demas_de_la_corriente_tampoco_recorre_ninguna_tabla() -> None:
    (frontera,) = planes(lambda conexion: CorrienteSQL(conexion, clases.CONVERSIONES).frontera())[-1:]
    assert "USING COVERING INDEX ix_conversiones_secuencia" in frontera
    comienzo = planes(lambda conexion: CorrienteSQL(conexion, clases.CONVERSIONES).antes_de(AHORA, 9))
    indice = (
        "SEARCH conversiones USING COVERING INDEX ix_conversiones_registrado_en_secuencia (registrado_en>?)"
    )
    assert indice in comienzo
    sello = planes(lambda conexion: CorrienteSQL(conexion, clases.CONVERSIONES).sello(9))
    assert sello[0] == "SEARCH conversiones USING INDEX ix_conversiones_secuencia (secuencia<?)"


def test_los_destinos_de_un_id_salen_de_su_indice_por_orden_de_llegada() -> None:
    lectura, orden = planes(lambda conexion: RegistroDestinosSQL(conexion).de_evento("t", "a", 10))
    assert lectura == (
        "SEARCH destinos USING INDEX ix_destinos_topico_evento_id_decidido_en (topico=? AND evento_id=?)"
    )
    # Solo se ordenan entre sí los que se decidieron a la vez.
    assert orden in {f"USE TEMP B-TREE FOR {parte} OF ORDER BY" for parte in ("RIGHT PART", "LAST 2 TERMS")}
    (cuenta,) = planes(lambda conexion: RegistroDestinosSQL(conexion).cuantos_de_evento("t", "a"))
    assert "USING COVERING INDEX ix_destinos_topico_evento_id_decidido_en" in cuenta
    de_unas, *_ = planes(lambda conexion: RegistroDestinosSQL(conexion).de_evento("t", "a", 10, {"c", "d"}))
    assert de_unas == lectura


def test_lo_que_se_espera_sale_de_la_clave_de_los_destinos() -> None:
    plan, *_ = planes(lambda conexion: RegistroDestinosSQL(conexion).de_comandos("t", ["c-1", "c-2"]))
    assert plan.startswith(
        "SEARCH destinos USING INDEX sqlite_autoindex_destinos_1 (topico=? AND comando_id=?"
    )


@pytest.mark.parametrize(
    ("filtro", "indice"),
    [
        (FiltroDestinos(estado="DUPLICADA"), "topico_estado_decidido_en_comando_id_huella"),
        (
            FiltroDestinos(estado="RECHAZADA", desde=AHORA, hasta=AHORA),
            "topico_estado_decidido_en_comando_id_huella",
        ),
        (
            FiltroDestinos(estado="RECHAZADA", motivo="requerido"),
            "topico_motivo_decidido_en_comando_id_huella",
        ),
        (FiltroDestinos(estado="RECHAZADA", campaña_id="a"), "de_una_campana"),
    ],
)
@pytest.mark.parametrize("despues_de", [None, (AHORA, IdentidadComando("c", b"h"))])
def test_una_pagina_de_destinos_sale_de_su_indice_sin_ordenar_nada(
    filtro: FiltroDestinos, indice: str, despues_de: tuple[datetime, IdentidadComando] | None
) -> None:
    (plan,) = planes(lambda conexion: RegistroDestinosSQL(conexion).listar("t", filtro, despues_de, 10))
    assert f"USING INDEX ix_destinos_{indice} " in plan
    assert ("decidido_en" in plan.partition("(")[2]) == (despues_de is not None or filtro.desde is not None)


def test_lo_que_se_envio_sale_de_su_clave() -> None:
    plan, *_ = planes(lambda conexion: enviados_de(conexion, "t", ["c-1", "c-2"]))
    assert plan.startswith(
        "SEARCH enviados USING INDEX sqlite_autoindex_enviados_1 (topico=? AND comando_id=?"
    )


@pytest.mark.parametrize("filtro", [FiltroRegistro(), FiltroRegistro(desde=AHORA)])
@pytest.mark.parametrize("despues_de", [None, (AHORA, "x")])
def test_una_pagina_de_lo_registrado_sale_de_su_indice_y_solo_ordena_cada_instante(
    filtro: FiltroRegistro, despues_de: tuple[datetime, str] | None
) -> None:
    plan, *orden = planes(
        lambda conexion: RepositorioEventosSQL(conexion, clases.IMPRESIONES).registrados(
            filtro, despues_de, 10
        )
    )
    assert "USING INDEX ix_impresiones_registrado_en_secuencia" in plan
    assert [paso for paso in orden if "ORDER BY" in paso] == orden != ["USE TEMP B-TREE FOR ORDER BY"]


def test_lo_registrado_de_una_campaña_no_recorre_las_demas() -> None:
    plan, *_ = planes(
        lambda conexion: RepositorioEventosSQL(conexion, clases.IMPRESIONES).registrados(
            FiltroRegistro(campaña_id="a"), None, 10
        )
    )
    assert "(campana_id=?" in plan
