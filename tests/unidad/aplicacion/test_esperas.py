"""Las esperas: una sola tarea pregunta por todos, y solo mientras alguien espera."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import TypeVar

import pytest

from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.esperas import Asentado, Esperas
from alpespartners.modulos.tracking.aplicacion.handlers import ManejadorDeRegistro
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible, Consulta
from alpespartners.modulos.tracking.dominio.destinos import Ignorada, Ilegible, Rechazada
from alpespartners.modulos.tracking.dominio.excepciones import Codigo
from tests.apoyo.espera import hasta_en_el_bucle
from tests.apoyo.eventos import AHORA, CONVERSION, IMPRESION, conversion, ilegible, impresion, recibido
from tests.apoyo.libro_en_memoria import TransaccionEnMemoria

T = TypeVar("T")


class Lecturas:
    """El libro en memoria, con el reloj de cada consulta."""

    def __init__(self) -> None:
        self.libro = TransaccionEnMemoria()
        self.momentos: list[float] = []
        self.fallo: Exception | None = None
        self.mientras_tanto: Callable[[], None] = lambda: None

    async def leer(self, consulta: Callable[[Consulta], T]) -> T:
        self.momentos.append(asyncio.get_running_loop().time())
        if self.fallo is not None:
            raise self.fallo
        leido = consulta(self.libro)
        self.mientras_tanto()
        return leido


@pytest.fixture
def lecturas() -> Lecturas:
    return Lecturas()


@pytest.fixture
def esperas(lecturas: Lecturas) -> Esperas:
    return Esperas(lecturas, maximo=10)


async def sin_tareas() -> None:
    """Espera a que no quede ninguna tarea más que la de la prueba."""
    await hasta_en_el_bucle(lambda: len(asyncio.all_tasks()) == 1)


async def test_cada_comando_tiene_su_desenlace(lecturas: Lecturas, esperas: Esperas) -> None:
    ManejadorDeRegistro(clases.CONVERSIONES).manejar(
        [
            recibido(CONVERSION, "nueva"),
            recibido(CONVERSION, "repetida"),
            recibido(replace(CONVERSION, usuario_id="otro"), "distinta"),
            ilegible("ilegible"),
            recibido(replace(CONVERSION, campaña_id="", ignorada="sin_campaña"), "ignorada"),
        ],
        lecturas.libro,
        AHORA,
    )
    ManejadorDeRegistro(clases.IMPRESIONES).manejar(
        [recibido(IMPRESION, "de-otra-clase")], lecturas.libro, AHORA
    )
    with ExitStack() as pila:
        futuros = [
            pila.enter_context(esperas.apuntar(clase, evento_id, comando_id))
            for clase, evento_id, comando_id in (
                (clases.CONVERSIONES, "conv-123", "nueva"),
                (clases.CONVERSIONES, "conv-123", "repetida"),
                (clases.CONVERSIONES, "conv-123", "distinta"),
                (clases.CONVERSIONES, "conv-9", "ilegible"),
                (clases.IMPRESIONES, "imp-123", "de-otra-clase"),
                (clases.CONVERSIONES, "conv-123", "ignorada"),
            )
        ]
        async with asyncio.timeout(10):
            desenlaces = await asyncio.gather(*[futuro for futuro in futuros if futuro is not None])
    assert len(lecturas.momentos) == 1
    guardada = conversion(comando_id="nueva")
    assert desenlaces[:2] == [Asentado(guardada, es_nuevo=True), Asentado(guardada, es_nuevo=False)]
    assert isinstance(desenlaces[2], Rechazada)
    assert desenlaces[2].motivo is Codigo.CONFLICTO_DE_ID
    assert desenlaces[2].campos == ("usuario_id",)
    assert desenlaces[3] == Ilegible("no es un registro Avro")
    assert desenlaces[4] == Asentado(impresion(comando_id="de-otra-clase"), es_nuevo=True)
    assert isinstance(desenlaces[5], Ignorada)
    await sin_tareas()


async def test_lo_de_otro_comando_con_el_mismo_id_no_es_su_desenlace(
    lecturas: Lecturas, esperas: Esperas
) -> None:
    ManejadorDeRegistro(clases.CONVERSIONES).manejar([recibido(CONVERSION, "otro")], lecturas.libro, AHORA)
    with esperas.apuntar(clases.CONVERSIONES, "conv-123", "mio") as futuro:
        assert futuro is not None
        await hasta_en_el_bucle(lambda: len(lecturas.momentos) >= 2)
        assert not futuro.done()
        ManejadorDeRegistro(clases.CONVERSIONES).manejar([recibido(CONVERSION, "mio")], lecturas.libro, AHORA)
        async with asyncio.timeout(10):
            assert await futuro == Asentado(conversion(comando_id="otro"), es_nuevo=False)
    await sin_tareas()


async def test_quien_se_va_mientras_se_pregunta_no_deja_esperando_a_los_demas(
    lecturas: Lecturas, esperas: Esperas
) -> None:
    ManejadorDeRegistro(clases.CONVERSIONES).manejar([recibido(CONVERSION, "c-1")], lecturas.libro, AHORA)
    with ExitStack() as quien_se_va, esperas.apuntar(clases.IMPRESIONES, "imp-123", "c-2") as futuro:
        assert futuro is not None
        quien_se_va.enter_context(esperas.apuntar(clases.CONVERSIONES, "conv-123", "c-1"))
        lecturas.mientras_tanto = quien_se_va.close
        await hasta_en_el_bucle(lambda: lecturas.momentos)
        ManejadorDeRegistro(clases.IMPRESIONES).manejar([recibido(IMPRESION, "c-2")], lecturas.libro, AHORA)
        async with asyncio.timeout(10):
            assert await futuro == Asentado(impresion(comando_id="c-2"), es_nuevo=True)
    await sin_tareas()


async def test_pregunta_cada_vez_mas_despacio_hasta_cada_200_ms(lecturas: Lecturas, esperas: Esperas) -> None:
    with esperas.apuntar(clases.IMPRESIONES, "a", "c-1"):
        await hasta_en_el_bucle(lambda: len(lecturas.momentos) >= 10)
    pausas = [b - a for a, b in zip(lecturas.momentos, lecturas.momentos[1:], strict=False)]
    assert min(pausas) >= 0.019
    # Las de en medio dependen de la carga de la máquina; las mínimas no.
    assert min(pausas[6:]) >= 0.19
    await sin_tareas()


async def test_quien_llega_no_paga_la_lentitud_de_quien_lleva_rato_esperando(
    lecturas: Lecturas, esperas: Esperas, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Con una pausa así, solo la llegada puede explicar la siguiente pregunta.
    monkeypatch.setattr("alpespartners.modulos.tracking.aplicacion.esperas._CRECIMIENTO", 1e9)
    monkeypatch.setattr("alpespartners.modulos.tracking.aplicacion.esperas._PAUSA_MAXIMA", 3_600.0)
    with esperas.apuntar(clases.IMPRESIONES, "a", "c-1"):
        await hasta_en_el_bucle(lambda: len(lecturas.momentos) == 2)
        with esperas.apuntar(clases.IMPRESIONES, "b", "c-2"):
            await hasta_en_el_bucle(lambda: len(lecturas.momentos) == 3)


async def test_sin_nadie_que_espere_no_se_pregunta(lecturas: Lecturas, esperas: Esperas) -> None:
    with esperas.apuntar(clases.IMPRESIONES, "a", "c-1"):
        await hasta_en_el_bucle(lambda: lecturas.momentos)
    await sin_tareas()
    preguntas = len(lecturas.momentos)
    with esperas.apuntar(clases.IMPRESIONES, "a", "c-1"):
        await hasta_en_el_bucle(lambda: len(lecturas.momentos) > preguntas)
    await sin_tareas()


async def test_el_que_pasa_del_maximo_no_espera_y_su_sitio_vuelve(lecturas: Lecturas) -> None:
    esperas = Esperas(lecturas, maximo=2)
    with ExitStack() as pila:
        for numero in range(2):
            assert pila.enter_context(esperas.apuntar(clases.IMPRESIONES, "a", f"c-{numero}")) is not None
        with esperas.apuntar(clases.IMPRESIONES, "a", "c-2") as de_mas:
            assert de_mas is None
    with esperas.apuntar(clases.IMPRESIONES, "a", "c-3") as futuro:
        assert futuro is not None
    await sin_tareas()


async def test_con_la_base_de_datos_caida_se_sigue_preguntando_hasta_que_vuelve(
    lecturas: Lecturas, esperas: Esperas, caplog: pytest.LogCaptureFixture
) -> None:
    lecturas.fallo = BaseDatosNoDisponible()
    with esperas.apuntar(clases.IMPRESIONES, "imp-123", "c-1") as futuro:
        assert futuro is not None
        await hasta_en_el_bucle(lambda: len(lecturas.momentos) >= 3)
        ManejadorDeRegistro(clases.IMPRESIONES).manejar([recibido(IMPRESION, "c-1")], lecturas.libro, AHORA)
        lecturas.fallo = None
        async with asyncio.timeout(10):
            assert await futuro == Asentado(impresion(), es_nuevo=True)
    # Quien la hizo caer ya lo sabe: no se anota cinco veces por segundo.
    assert caplog.records == []


async def test_un_fallo_inesperado_se_anota_y_se_sigue_preguntando(
    lecturas: Lecturas, esperas: Esperas, caplog: pytest.LogCaptureFixture
) -> None:
    lecturas.fallo = ZeroDivisionError()
    with caplog.at_level(logging.ERROR), esperas.apuntar(clases.IMPRESIONES, "a", "c-1") as futuro:
        assert futuro is not None
        await hasta_en_el_bucle(lambda: len(lecturas.momentos) >= 2)
        assert not futuro.done()
    assert caplog.records[0].exc_info is not None
