"""Qué fue de un `id`: su historia en orden, y lo que se dice cuando no consta nada."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.consultas.consultar_destino import (
    SUCESOS_MAXIMOS,
    Historia,
    SinNoticias,
    consultar_destino,
)
from alpespartners.modulos.tracking.aplicacion.handlers import ManejadorDeRegistro
from alpespartners.modulos.tracking.aplicacion.mensajes import ComandoRecibido, MensajeIlegible
from alpespartners.modulos.tracking.dominio.destinos import Duplicada, Ilegible, Rechazada, Registrada
from alpespartners.modulos.tracking.dominio.excepciones import Codigo
from tests.apoyo.eventos import AHORA, CONVERSION, ilegible, recibido
from tests.apoyo.libro_en_memoria import TransaccionEnMemoria

Lote = Sequence[ComandoRecibido | MensajeIlegible]
MINUTO = timedelta(minutes=1)


@pytest.fixture
def libro() -> TransaccionEnMemoria:
    return TransaccionEnMemoria()


def asentar(libro: TransaccionEnMemoria, lote: Lote, minuto: int = 0) -> None:
    ManejadorDeRegistro(clases.CONVERSIONES).manejar(lote, libro, AHORA + minuto * MINUTO)


def contada(libro: TransaccionEnMemoria, id_evento: str = "conv-123") -> Historia:
    historia = consultar_destino(libro, clases.CONVERSIONES, id_evento)
    assert isinstance(historia, Historia)
    return historia


def test_la_historia_va_de_lo_mas_antiguo_a_lo_mas_nuevo_con_su_hora_y_su_comando(
    libro: TransaccionEnMemoria,
) -> None:
    asentar(libro, [ilegible("c-0", clave="conv-123")], 0)
    asentar(libro, [recibido(replace(CONVERSION, moneda="ZZZ"), "c-9")], 1)
    asentar(libro, [recibido(CONVERSION, "c-5")], 2)
    asentar(libro, [recibido(replace(CONVERSION, usuario_id="otro"), "c-4")], 4)
    asentar(libro, [recibido(replace(CONVERSION, recibido_en=AHORA + MINUTO), "c-6")], 3)
    historia = contada(libro)
    assert [(suceso.comando_id, suceso.decidido_en) for suceso in historia.sucesos] == [
        ("c-0", AHORA),
        ("c-9", AHORA + MINUTO),
        ("c-5", AHORA + 2 * MINUTO),
        ("c-6", AHORA + 3 * MINUTO),
        ("c-4", AHORA + 4 * MINUTO),
    ]
    destinos = [suceso.destino for suceso in historia.sucesos]
    assert destinos[0] == Ilegible("no es un registro Avro")
    assert destinos[2:4] == [Registrada(), Duplicada("c-5")]
    assert [d.motivo for d in destinos if isinstance(d, Rechazada)] == [
        Codigo.MONEDA_DESCONOCIDA,
        Codigo.CONFLICTO_DE_ID,
    ]
    assert [suceso.recibido_en for suceso in historia.sucesos] == [AHORA, AHORA, AHORA, AHORA + MINUTO, AHORA]
    assert historia.omitidos == 0


def test_el_registro_va_delante_de_lo_que_se_decidio_en_su_mismo_lote(libro: TransaccionEnMemoria) -> None:
    asentar(libro, [recibido(CONVERSION, "c-9"), recibido(CONVERSION, "c-1")])
    assert [suceso.destino for suceso in contada(libro).sucesos] == [Registrada(), Duplicada("c-9")]


def test_la_historia_es_solo_de_ese_id_y_de_esa_clase(libro: TransaccionEnMemoria) -> None:
    asentar(libro, [recibido(CONVERSION, "c-1"), recibido(replace(CONVERSION, id="otra"), "c-2")])
    assert [suceso.comando_id for suceso in contada(libro, "otra").sucesos] == ["c-2"]
    assert isinstance(consultar_destino(libro, clases.IMPRESIONES, "otra"), SinNoticias)


@pytest.mark.parametrize("repeticiones", [SUCESOS_MAXIMOS - 1, SUCESOS_MAXIMOS, SUCESOS_MAXIMOS + 5])
def test_de_una_historia_enorme_se_cuentan_los_primeros_sucesos_y_cuantos_faltan(
    libro: TransaccionEnMemoria, repeticiones: int
) -> None:
    asentar(libro, [recibido(CONVERSION, "c-0")])
    asentar(libro, [recibido(CONVERSION, f"c-{n:05}") for n in range(repeticiones)], 1)
    historia = contada(libro)
    assert [suceso.comando_id for suceso in historia.sucesos[:3]] == ["c-0", "c-00000", "c-00001"]
    assert len(historia.sucesos) == SUCESOS_MAXIMOS
    assert historia.omitidos == repeticiones + 1 - SUCESOS_MAXIMOS


def test_el_registro_esta_siempre_aunque_llegara_despues_de_mil_rechazos(libro: TransaccionEnMemoria) -> None:
    mala = replace(CONVERSION, moneda="ZZZ")
    asentar(libro, [recibido(mala, f"c-{n}") for n in range(SUCESOS_MAXIMOS + 1)])
    asentar(libro, [recibido(CONVERSION, "buena")], 1)
    historia = contada(libro)
    assert historia.sucesos[-1].destino == Registrada()
    assert (len(historia.sucesos), historia.omitidos) == (SUCESOS_MAXIMOS, 2)


def test_lo_de_una_campaña_se_ve_aunque_otra_enviara_antes_mas_de_los_que_caben(
    libro: TransaccionEnMemoria,
) -> None:
    asentar(libro, [recibido(CONVERSION, "c-0")])
    asentar(libro, [recibido(CONVERSION, f"c-{n:05}") for n in range(SUCESOS_MAXIMOS + 1)], 1)
    asentar(libro, [recibido(replace(CONVERSION, campaña_id="otra"), "suya")], 2)
    historia = consultar_destino(libro, clases.CONVERSIONES, "conv-123", {"otra"})
    assert isinstance(historia, Historia)
    assert [suceso.comando_id for suceso in historia.sucesos] == ["suya"]
    assert historia.omitidos == 0


def test_de_lo_desconocido_se_sabe_hasta_donde_se_ha_procesado_su_clase(libro: TransaccionEnMemoria) -> None:
    asentar(libro, [recibido(replace(CONVERSION, recibido_en=AHORA + MINUTO), "c-1")])
    asentar(libro, [recibido(replace(CONVERSION, id="otra"), "c-2")])
    nada = consultar_destino(libro, clases.CONVERSIONES, "nunca")
    assert nada == SinNoticias(procesado_hasta=AHORA + MINUTO)
    assert consultar_destino(libro, clases.IMPRESIONES, "nunca") == SinNoticias(procesado_hasta=None)


@pytest.mark.parametrize(
    ("procesado_hasta", "consumidores", "dice", "calla"),
    [
        (None, 1, ["Aún no se ha procesado", "Si se aceptó, tendrá destino"], ["ninguno", "después"]),
        (None, 0, ["Aún no se ha procesado", "Si se aceptó, está a salvo", "no hay ninguno"], ["momento"]),
        (AHORA, 1, ["2026-01-15 10:36:00 UTC", "no llegara", "después, tendrá destino"], ["ninguno"]),
        (AHORA, None, ["2026-01-15 10:36:00 UTC", "no llegara", "después, tendrá destino"], ["ninguno"]),
        (AHORA, 0, ["2026-01-15 10:36:00 UTC", "no llegara", "después, está a salvo"], ["momento"]),
    ],
)
def test_la_explicacion_distingue_todavia_no_de_nunca_llego(
    procesado_hasta: datetime | None, consumidores: int | None, dice: list[str], calla: list[str]
) -> None:
    explicacion = SinNoticias(procesado_hasta=procesado_hasta).explicacion(consumidores)
    assert [parte for parte in dice if parte not in explicacion] == []
    assert [parte for parte in calla if parte in explicacion] == []
