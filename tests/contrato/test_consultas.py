"""El contrato de las consultas de destinos y de balance: se lee lo que se anotó, y en el mismo orden."""

from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest

from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.aplicacion.consultas.listar_destinos import (
    listar_destinos,
    peticion_de_destinos,
)
from alpespartners.modulos.tracking.aplicacion.handlers import ManejadorDeRegistro
from alpespartners.modulos.tracking.aplicacion.mensajes import (
    ComandoRecibido,
    DestinoDeComando,
    IdentidadComando,
    MensajeIlegible,
    RenglonBalance,
)
from alpespartners.modulos.tracking.aplicacion.negados import FRASES
from alpespartners.modulos.tracking.aplicacion.puertos import (
    Consulta,
    FiltroDestinos,
    Lecturas,
    UnidadTrabajo,
)
from alpespartners.modulos.tracking.aplicacion.topicos import (
    COMANDO_REGISTRAR_CONVERSION,
    COMANDO_REGISTRAR_IMPRESION,
)
from alpespartners.modulos.tracking.dominio.destinos import (
    Duplicada,
    Ignorada,
    Ilegible,
    MotivoDeIgnorar,
    Rechazada,
)
from alpespartners.modulos.tracking.dominio.excepciones import Codigo
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.libro import LibroPostgreSQL
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.libro import LibroSQLite
from tests.apoyo.base_datos import libro_sqlite
from tests.apoyo.eventos import AHORA, CONVERSION, HUELLA, IMPRESION, conversion, ilegible, recibido
from tests.apoyo.libro_en_memoria import LibroEnMemoria
from tests.apoyo.por_publicar import dar_por_publicado, por_publicar
from tests.apoyo.postgresql import ServidorDePrueba, libro_postgresql

T = TypeVar("T")
Conversiones = Sequence[ComandoRecibido | MensajeIlegible]

MINUTO = timedelta(minutes=1)


def _otra(identidad: IdentidadComando, minuto: int) -> IdentidadComando:
    return IdentidadComando(f"{identidad.comando_id}/{minuto}", identidad.huella)


class Libro:
    """Un adaptador bajo prueba: lo que escribe, y lo que leen otros."""

    def __init__(
        self, unidad: UnidadTrabajo, lecturas: Lecturas, bandeja: LibroSQLite | LibroPostgreSQL | None = None
    ) -> None:
        self.unidad = unidad
        self.lecturas = lecturas
        self._bandeja = bandeja

    @property
    def bandeja(self) -> LibroSQLite | LibroPostgreSQL:
        assert self._bandeja is not None
        return self._bandeja

    async def asentar(self, lote: Conversiones, minuto: int = 0) -> None:
        manejador = ManejadorDeRegistro(clases.CONVERSIONES)
        await self.unidad.ejecutar(lambda t: manejador.manejar(lote, t, AHORA + minuto * MINUTO))

    async def leer(self, consulta: Callable[[Consulta], T]) -> T:
        return await self.lecturas.leer(consulta)


def comandos(asientos: Sequence[DestinoDeComando]) -> list[str]:
    return [asiento.identidad.comando_id for asiento in asientos]


