"""Con los tópicos partidos en particiones nada cambia: ni el flujo, ni las identidades, ni la lectura."""

import asyncio
from collections import Counter
from dataclasses import replace

import pulsar

from alpespartners.modulos.tracking.aplicacion.puertos import EstadoDelBroker
from alpespartners.modulos.tracking.aplicacion.topicos import (
    COMANDO_REGISTRAR_CONVERSION,
    COMANDO_REGISTRAR_IMPRESION,
    EVENTO_CONVERSION_REGISTRADA,
    EVENTO_IMPRESION_REGISTRADA,
)
from alpespartners.modulos.tracking.infraestructura.libro.tablas import destinos, impresiones
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import SUFIJO_CARTAS
from alpespartners.modulos.tracking.infraestructura.pulsar.revision import RevisorDelBroker
from tests.apoyo.base_datos import sql
from tests.apoyo.espera import hasta, hasta_en_el_bucle
from tests.apoyo.eventos import IMPRESION
from tests.apoyo.primer_esquema import carga_del_primero
from tests.apoyo.puesta import Puesta
from tests.apoyo.pulsar_apache import ServidorApache

PARTICIONES = 3
CUANTAS = 60
COLA = 200
"""Los mensajes que un consumidor recibe por adelantado de un tópico sin partir."""


def partir(servidor: ServidorApache, espacio: str) -> None:
    for topico in (
        COMANDO_REGISTRAR_IMPRESION,
        COMANDO_REGISTRAR_CONVERSION,
        EVENTO_IMPRESION_REGISTRADA,
        EVENTO_CONVERSION_REGISTRADA,
        COMANDO_REGISTRAR_IMPRESION + SUFIJO_CARTAS,
    ):
        servidor.administrar("PUT", f"persistent/{espacio}/{topico}/partitions", PARTICIONES)


async def test_los_comandos_se_reparten_y_cada_uno_es_una_fila_y_un_evento(
    pulsar_apache: ServidorApache, puesta: Puesta
) -> None:
    partir(pulsar_apache, puesta.broker.espacio)
    comandos = [replace(IMPRESION, id=f"imp-{numero}") for numero in range(CUANTAS)]
    async with puesta.despachando(30) as despachador, puesta.consumiendo():
        await asyncio.gather(*(despachador.publicar(c, comando_id=f"c-{c.id}", traza=None) for c in comandos))
        await hasta_en_el_bucle(
            lambda: puesta.contar(impresiones) == CUANTAS and puesta.por_publicar() == 0, 60
        )
    revisor = RevisorDelBroker(pulsar_apache.admin, espacio=puesta.broker.espacio, token=None, ca=None)
    estado = await revisor.estado()
    assert estado == EstadoDelBroker("suficiente", "presentes", estado.en_espera)
    assert estado.en_espera is not None
    assert estado.en_espera.keys() == {COMANDO_REGISTRAR_IMPRESION, COMANDO_REGISTRAR_CONVERSION}
    cliente = puesta.broker.cliente()
    leidos = await asyncio.to_thread(lambda: list(cliente.leer(COMANDO_REGISTRAR_IMPRESION)))
    eventos = await asyncio.to_thread(lambda: list(cliente.leer(EVENTO_IMPRESION_REGISTRADA)))
    cliente.cerrar()
    assert Counter(mensaje.clave for mensaje in leidos) == {comando.id: 1 for comando in comandos}
    assert {mensaje.posicion.split(":")[2] for mensaje in leidos} == {"0", "1", "2"}
    assert len({mensaje.propiedades["ce_id"] for mensaje in eventos}) == CUANTAS


async def test_sin_identidad_la_derivan_de_su_particion_y_es_la_misma_al_leerlos_y_al_reentregarlos(
    pulsar_apache: ServidorApache, puesta: Puesta
) -> None:
    partir(pulsar_apache, puesta.broker.espacio)
    ajeno = pulsar.Client(puesta.broker.url, logger=pulsar.FileLogger(pulsar.LoggerLevel.Error, "/dev/null"))
    productor = ajeno.create_producer(
        f"persistent://{puesta.broker.espacio}/{COMANDO_REGISTRAR_IMPRESION}", batching_enabled=False
    )
    # La misma carga y sin `id`: si la posición no distinguiera particiones, unos pasarían por otros.
    carga = carga_del_primero(replace(IMPRESION, id=None))
    for numero in range(CUANTAS):
        productor.send(carga, partition_key=f"clave-{numero}")
    ajeno.close()
    for _ in range(2):
        async with puesta.consumiendo():
            await hasta_en_el_bucle(lambda: puesta.contar(impresiones) == CUANTAS, 60)
    assert puesta.contar(destinos) == 0
    cliente = puesta.broker.cliente()
    leidos = await asyncio.to_thread(lambda: list(cliente.leer(COMANDO_REGISTRAR_IMPRESION)))
    cliente.cerrar()
    assert len({mensaje.posicion for mensaje in leidos}) == len(leidos) == CUANTAS
    ids = {fila[0] for fila in sql(puesta.datos, "SELECT id FROM impresiones")}
    assert len(ids) == CUANTAS


def test_lo_recibido_por_adelantado_no_crece_con_las_particiones(
    pulsar_apache: ServidorApache, puesta: Puesta
) -> None:
    partir(pulsar_apache, puesta.broker.espacio)
    topico = f"{puesta.broker.espacio}/{COMANDO_REGISTRAR_IMPRESION}"

    def en_poder_de_alguien() -> int:
        estado = pulsar_apache.administrar("GET", f"persistent/{topico}/partitioned-stats")
        return int(estado["subscriptions"]["tracking"]["unackedMessages"])

    cliente = puesta.broker.cliente()
    una = cliente.suscribir(COMANDO_REGISTRAR_IMPRESION)
    ajeno = pulsar.Client(puesta.broker.url, logger=pulsar.FileLogger(pulsar.LoggerLevel.Error, "/dev/null"))
    productor = ajeno.create_producer(f"persistent://{topico}", batching_enabled=False)
    for _ in range(2 * COLA):
        productor.send(b"")
    ajeno.close()
    hasta(lambda: en_poder_de_alguien() > COLA - PARTICIONES)
    otra = cliente.suscribir(COMANDO_REGISTRAR_IMPRESION)
    for _ in range(COLA):
        assert otra.recibir(10_000) is not None
    una.cerrar()
    otra.cerrar()
    cliente.cerrar()
