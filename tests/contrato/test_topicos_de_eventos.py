"""El contrato de quien lee los tópicos de eventos: no calla nada, no retiene nada, y sigue por donde iba."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from alpespartners.modulos.tracking.aplicacion.clases import CLASES, CONVERSIONES, IMPRESIONES
from alpespartners.modulos.tracking.aplicacion.en_vivo.posiciones import PRINCIPIO, Posiciones
from alpespartners.modulos.tracking.aplicacion.en_vivo.publicado import Publicado
from alpespartners.modulos.tracking.aplicacion.mensajes import Sobre
from alpespartners.modulos.tracking.aplicacion.puertos import BrokerNoDisponible
from alpespartners.modulos.tracking.dominio.entidades import EventoSeguido
from alpespartners.modulos.tracking.infraestructura.en_vivo.lector_de_eventos import LectorDeEventos
from alpespartners.modulos.tracking.infraestructura.en_vivo.seguimiento import RitmoDelSeguimiento
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import evento_de, sobre_de_evento
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import ClientePulsar
from alpespartners.seedwork.pausas import Pausas
from tests.apoyo.broker import Broker, broker_de_prueba
from tests.apoyo.espera import hasta_en_el_bucle
from tests.apoyo.eventos import CONVERSION, IMPRESION, conversion, impresion
from tests.apoyo.pulsar_apache import ApacheDePrueba, ServidorApache

VIVO = RitmoDelSeguimiento(espera_ms=100, entre_particiones=0.2, pausas=Pausas(minima=0.05, maxima=0.2))


@dataclass
class Oido:
    """Un receptor que recuerda lo que se le contó."""

    posiciones: dict[str, Any] = field(default_factory=dict)
    publicados: list[Publicado] = field(default_factory=list)
    conexiones: list[bool] = field(default_factory=list)

    def situar(self, posiciones: Posiciones) -> None:
        self.posiciones |= posiciones

    def recibir(self, publicados: Sequence[Publicado]) -> None:
        self.publicados += publicados

    def conectado(self, *, con_broker: bool) -> None:
        if self.conexiones[-1:] != [con_broker]:
            self.conexiones.append(con_broker)

    @property
    def ids(self) -> list[str]:
        return [publicado.evento.id for publicado in self.publicados if publicado.evento is not None]


class Proceso:
    """El cliente de un proceso y su lector."""

    def __init__(self, cliente: ClientePulsar) -> None:
        self.cliente = cliente
        self.lector = LectorDeEventos(VIVO)
        self.lector.abrir(cliente, UUID(int=7))

    async def publicar(self, *eventos: EventoSeguido[Any]) -> None:
        """Publica cada uno en su tópico, los de cada clase por orden, y vuelve cuando están guardados."""
        await self.enviar(*(sobre_de_evento(evento_de(evento), None) for evento in eventos))

    async def enviar(self, *sobres: Sobre) -> None:
        await asyncio.to_thread(self._enviar, sobres)

    def _enviar(self, sobres: Sequence[Sobre]) -> None:
        for topico in {sobre.topico for sobre in sobres}:
            confirmados: list[bool] = []
            productor = self.cliente.productor(topico, por_clave=True, limite=30, maximo_en_curso=1_000)
            for sobre in sobres:
                if sobre.topico == topico:
                    productor.enviar(sobre, confirmados.append)
            productor.vaciar()
            productor.cerrar()
            assert all(confirmados)

    @asynccontextmanager
    async def siguiendo(self) -> AsyncGenerator[Oido]:
        """Alguien que oye lo que se publica; entra cuando ya se sabe desde dónde."""
        oido = Oido()
        tarea = asyncio.create_task(self.lector.seguir(oido))
        try:
            await hasta_en_el_bucle(lambda: oido.conexiones)
            yield oido
        finally:
            tarea.cancel()
            await asyncio.wait((tarea,))


def impresiones(*numeros: int) -> list[Any]:
    return [impresion(replace(IMPRESION, id=f"imp-{n}")) for n in numeros]


def ids(*numeros: int) -> list[str]:
    return [f"imp-{n}" for n in numeros]


class SobreUnBroker:
    """Lo común a los dos brokers."""

    @pytest.fixture
    async def nuevo(self, broker: Broker) -> AsyncGenerator[Callable[[], Proceso]]:
        broker.arrancar()
        procesos: list[Proceso] = []

        def hacer() -> Proceso:
            procesos.append(Proceso(broker.cliente()))
            return procesos[-1]

        yield hacer
        for proceso in procesos:
            await asyncio.to_thread(proceso.cliente.cerrar)

    async def test_llega_lo_que_se_publica_desde_que_se_sigue_y_no_lo_de_antes(
        self, nuevo: Callable[[], Proceso]
    ) -> None:
        proceso = nuevo()
        await proceso.publicar(*impresiones(1, 2))
        async with proceso.siguiendo() as oido:
            await proceso.publicar(*impresiones(3, 4))
            await proceso.publicar(conversion(CONVERSION))
            await hasta_en_el_bucle(lambda: len(oido.ids) == 3)
        assert sorted(oido.ids) == ["conv-123", *ids(3, 4)]
        assert oido.conexiones == [True]

    async def test_dos_procesos_dan_los_mismos_lugares_y_ninguno_quita_nada_al_otro(
        self, nuevo: Callable[[], Proceso]
    ) -> None:
        uno, otro = nuevo(), nuevo()
        async with uno.siguiendo() as oido, otro.siguiendo() as tambien:
            await uno.publicar(*impresiones(*range(20)))
            await hasta_en_el_bucle(lambda: len(oido.ids) == len(tambien.ids) == 20)
        assert [p.lugar for p in oido.publicados] == [p.lugar for p in tambien.publicados]

    @pytest.mark.parametrize("antes", [(), (1, 2, 3)])
    async def test_si_el_broker_muere_y_vuelve_se_sabe_y_no_falta_nada_de_lo_publicado(
        self, nuevo: Callable[[], Proceso], broker: Broker, antes: tuple[int, ...]
    ) -> None:
        async with nuevo().siguiendo() as oido:
            if antes:
                await nuevo().publicar(*impresiones(*antes))
                await hasta_en_el_bucle(lambda: oido.ids == ids(*antes))
            broker.matar()
            await hasta_en_el_bucle(lambda: oido.conexiones == [True, False])
            broker.arrancar()
            await nuevo().publicar(*impresiones(4, 5))
            await hasta_en_el_bucle(lambda: oido.ids == ids(*antes, 4, 5), 120)
            await hasta_en_el_bucle(lambda: oido.conexiones == [True, False, True])

    async def test_si_no_hay_broker_al_empezar_se_dice_y_se_empieza_cuando_llega(
        self, nuevo: Callable[[], Proceso], broker: Broker
    ) -> None:
        proceso = nuevo()
        broker.matar()
        async with proceso.siguiendo() as oido:
            assert oido.conexiones == [False]
            assert not oido.posiciones
            with pytest.raises(BrokerNoDisponible):
                await proceso.lector.finales()
            broker.arrancar()
            await hasta_en_el_bucle(lambda: oido.conexiones == [False, True], 120)
            await nuevo().publicar(*impresiones(1))
            await hasta_en_el_bucle(lambda: oido.ids == ids(1))

    async def test_se_repasa_exactamente_lo_que_hay_entre_dos_lugares_tambien_a_mitad_de_un_lote(
        self, nuevo: Callable[[], Proceso]
    ) -> None:
        proceso = nuevo()
        async with proceso.siguiendo() as oido:
            principio = dict(oido.posiciones)
            await proceso.publicar(*impresiones(*range(10)))
            await hasta_en_el_bucle(lambda: len(oido.ids) == 10)
        octetos = sum(publicado.octetos for publicado in oido.publicados)
        lugares = [{**principio, "impresion": publicado.lugar} for publicado in oido.publicados]
        for desde in range(10):
            for hasta in (desde, 9):
                repasados = await proceso.lector.repasar(lugares[desde], lugares[hasta], 10, octetos)
                assert repasados == oido.publicados[desde + 1 : hasta + 1]
        finales = await proceso.lector.finales()
        assert await proceso.lector.repasar(principio, finales, 10, octetos) == oido.publicados
        assert await proceso.lector.repasar({}, finales, 10, octetos) == oido.publicados
        assert await proceso.lector.repasar(principio, finales, 9, octetos) is None
        assert await proceso.lector.repasar(principio, finales, 10, octetos - 1) is None

    async def test_lo_ajeno_no_es_de_nadie_y_lo_de_una_version_posterior_es_de_su_campaña(
        self, nuevo: Callable[[], Proceso]
    ) -> None:
        proceso = nuevo()
        bueno = sobre_de_evento(evento_de(impresion(IMPRESION)), None)
        esquema = bueno.propiedades["ce_dataschema"].split("#")[0]
        de_despues = {**bueno.propiedades, "ce_dataschema": f"{esquema}#{'f' * 16}"}
        posterior = bueno._replace(propiedades=de_despues)
        async with proceso.siguiendo() as oido:
            await proceso.enviar(bueno._replace(carga=b"nada"))
            await proceso.enviar(posterior)
            await proceso.enviar(bueno)
            await hasta_en_el_bucle(lambda: len(oido.publicados) == 3)
        assert [(p.campaña_id, p.evento is None) for p in oido.publicados] == [
            (None, True),
            ("cmp-456", True),
            ("cmp-456", False),
        ]


class TestSobreElBrokerEmbebido(SobreUnBroker):
    @pytest.fixture
    def broker(self, tmp_path: Path) -> Generator[Broker]:
        with broker_de_prueba(tmp_path / "broker") as broker:
            yield broker


class TestSobreApachePulsar(SobreUnBroker):
    @pytest.fixture
    def broker(self, pulsar_apache: ServidorApache) -> Broker:
        pulsar_apache.arrancar_si_falta()
        return ApacheDePrueba(pulsar_apache)

    async def test_no_deja_ninguna_suscripcion_ni_retiene_nada(
        self, nuevo: Callable[[], Proceso], broker: Broker, pulsar_apache: ServidorApache
    ) -> None:
        def cursores(topico: str) -> dict[str, Any]:
            ruta = f"persistent/{broker.espacio}/{topico}/internalStats"
            suyos: dict[str, Any] = pulsar_apache.administrar("GET", ruta)["cursors"]
            return suyos

        proceso = nuevo()
        async with proceso.siguiendo() as oido:
            await proceso.publicar(*impresiones(1), conversion(CONVERSION))
            await hasta_en_el_bucle(lambda: len(oido.ids) == 2)
            for clase in CLASES:
                # Sin libro propio: un cursor que no dura más que su conexión.
                assert [c["cursorLedger"] for c in cursores(clase.topico_de_eventos).values()] == [-1]
        for clase in CLASES:
            await hasta_en_el_bucle(partial(_ninguno, cursores, clase.topico_de_eventos))

    async def test_lee_todas_las_particiones_y_las_que_se_añadan_desde_su_principio(
        self, nuevo: Callable[[], Proceso], broker: Broker, pulsar_apache: ServidorApache
    ) -> None:
        topicos = {
            clase: f"persistent/{broker.espacio}/{clase.topico_de_eventos}/partitions" for clase in CLASES
        }
        for topico in topicos.values():
            pulsar_apache.administrar("PUT", topico, 2)
        campañas = [impresion(replace(IMPRESION, id=f"imp-{n}", campaña_id=f"cmp-{n}")) for n in range(40)]
        proceso = nuevo()
        async with proceso.siguiendo() as oido:
            assert oido.posiciones.keys() >= {"impresion-0", "impresion-1", "conversion-0", "conversion-1"}
            await proceso.publicar(*campañas[:20])
            await hasta_en_el_bucle(lambda: len(oido.ids) == 20)
            assert {publicado.canal for publicado in oido.publicados} == {"impresion-0", "impresion-1"}
            pulsar_apache.administrar("POST", topicos[IMPRESIONES], 4)
            await nuevo().publicar(*campañas[20:])
            await hasta_en_el_bucle(lambda: len(oido.ids) == 40)
        assert {publicado.canal for publicado in oido.publicados} > {"impresion-0", "impresion-1"}
        assert oido.posiciones["impresion-2"] == PRINCIPIO
        assert f"{CONVERSIONES.nombre}-2" not in oido.posiciones


def _ninguno(cursores: Callable[[str], dict[str, Any]], topico: str) -> bool:
    return not cursores(topico)