class ContratoConsultas:
    """Cada adaptador hereda estas pruebas y aporta la fixture `libro`, recién creado y vacío."""

    async def test_un_libro_vacio_no_tiene_destinos_ni_balance(self, libro: Libro) -> None:
        assert await libro.leer(lambda c: c.destinos.de_evento(COMANDO_REGISTRAR_CONVERSION, "a", 10)) == []
        assert (
            await libro.leer(lambda c: c.destinos.cuantos_de_evento(COMANDO_REGISTRAR_CONVERSION, "a")) == 0
        )
        assert await libro.leer(lambda c: c.destinos.de_comandos(COMANDO_REGISTRAR_CONVERSION, ["a"])) == []
        assert await libro.leer(lambda c: c.balance.renglones()) == []

    async def test_un_destino_se_lee_tal_como_se_anoto(self, libro: Libro) -> None:
        await libro.asentar([recibido(CONVERSION, "c-1")])
        despues = AHORA + MINUTO
        await libro.asentar(
            [
                recibido(replace(CONVERSION, recibido_en=despues), "c-2"),
                recibido(replace(CONVERSION, valor=None, usuario_id="otro"), "c-3"),
                recibido(replace(CONVERSION, moneda="ZZZ", tipo_conversion="NADA"), "c-4"),
                ilegible("c-5", clave="conv-123"),
                recibido(replace(CONVERSION, campaña_id="", ignorada="sin_campaña"), "c-6"),
                recibido(replace(CONVERSION, faltas={"campaña_id": "sin_permiso: no vale"}), "c-7"),
            ],
            minuto=1,
        )
        asientos = await libro.leer(
            lambda c: c.destinos.de_evento(COMANDO_REGISTRAR_CONVERSION, "conv-123", 10)
        )
        assert {asiento.evento_id for asiento in asientos} == {"conv-123"}
        assert {asiento.decidido_en for asiento in asientos} == {despues}
        leidos = {asiento.identidad: (asiento.recibido_en, asiento.destino) for asiento in asientos}
        assert leidos[IdentidadComando("c-2", HUELLA)] == (despues, Duplicada("c-1"))
        assert leidos[IdentidadComando("c-5", HUELLA)] == (AHORA, Ilegible("no es un registro Avro"))
        assert leidos[IdentidadComando("c-6", HUELLA)][1] == Ignorada(
            MotivoDeIgnorar.SIN_CAMPAÑA, FRASES[MotivoDeIgnorar.SIN_CAMPAÑA]
        )
        rechazos = [leidos[IdentidadComando(comando, HUELLA)][1] for comando in ("c-3", "c-4", "c-7")]
        assert [(d.motivo, d.campos) for d in rechazos if isinstance(d, Rechazada)] == [
            (Codigo.REQUERIDO, ("valor",)),
            (Codigo.VALOR_NO_PERMITIDO, ("tipo_conversion", "moneda")),
            (CodigoDePeticion.SIN_PERMISO, ("campaña_id",)),
        ]

    async def test_los_destinos_de_un_id_van_en_orden_y_hasta_un_limite(self, libro: Libro) -> None:
        await libro.asentar([recibido(CONVERSION, "c-0")])
        for minuto, comando in ((3, "c-3"), (1, "c-9"), (2, "c-5"), (1, "c-8")):
            await libro.asentar([recibido(CONVERSION, comando)], minuto)
        await libro.asentar([recibido(replace(CONVERSION, id="otra"), f"o-{n}") for n in range(3)])

        async def de_evento(limite: int) -> list[str]:
            return comandos(
                await libro.leer(
                    lambda c: c.destinos.de_evento(COMANDO_REGISTRAR_CONVERSION, "conv-123", limite)
                )
            )

        assert await de_evento(10) == ["c-8", "c-9", "c-5", "c-3"]
        assert await de_evento(3) == ["c-8", "c-9", "c-5"]
        cuantos = await libro.leer(
            lambda c: (
                c.destinos.cuantos_de_evento(COMANDO_REGISTRAR_CONVERSION, "conv-123"),
                c.destinos.cuantos_de_evento(COMANDO_REGISTRAR_CONVERSION, "otra"),
                c.destinos.cuantos_de_evento(COMANDO_REGISTRAR_IMPRESION, "conv-123"),
            )
        )
        assert cuantos == (4, 2, 0)

    async def test_los_destinos_de_un_id_pueden_ser_solo_los_de_unas_campañas(self, libro: Libro) -> None:
        await libro.asentar([recibido(CONVERSION, "c-0")])
        await libro.asentar([recibido(CONVERSION, "c-1")], 1)
        for minuto, campaña in ((2, "otra"), (3, "ajena")):
            await libro.asentar([recibido(replace(CONVERSION, campaña_id=campaña), campaña)], minuto)

        async def de_campañas(*campañas: str) -> tuple[list[str], int]:
            return await libro.leer(
                lambda c: (
                    comandos(c.destinos.de_evento(COMANDO_REGISTRAR_CONVERSION, "conv-123", 1, campañas)),
                    c.destinos.cuantos_de_evento(COMANDO_REGISTRAR_CONVERSION, "conv-123", campañas),
                )
            )

        assert await de_campañas("otra", "ajena") == (["otra"], 2)
        assert await de_campañas("ajena") == (["ajena"], 1)
        assert await de_campañas() == ([], 0)

    async def test_los_destinos_de_unos_comandos_son_solo_los_suyos_y_de_su_topico(
        self, libro: Libro
    ) -> None:
        await libro.asentar([ilegible(f"c-{n}") for n in range(1_500)])
        mismo = replace(CONVERSION, moneda="ZZZ")
        await libro.asentar([recibido(mismo, "doble", huella=b"1" * 16), recibido(mismo, "doble")])

        async def de_comandos(topico: str, *buscados: str) -> list[str]:
            return sorted(comandos(await libro.leer(lambda c: c.destinos.de_comandos(topico, buscados))))

        assert await de_comandos(COMANDO_REGISTRAR_CONVERSION, "c-1", "c-2", "nunca") == ["c-1", "c-2"]
        assert await de_comandos(COMANDO_REGISTRAR_CONVERSION, "doble") == ["doble", "doble"]
        assert await de_comandos(COMANDO_REGISTRAR_IMPRESION, "c-1") == []
        todos = [f"c-{n}" for n in range(1_500)]
        assert await de_comandos(COMANDO_REGISTRAR_CONVERSION, *todos) == sorted(todos)

    async def test_la_lista_trae_los_destinos_de_un_estado_con_lo_que_se_envio_y_de_nuevo_a_viejo(
        self, libro: Libro
    ) -> None:
        await libro.asentar([recibido(CONVERSION, "c-1")])
        mala = replace(CONVERSION, campaña_id="otra", valor=Decimal("10.5000"), moneda="ZZZ")
        await libro.asentar([recibido(replace(CONVERSION, user_agent="otro"), "c-2")], 1)
        await libro.asentar([recibido(CONVERSION, "c-3"), recibido(mala, "c-4")], 2)
        await libro.asentar([recibido(replace(CONVERSION, valor=Decimal(7)), "c-5"), ilegible("c-6")], 3)

        async def listar(filtro: FiltroDestinos) -> list[DestinoDeComando]:
            return await libro.leer(
                lambda c: c.destinos.listar(COMANDO_REGISTRAR_CONVERSION, filtro, None, 10)
            )

        conflicto, rechazo = await listar(FiltroDestinos(estado="RECHAZADA"))
        assert comandos([conflicto, rechazo]) == ["c-5", "c-4"]
        assert (conflicto.campaña_id, conflicto.influencer_id) == ("cmp-456", "inf-789")
        assert conflicto.enviado == conversion(valor=Decimal(7)).contenido.campos()
        assert rechazo.campaña_id == "otra"
        assert rechazo.enviado == {
            **{campo: getattr(mala, campo) for campo in conversion().contenido.campos()},
            "valor": Decimal("10.5"),
        }
        assert str(rechazo.enviado["valor"]) == "10.5"
        repetidos = await listar(FiltroDestinos(estado="DUPLICADA"))
        assert [(d.identidad.comando_id, d.destino, d.enviado) for d in repetidos] == [
            ("c-3", Duplicada("c-1"), None),
            ("c-2", Duplicada("c-1", ("user_agent",)), {"user_agent": "otro"}),
        ]
        (carta,) = await listar(FiltroDestinos(estado="ILEGIBLE"))
        assert (carta.campaña_id, carta.enviado) == (None, None)
        assert await listar(FiltroDestinos(estado="RECHAZADA", motivo="conflicto_de_id")) == [conflicto]
        assert await listar(FiltroDestinos(estado="RECHAZADA", campaña_id="otra")) == [rechazo]
        de_la_otra = FiltroDestinos(estado="RECHAZADA", campaña_id="otra", motivo="conflicto_de_id")
        assert await listar(de_la_otra) == []
        tramo = FiltroDestinos(estado="RECHAZADA", desde=AHORA + 2 * MINUTO, hasta=AHORA + 3 * MINUTO)
        assert await listar(tramo) == [rechazo]

    async def test_lo_demas_se_lee_sin_lo_que_se_envio(self, libro: Libro) -> None:
        await libro.asentar([recibido(replace(CONVERSION, moneda="ZZZ"), "c-1")])
        de_evento = await libro.leer(
            lambda c: c.destinos.de_evento(COMANDO_REGISTRAR_CONVERSION, "conv-123", 10)
        )
        de_comandos = await libro.leer(
            lambda c: c.destinos.de_comandos(COMANDO_REGISTRAR_CONVERSION, ["c-1"])
        )
        assert [(d.campaña_id, d.enviado) for d in (*de_evento, *de_comandos)] == [("cmp-456", None)] * 2

    async def test_lo_enviado_en_unos_comandos_se_lee_por_su_identidad(self, libro: Libro) -> None:
        await libro.asentar([recibido(CONVERSION, "c-1")])
        await libro.asentar([recibido(replace(CONVERSION, user_agent="otro"), "c-2")], 1)
        await libro.asentar([recibido(CONVERSION, "c-3"), ilegible("c-4")], 2)

        async def enviados(topico: str, *buscados: str) -> Mapping[IdentidadComando, Mapping[str, Any]]:
            return await libro.leer(lambda c: c.destinos.enviados(topico, buscados))

        suyo = {IdentidadComando("c-2", HUELLA): {"user_agent": "otro"}}
        assert await enviados(COMANDO_REGISTRAR_CONVERSION, "c-1", "c-2", "c-3", "c-4", "nunca") == suyo
        assert await enviados(COMANDO_REGISTRAR_CONVERSION) == {}
        assert await enviados(COMANDO_REGISTRAR_IMPRESION, "c-2") == {}

    async def test_un_identificador_que_no_puede_serlo_no_estorba_al_rechazo(self, libro: Libro) -> None:
        largo = "x" * 5_000
        mala = replace(CONVERSION, campaña_id=largo, influencer_id="a\x00b", propiedades={"n": "\x00"})
        await libro.asentar([recibido(mala, "c-1")])
        (rechazo,) = await libro.leer(
            lambda c: c.destinos.listar(
                COMANDO_REGISTRAR_CONVERSION, FiltroDestinos(estado="RECHAZADA"), None, 10
            )
        )
        assert (rechazo.campaña_id, rechazo.influencer_id) == (None, None)
        assert rechazo.enviado is not None
        assert (rechazo.enviado["campaña_id"], rechazo.enviado["influencer_id"]) == (largo, "a\x00b")
        assert rechazo.enviado["propiedades"] == {"n": "\x00"}

    @pytest.mark.parametrize("limite", [1, 2, 3, 100])
    async def test_recorrer_los_destinos_da_cada_comando_una_vez_en_el_mismo_orden(
        self, libro: Libro, limite: int
    ) -> None:
        lote: Conversiones = [
            *(recibido(replace(CONVERSION, id=f"v-{n % 4}"), f"c-{n}") for n in range(8)),
            recibido(replace(CONVERSION, moneda="ZZZ"), "m-1", huella=b"1" * 16),
            recibido(replace(CONVERSION, moneda="ZZZ"), "m-1", huella=b"2" * 16),
            ilegible("i-1"),
        ]
        for minuto in range(2):
            await libro.asentar(
                [
                    m._replace(identidad=_otra(m.identidad, minuto)) if isinstance(m, ComandoRecibido) else m
                    for m in lote
                ],
                minuto,
            )
        manejador = ManejadorDeRegistro(clases.IMPRESIONES)
        de_impresion: Sequence[ComandoRecibido | MensajeIlegible] = [
            recibido(IMPRESION, f"c-{n}") for n in range(3)
        ]
        await libro.unidad.ejecutar(lambda t: manejador.manejar(de_impresion, t, AHORA))

        async def recorrer(cuantos: int) -> list[tuple[str, str, datetime, str]]:
            vistos: list[tuple[str, str, datetime, str]] = []
            cursor: dict[str, str] = {}
            while True:
                peticion = peticion_de_destinos({"limite": str(cuantos), **cursor})
                pagina = await libro.leer(partial(listar_destinos, peticion=peticion))
                vistos += [
                    (d.clase.nombre, d.comando_id, d.decidido_en, d.destino.estado) for d in pagina.elementos
                ]
                if pagina.siguiente is None:
                    return vistos
                cursor = {"cursor": pagina.siguiente}

        todos = await recorrer(1_000)
        assert await recorrer(limite) == todos
        assert [cuando for _, _, cuando, _ in todos] == sorted((c for _, _, c, _ in todos), reverse=True)
        assert Counter(estado for *_, estado in todos) == {
            "REGISTRADA": 5,
            "DUPLICADA": 14,
            "RECHAZADA": 4,
            "ILEGIBLE": 1,
        }
        assert len({(clase, comando) for clase, comando, *_ in todos}) == 22

    async def test_el_balance_suma_por_topico_estado_y_motivo_y_recuerda_lo_mas_nuevo(
        self, libro: Libro
    ) -> None:
        viejo, nuevo = replace(CONVERSION, recibido_en=AHORA - MINUTO), replace(CONVERSION, id="otra")
        await libro.asentar([recibido(CONVERSION, "c-1"), recibido(CONVERSION, "c-2")])
        await libro.asentar([recibido(viejo, "c-3")])
        await libro.asentar([recibido(replace(nuevo, recibido_en=AHORA + MINUTO), "c-4"), ilegible("c-5")])
        await libro.asentar([recibido(replace(nuevo, moneda="ZZZ"), "c-6")])
        await libro.asentar([recibido(replace(nuevo, moneda=None), "c-7")])
        manejador = ManejadorDeRegistro(clases.IMPRESIONES)
        await libro.unidad.ejecutar(lambda t: manejador.manejar([recibido(IMPRESION, "c-1")], t, AHORA))

        def renglon(
            estado: str, cuantos: int, minuto: int = 0, motivo: str | None = None, topico: str = "conversion"
        ) -> RenglonBalance:
            return RenglonBalance(
                topico=f"comando-registrar-{topico}",
                estado=estado,
                motivo=motivo,
                cuantos=cuantos,
                procesado_hasta=AHORA + minuto * MINUTO,
            )

        assert await libro.leer(lambda c: c.balance.renglones()) == [
            renglon("DUPLICADA", 2),
            renglon("ILEGIBLE", 1, minuto=1),
            renglon("RECHAZADA", 1, motivo="moneda_desconocida"),
            renglon("RECHAZADA", 1, motivo="requerido"),
            renglon("REGISTRADA", 2, minuto=1),
            renglon("REGISTRADA", 1, topico="impresion"),
        ]

    async def test_una_reentrega_no_se_suma_otra_vez(self, libro: Libro) -> None:
        lote: Conversiones = [
            recibido(CONVERSION, "c-1"),
            recibido(CONVERSION, "c-2"),
            recibido(replace(CONVERSION, usuario_id="otro"), "c-3"),
            ilegible("c-4"),
        ]
        await libro.asentar(lote)
        antes = await libro.leer(lambda c: c.balance.renglones())
        await libro.asentar(lote)
        assert await libro.leer(lambda c: c.balance.renglones()) == antes

    async def test_lo_que_una_transaccion_fallida_sumo_no_cuenta(self, libro: Libro) -> None:
        with pytest.raises(ZeroDivisionError):
            await libro.unidad.ejecutar(
                lambda t: (
                    ManejadorDeRegistro(clases.CONVERSIONES).manejar([recibido(CONVERSION, "c-1")], t, AHORA),
                    1 // 0,
                )
            )
        assert await libro.leer(lambda c: c.balance.renglones()) == []


