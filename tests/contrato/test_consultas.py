"""El contrato de las consultas de destinos y de balance: se lee lo que se anotó, y en el mismo orden."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.handlers import ManejadorDeRegistro
from alpespartners.modulos.tracking.aplicacion.mensajes import (
    ComandoRecibido,
    DestinoDeComando,
    IdentidadComando,
    MensajeIlegible,
    RenglonBalance,
)
from alpespartners.modulos.tracking.aplicacion.puertos import Consulta, Lecturas, UnidadTrabajo
from alpespartners.modulos.tracking.aplicacion.topicos import (
    COMANDO_REGISTRAR_CONVERSION,
    COMANDO_REGISTRAR_IMPRESION,
)
from alpespartners.modulos.tracking.dominio.destinos import Duplicada, Ilegible, Rechazada
from alpespartners.modulos.tracking.dominio.excepciones import Codigo
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.libro import LibroPostgreSQL
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.libro import LibroSQLite
from tests.apoyo.base_datos import libro_sqlite
from tests.apoyo.eventos import AHORA, CONVERSION, HUELLA, IMPRESION, ilegible, recibido
from tests.apoyo.libro_en_memoria import LibroEnMemoria
from tests.apoyo.postgresql import ServidorDePrueba, libro_postgresql

T = TypeVar("T")
Conversiones = Sequence[ComandoRecibido | MensajeIlegible]

MINUTO = timedelta(minutes=1)


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
        rechazos = [leidos[IdentidadComando(comando, HUELLA)][1] for comando in ("c-3", "c-4")]
        assert [(d.motivo, d.campos) for d in rechazos if isinstance(d, Rechazada)] == [
            (Codigo.REQUERIDO, ("valor",)),
            (Codigo.VALOR_NO_PERMITIDO, ("tipo_conversion", "moneda")),
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
        numeros = [envio.numero for envio in await libro.bandeja.reservar_vencidos(10)]
        await libro.bandeja.retirar(numeros[:3])
        await libro.bandeja.retirar(numeros[:3])
        tercera = await libro.leer(lambda c: c.balance.envios_pendientes())
        assert tercera.cuantos == 1
        assert tercera.desde is not None
        assert tercera.desde >= primera.desde
        await libro.bandeja.retirar(numeros)
        vacia = await libro.leer(lambda c: c.balance.envios_pendientes())
        assert (vacia.cuantos, vacia.desde) == (0, None)


class TestConsultasEnMemoria(ContratoConsultas):
    @pytest.fixture
    def libro(self) -> Libro:
        memoria = LibroEnMemoria()
        return Libro(memoria, memoria)


class TestConsultasSQLite(ContratoConsultas, ContratoBandeja):
    @pytest.fixture
    def libro(self, tmp_path: Path) -> Generator[Libro]:
        with libro_sqlite(tmp_path) as (sqlite, lecturas):
            yield Libro(sqlite, lecturas, sqlite)


class TestConsultasPostgreSQL(ContratoConsultas, ContratoBandeja):
    @pytest.fixture
    def libro(self, servidor_postgresql: ServidorDePrueba) -> Generator[Libro]:
        with libro_postgresql(servidor_postgresql.base_nueva()) as (postgresql, lecturas):
            yield Libro(postgresql, lecturas, postgresql)
