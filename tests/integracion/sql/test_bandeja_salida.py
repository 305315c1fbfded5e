"""La bandeja de salida sobre SQLite: qué se deposita, quién lo tiene arrendado y cuándo se olvida."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from alpespartners.modulos.tracking.aplicacion.mensajes import Envio
from alpespartners.modulos.tracking.aplicacion.topicos import COMANDO_REGISTRAR_CONVERSION
from alpespartners.modulos.tracking.infraestructura.libro import bandeja_salida as bandeja
from alpespartners.modulos.tracking.infraestructura.libro.tablas import bandeja_salida
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import (
    PROPIEDAD_COMANDO,
    SUFIJO_CARTAS,
    sobre_de_carta,
)
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.archivo import motor_de_lectura
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.libro import LibroSQLite
from alpespartners.modulos.tracking.infraestructura.repositorios import TransaccionSQL
from tests.apoyo.eventos import ilegible

VENCIDO = timedelta(0)
LARGO = timedelta(minutes=5)


@asynccontextmanager
async def libro(datos: Path, arriendo: timedelta) -> AsyncGenerator[LibroSQLite]:
    abierto = LibroSQLite(datos, arriendo)
    abierto.abrir()
    try:
        yield abierto
    finally:
        abierto.cerrar()


def depositar(*ids: str) -> Callable[[TransaccionSQL], list[Envio]]:
    def trabajo(transaccion: TransaccionSQL) -> list[Envio]:
        cartas = [ilegible(comando_id) for comando_id in ids]
        return transaccion.bandeja.depositar_cartas(COMANDO_REGISTRAR_CONVERSION, cartas)

    return trabajo


async def test_lo_depositado_se_conoce_en_orden_y_con_su_numero(tmp_path: Path) -> None:
    async with libro(tmp_path, VENCIDO) as abierto:
        depositados = await abierto.ejecutar(depositar("c-1", "c-2"))
        assert [envio.sobre for envio in depositados] == [
            sobre_de_carta(COMANDO_REGISTRAR_CONVERSION, ilegible(comando_id))
            for comando_id in ("c-1", "c-2")
        ]
        assert await abierto.reservar_vencidos(10) == depositados


async def test_miles_de_envios_conservan_cada_uno_su_numero(tmp_path: Path) -> None:
    ids = [f"imp-{n}" for n in range(2_500)]
    async with libro(tmp_path, VENCIDO) as abierto:
        depositados = await abierto.ejecutar(depositar(*ids))
        assert [envio.sobre.propiedades[PROPIEDAD_COMANDO] for envio in depositados] == ids
        assert await abierto.reservar_vencidos(10_000) == depositados


async def test_quien_deposita_tiene_el_envio_arrendado(tmp_path: Path) -> None:
    async with libro(tmp_path, LARGO) as abierto:
        await abierto.ejecutar(depositar("a"))
        assert await abierto.reservar_vencidos(10) == []


async def test_un_envio_reservado_no_lo_reserva_otro_hasta_que_vence(tmp_path: Path) -> None:
    async with libro(tmp_path, VENCIDO) as abierto:
        depositados = await abierto.ejecutar(depositar("a"))
    async with libro(tmp_path, LARGO) as abierto:
        assert await abierto.reservar_vencidos(10) == depositados
        assert await abierto.reservar_vencidos(10) == []


async def test_renovar_alarga_el_arriendo(tmp_path: Path) -> None:
    async with libro(tmp_path, VENCIDO) as abierto:
        await abierto.ejecutar(depositar("a", "b"))
    async with libro(tmp_path, LARGO) as abierto:
        # Se abre libre; quien renueva lo tiene otra vez.
        await abierto.renovar([1])
        assert [envio.numero for envio in await abierto.reservar_vencidos(10)] == [2]


async def test_los_vencidos_se_reservan_del_mas_antiguo_al_mas_nuevo_y_hasta_el_limite(
    tmp_path: Path,
) -> None:
    async with libro(tmp_path, VENCIDO) as abierto:
        depositados = await abierto.ejecutar(depositar("a", "b", "c"))
    async with libro(tmp_path, LARGO) as abierto:
        assert await abierto.reservar_vencidos(2) == depositados[:2]
        assert await abierto.reservar_vencidos(2) == depositados[2:]


async def test_lo_que_se_reserva_de_una_vez_cabe_en_la_memoria_y_uno_siempre_se_reserva(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with libro(tmp_path, VENCIDO) as abierto:
        depositados = await abierto.ejecutar(depositar("a", "b", "c"))
    mayor = max(len(envio.sobre.carga) for envio in depositados)
    async with libro(tmp_path, LARGO) as abierto:
        monkeypatch.setattr(bandeja, "OCTETOS_POR_RESERVA", mayor * 2)
        assert await abierto.reservar_vencidos(10) == depositados[:2]
        monkeypatch.setattr(bandeja, "OCTETOS_POR_RESERVA", 1)
        assert await abierto.reservar_vencidos(10) == depositados[2:]


async def test_lo_retirado_no_vuelve_y_su_numero_no_se_repite(tmp_path: Path) -> None:
    async with libro(tmp_path, VENCIDO) as abierto:
        (primero,) = await abierto.ejecutar(depositar("a"))
        await abierto.retirar([primero.numero])
        assert await abierto.reservar_vencidos(10) == []
        (segundo,) = await abierto.ejecutar(depositar("b"))
        # Una confirmación que llega tarde no se lleva el envío de otro.
        await abierto.retirar([primero.numero])
        assert await abierto.reservar_vencidos(10) == [segundo]


async def test_retirar_y_renovar_admiten_miles_y_ninguno(tmp_path: Path) -> None:
    async with libro(tmp_path, VENCIDO) as abierto:
        depositados = await abierto.ejecutar(depositar(*(f"imp-{n}" for n in range(2_500))))
        numeros = [envio.numero for envio in depositados]
        await abierto.renovar(numeros)
        await abierto.renovar([])
        await abierto.retirar([])
        await abierto.retirar(numeros[1:])
        assert await abierto.reservar_vencidos(10) == depositados[:1]


async def test_al_abrir_se_liberan_los_arriendos_de_quien_murio(tmp_path: Path) -> None:
    async with libro(tmp_path, LARGO) as abierto:
        depositados = await abierto.ejecutar(depositar("a"))
    async with libro(tmp_path, LARGO) as abierto:
        assert await abierto.reservar_vencidos(10) == depositados


async def test_el_arriendo_se_mide_con_el_reloj_de_la_base_de_datos(tmp_path: Path) -> None:
    async with libro(tmp_path, LARGO) as abierto:
        antes = datetime.now(UTC)
        await abierto.ejecutar(depositar("a"))
        despues = datetime.now(UTC)
    motor = motor_de_lectura(tmp_path, 1)
    with motor.begin() as conexion:
        fila = conexion.execute(select(bandeja_salida)).one()
    motor.dispose()
    assert fila.topico == COMANDO_REGISTRAR_CONVERSION + SUFIJO_CARTAS
    # El reloj de SQLite solo tiene milisegundos.
    milisegundos = timedelta(milliseconds=2)
    assert antes - milisegundos <= fila.depositado_en <= despues + milisegundos
    assert fila.reservada_hasta - fila.depositado_en == LARGO