class ContratoOlvido:
    """Lo que cumple además todo adaptador que guarda un tiempo lo que se envió."""

    async def test_lo_enviado_se_olvida_por_tandas_y_el_destino_queda(self, libro: Libro) -> None:
        def mala(numero: int) -> ComandoRecibido:
            recibido_en = AHORA + numero * MINUTO
            return recibido(replace(CONVERSION, moneda="ZZZ", recibido_en=recibido_en), f"c-{numero}")

        await libro.asentar([mala(numero) for numero in range(5)])
        limite = AHORA + 4 * MINUTO
        assert await libro.bandeja.olvidar_enviados(limite, 3) == 3
        assert await libro.bandeja.olvidar_enviados(limite, 3) == 1
        assert await libro.bandeja.olvidar_enviados(limite, 3) == 0
        rechazos = await libro.leer(
            lambda c: c.destinos.listar(
                COMANDO_REGISTRAR_CONVERSION, FiltroDestinos(estado="RECHAZADA"), None, 10
            )
        )
        assert {d.identidad.comando_id: d.enviado is not None for d in rechazos} == {
            f"c-{numero}": numero == 4 for numero in range(5)
        }

    async def test_de_un_duplicado_se_dice_lo_que_se_envio_mientras_se_sabe(self, libro: Libro) -> None:
        await libro.asentar([recibido(CONVERSION, "c-1")])
        await libro.asentar([recibido(replace(CONVERSION, user_agent="otro"), "c-2")], 1)
        await libro.asentar([recibido(CONVERSION, "c-3")], 2)
        peticion = peticion_de_destinos({"estado": "duplicada"})

        async def enviados() -> list[Mapping[str, Any] | None]:
            pagina = await libro.leer(lambda c: listar_destinos(c, peticion))
            return [listado.enviado for listado in pagina.elementos]

        suyos = conversion().contenido.campos()
        assert await enviados() == [suyos, {**suyos, "user_agent": "otro"}]
        await libro.bandeja.olvidar_enviados(AHORA + MINUTO, 10)
        assert await enviados() == [suyos, None]


