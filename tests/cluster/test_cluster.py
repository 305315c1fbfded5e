"""Un clúster de Apache Pulsar bajo carga, al que se le matan un almacén y un broker: ni pierde ni repite."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alpespartners.modulos.tracking.aplicacion.puertos import BrokerNoDisponible
from alpespartners.modulos.tracking.aplicacion.topicos import (
    COMANDO_REGISTRAR_IMPRESION,
    EVENTO_IMPRESION_REGISTRADA,
)
from alpespartners.modulos.tracking.infraestructura.despachadores import DespachadorPulsar
from alpespartners.modulos.tracking.infraestructura.libro.tablas import destinos, impresiones
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import ClientePulsar
from alpespartners.modulos.tracking.infraestructura.pulsar.revision import RevisorDelBroker
from tests.apoyo.cluster_apache import BOOKIES, BROKERS, ClusterApache, cluster_apache
from tests.apoyo.espera import hasta_en_el_bucle
from tests.apoyo.eventos import IMPRESION
from tests.apoyo.puesta import Puesta
from tests.apoyo.pulsar_apache import mensajes_de_apache

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

CLIENTES = 8
POR_TRAMO = 300


class EnElCluster:
    """El clúster visto por una prueba; cumple `Broker`, y de arrancarlo y matarlo se ocupa ella."""

    def __init__(self, cluster: ClusterApache) -> None:
        self._cluster = cluster
        self.espacio = cluster.espacio_nuevo()

    @property
    def url(self) -> str:
        return self._cluster.url

    def arrancar(self) -> None: ...

    def matar(self) -> None: ...

    def cliente(self) -> ClientePulsar:
        return ClientePulsar(self.url, espacio=self.espacio, embebido=False)

    def leer(self, topico: str) -> list[Any]:
        return mensajes_de_apache(self.url, self.espacio, topico)


class Carga:
    """Clientes que publican sin parar e insisten con la misma identidad hasta que se les confirma."""

    def __init__(self, despachador: DespachadorPulsar) -> None:
        self._despachador = despachador
        self._parar = asyncio.Event()
        self.confirmados: set[str] = set()
        self._tareas = [asyncio.create_task(self._publicar(numero)) for numero in range(CLIENTES)]

    async def avanzar(self) -> None:
        """Vuelve cuando se ha confirmado un tramo más."""
        meta = len(self.confirmados) + POR_TRAMO
        await hasta_en_el_bucle(lambda: len(self.confirmados) >= meta, 180)

    async def terminar(self) -> None:
        self._parar.set()
        await asyncio.gather(*self._tareas)

    async def _publicar(self, cliente: int) -> None:
        cuenta = 0
        while not self._parar.is_set():
            cuenta += 1
            comando = replace(IMPRESION, id=f"imp-{cliente}-{cuenta}")
            while True:
                try:
                    await self._despachador.publicar(comando, comando_id=f"c-{comando.id}", traza=None)
                except BrokerNoDisponible:
                    continue
                break
            self.confirmados.add(str(comando.id))


@pytest.fixture
def cluster() -> Iterator[ClusterApache]:
    with cluster_apache() as cluster:
        yield cluster


async def test_mueren_un_almacen_y_un_broker_bajo_carga_y_nada_se_pierde_ni_se_repite(
    cluster: ClusterApache, tmp_path: Path
) -> None:
    broker = EnElCluster(cluster)
    puesta = Puesta(broker, tmp_path / "libro")
    puesta.libro.abrir()
    async with puesta.despachando(10) as despachador, puesta.consumiendo():
        carga = Carga(despachador)
        await carga.avanzar()
        cluster.matar(BOOKIES[0])
        await carga.avanzar()
        victima = await asyncio.to_thread(cluster.broker_de, broker.espacio, COMANDO_REGISTRAR_IMPRESION)
        cluster.matar(victima)
        await carga.avanzar()
        await asyncio.to_thread(cluster.reponer, BOOKIES[0])
        await asyncio.to_thread(cluster.reponer, victima)
        await carga.avanzar()
        await carga.terminar()
        # Cada tópico es de un broker: el otro remite a él.
        for nombre in BROKERS:
            revisor = RevisorDelBroker(cluster.admin(nombre), espacio=broker.espacio, token=None, ca=None)
            assert (await revisor.estado()).retencion == "suficiente"
        await hasta_en_el_bucle(
            lambda: puesta.contar(impresiones) >= len(carga.confirmados) and puesta.por_publicar() == 0,
            120,
        )
        confirmados = carga.confirmados
    assert puesta.contar(impresiones) == len(confirmados)
    assert puesta.contar(destinos) == 0
    puesta.cerrar()
    eventos = await asyncio.to_thread(broker.leer, EVENTO_IMPRESION_REGISTRADA)
    por_id = Counter(evento.properties()["ce_subject"] for evento in eventos)
    assert por_id.keys() == confirmados
    assert len({evento.properties()["ce_id"] for evento in eventos}) == len(confirmados)
