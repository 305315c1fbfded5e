"""Una fila que la base de datos no admite tiene su destino, y el resto de su lote se registra."""

import asyncio
from dataclasses import replace

from alpespartners.modulos.tracking.aplicacion.comandos import Comando
from alpespartners.modulos.tracking.aplicacion.topicos import EVENTO_IMPRESION_REGISTRADA
from alpespartners.modulos.tracking.infraestructura.libro.tablas import destinos, impresiones
from tests.apoyo.base_datos import sql
from tests.apoyo.espera import hasta_en_el_bucle
from tests.apoyo.eventos import IMPRESION
from tests.apoyo.puesta import Puesta

NO_CABE = """
    CREATE TRIGGER no_cabe BEFORE INSERT ON impresiones
    WHEN new.id IN ('imp-7', 'imp-13') BEGIN SELECT RAISE(ABORT, 'no caben inf-789 ni 192.168.1.1'); END
"""


async def test_solo_la_fila_que_la_base_de_datos_no_admite_se_rechaza_y_una_sola_vez(puesta: Puesta) -> None:
    puesta.broker.arrancar()
    sql(puesta.datos, NO_CABE)
    comandos: list[Comando] = [replace(IMPRESION, id=f"imp-{numero}") for numero in range(20)]
    async with puesta.despachando() as despachador:
        for _ in range(2):  # con la misma identidad: la segunda vez son los mismos comandos
            await asyncio.gather(
                *(despachador.publicar(c, comando_id=f"c-{c.id}", traza=None) for c in comandos)
            )
    async with puesta.consumiendo():
        await hasta_en_el_bucle(
            lambda: (
                (puesta.contar(impresiones), puesta.contar(destinos), puesta.por_publicar()) == (18, 2, 0)
            ),
            30,
        )

    rechazados = sql(puesta.datos, "SELECT evento_id, estado, motivo, detalle FROM destinos ORDER BY 1")
    assert rechazados == [
        (id_evento, "RECHAZADA", "rechazada_por_la_base_de_datos", "la base de datos no admite estos datos")
        for id_evento in ("imp-13", "imp-7")
    ]
    sumado = sql(puesta.datos, "SELECT estado, motivo, cuantos FROM balance WHERE topico LIKE 'comando-%'")
    assert sorted(sumado) == [
        ("RECHAZADA", "rechazada_por_la_base_de_datos", 2),
        ("REGISTRADA", "", 18),
    ]
    assert len(puesta.broker.leer(EVENTO_IMPRESION_REGISTRADA)) == 18


async def test_lo_que_ya_estaba_registrado_no_se_rechaza_cuando_vuelve(puesta: Puesta) -> None:
    puesta.broker.arrancar()
    async with puesta.despachando() as despachador:
        comando = replace(IMPRESION, id="imp-7")
        await despachador.publicar(comando, comando_id="c-1", traza=None)
        async with puesta.consumiendo():
            await hasta_en_el_bucle(lambda: puesta.contar(impresiones) == 1)
            # La restricción es de después: la fila está, y su comando vuelve a entregarse.
            sql(puesta.datos, NO_CABE)
            await despachador.publicar(comando, comando_id="c-1", traza=None)
            await despachador.publicar(replace(IMPRESION, id="imp-13"), comando_id="c-2", traza=None)
            await hasta_en_el_bucle(lambda: puesta.contar(destinos) == 1)
    assert sql(puesta.datos, "SELECT comando_id FROM destinos") == [("c-2",)]