class ContratoBandeja:
    """Lo que cumple además todo adaptador que guarda los envíos hasta que el broker los confirma."""

    async def test_la_bandeja_dice_cuantos_esperan_y_desde_cuando(self, libro: Libro) -> None:
        await libro.asentar([recibido(replace(CONVERSION, id=f"v-{n}"), f"c-{n}") for n in range(3)])
        primera = await libro.leer(lambda c: c.balance.envios_pendientes())
        await libro.asentar([ilegible("x")])
        segunda = await libro.leer(lambda c: c.balance.envios_pendientes())
        assert (primera.cuantos, segunda.cuantos) == (3, 4)
        assert primera.desde is not None
        assert primera.desde == segunda.desde
        *eventos, carta = await por_publicar(libro.bandeja)
        await dar_por_publicado(libro.bandeja, eventos[:2])
        await dar_por_publicado(libro.bandeja, eventos[:2])
        tercera = await libro.leer(lambda c: c.balance.envios_pendientes())
        assert tercera.cuantos == 2
        assert tercera.desde is not None
        assert tercera.desde >= primera.desde
        await dar_por_publicado(libro.bandeja, eventos)
        await dar_por_publicado(libro.bandeja, [carta])
        await dar_por_publicado(libro.bandeja, [carta])
        vacia = await libro.leer(lambda c: c.balance.envios_pendientes())
        assert (vacia.cuantos, vacia.desde) == (0, None)


class TestConsultasEnMemoria(ContratoConsultas):
    @pytest.fixture
    def libro(self) -> Libro:
        memoria = LibroEnMemoria()
        return Libro(memoria, memoria)


class TestConsultasSQLite(ContratoConsultas, ContratoBandeja, ContratoOlvido):
    @pytest.fixture
    def libro(self, tmp_path: Path) -> Generator[Libro]:
        with libro_sqlite(tmp_path) as (sqlite, lecturas):
            yield Libro(sqlite, lecturas, sqlite)


class TestConsultasPostgreSQL(ContratoConsultas, ContratoBandeja, ContratoOlvido):
    @pytest.fixture
    def libro(self, servidor_postgresql: ServidorDePrueba) -> Generator[Libro]:
        with libro_postgresql(servidor_postgresql.base_nueva()) as (postgresql, lecturas):
            yield Libro(postgresql, lecturas, postgresql)
