"""El contrato de la unidad de trabajo: todo o nada, y lotes de comandos asentados una sola vez."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Collection, Generator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

import pytest

from alpespartners.composicion.adaptadores import CUENTAS
from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.handlers import ManejadorDeRegistro
from alpespartners.modulos.tracking.aplicacion.mensajes import (
    ComandoRecibido,
    DestinoDeComando,
    IdentidadComando,
    LoteAsentado,
    MensajeIlegible,
)
from alpespartners.modulos.tracking.aplicacion.puertos import Transaccion, UnidadTrabajo
from alpespartners.modulos.tracking.aplicacion.topicos import (
    COMANDO_REGISTRAR_CONVERSION,
    COMANDO_REGISTRAR_IMPRESION,
    EVENTO_CONVERSION_REGISTRADA,
    EVENTO_IMPRESION_REGISTRADA,
)
from alpespartners.modulos.tracking.dominio.destinos import Duplicada, Ilegible, Rechazada, Registrada
from alpespartners.modulos.tracking.dominio.excepciones import Codigo
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.libro import LibroPostgreSQL
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.libro import LibroSQLite
from tests.apoyo.eventos import (
    AHORA,
    CONVERSION,
    HUELLA,
    IMPRESION,
    conversion,
    ilegible,
    impresion,
    recibido,
)
from tests.apoyo.libro_en_memoria import DestinosEnMemoria, LibroEnMemoria, TransaccionEnMemoria
from tests.apoyo.por_publicar import por_publicar
from tests.apoyo.postgresql import ServidorDePrueba, libro_postgresql

T = TypeVar("T")
Lote = Sequence[ComandoRecibido | MensajeIlegible]

CARTAS = f"{COMANDO_REGISTRAR_CONVERSION}-tracking-DLQ"
MAÑANA = AHORA + timedelta(days=1)


class Libro(ABC):
    """Un adaptador bajo prueba."""

    def __init__(self, unidad: UnidadTrabajo) -> None:
        self.unidad = unidad

    @abstractmethod
    async def depositados(self) -> Counter[str]:
        """Cuántos mensajes espera cada tópico en la bandeja."""

    async def asentar(self, lote: Lote) -> list[DestinoDeComando]:
        manejador = ManejadorDeRegistro(clases.CONVERSIONES)
        return (await self.unidad.ejecutar(lambda t: manejador.manejar(lote, t, AHORA))).destinos

    async def guardadas(self, *ids: str) -> set[str]:
        return await self.unidad.ejecutar(lambda t: set(t.eventos(clases.CONVERSIONES).obtener(ids)))

    async def estado(self, *ids: str) -> tuple[set[str], Counter[str]]:
        return await self.guardadas(*ids), await self.depositados()


def estados(destinos: Sequence[DestinoDeComando]) -> Counter[str]:
    return Counter(destino.destino.estado for destino in destinos)


class ContratoUnidadTrabajo:
    """Cada adaptador hereda estas pruebas y aporta la fixture `libro`, recién creado y vacío."""

    async def test_devuelve_lo_que_devuelve_el_trabajo(self, libro: Libro) -> None:
        assert await libro.unidad.ejecutar(lambda _: 7) == 7

    async def test_un_trabajo_que_falla_no_deja_nada(self, libro: Libro) -> None:
        def trabajo(transaccion: Transaccion) -> None:
            lote: Lote = [recibido(CONVERSION, "c-1"), ilegible("c-2")]
            ManejadorDeRegistro(clases.CONVERSIONES).manejar(lote, transaccion, AHORA)
            transaccion.eventos(clases.IMPRESIONES).agregar([impresion()])
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await libro.unidad.ejecutar(trabajo)
        assert await libro.estado("conv-123") == (set(), Counter())
        assert await libro.unidad.ejecutar(lambda t: t.eventos(clases.IMPRESIONES).obtener(["imp-123"])) == {}
        identidad = IdentidadComando("c-2", HUELLA)
        conocidos = await libro.unidad.ejecutar(
            lambda t: t.destinos.conocidos(COMANDO_REGISTRAR_CONVERSION, [identidad])
        )
        assert conocidos == set()
        assert estados(await libro.asentar([recibido(CONVERSION, "c-1")])) == {"REGISTRADA": 1}

    async def test_una_conversion_nueva_es_una_fila_y_un_evento(self, libro: Libro) -> None:
        (destino,) = await libro.asentar([recibido(CONVERSION, "c-1")])
        assert destino.destino == Registrada()
        assert await libro.estado("conv-123") == ({"conv-123"}, {EVENTO_CONVERSION_REGISTRADA: 1})

    async def test_una_impresion_nueva_es_una_fila_y_un_evento(self, libro: Libro) -> None:
        manejador = ManejadorDeRegistro(clases.IMPRESIONES)
        lote = [recibido(IMPRESION, "c-1")]
        asentado = await libro.unidad.ejecutar(lambda t: manejador.manejar(lote, t, AHORA))
        assert [destino.destino for destino in asentado.destinos] == [Registrada()]
        assert await libro.depositados() == {EVENTO_IMPRESION_REGISTRADA: 1}
        guardadas = await libro.unidad.ejecutar(lambda t: t.eventos(clases.IMPRESIONES).obtener(["imp-123"]))
        assert guardadas == {"imp-123": impresion()}

    async def test_veinte_comandos_con_el_mismo_id_son_una_fila_un_evento_y_19_duplicados(
        self, libro: Libro
    ) -> None:
        destinos = await libro.asentar([recibido(CONVERSION, f"c-{n}") for n in range(20)])
        assert estados(destinos) == {"REGISTRADA": 1, "DUPLICADA": 19}
        assert {d.destino for d in destinos} == {Registrada(), Duplicada("c-0")}
        assert await libro.estado("conv-123") == ({"conv-123"}, {EVENTO_CONVERSION_REGISTRADA: 1})

    async def test_veinte_entregas_del_mismo_comando_son_un_solo_comando(self, libro: Libro) -> None:
        destinos = await libro.asentar([recibido(CONVERSION, "c-1")] * 20)
        assert estados(destinos) == {"REGISTRADA": 1}
        assert await libro.depositados() == {EVENTO_CONVERSION_REGISTRADA: 1}

    async def test_un_duplicado_de_otro_lote_apunta_al_comando_que_lo_registro(self, libro: Libro) -> None:
        await libro.asentar([recibido(CONVERSION, "c-1")])
        (destino,) = await libro.asentar([recibido(replace(CONVERSION, recibido_en=MAÑANA), "c-2")])
        assert destino.destino == Duplicada("c-1")
        assert await libro.depositados() == {EVENTO_CONVERSION_REGISTRADA: 1}

    async def test_un_reintento_que_solo_difiere_en_lo_que_describe_es_un_duplicado_que_dice_en_que(
        self, libro: Libro
    ) -> None:
        await libro.asentar([recibido(CONVERSION, "c-1")])
        reintento = replace(
            CONVERSION,
            user_agent="otro",
            ip_address=None,
            referrer=None,
            timestamp=CONVERSION.timestamp and CONVERSION.timestamp + timedelta(seconds=7),
            propiedades={"intento": "2"},
        )
        (asiento,) = await libro.asentar([recibido(reintento, "c-2")])
        difieren = ("user_agent", "ip_address", "referrer", "timestamp", "propiedades")
        assert asiento.destino == Duplicada("c-1", difieren)
        assert await libro.depositados() == {EVENTO_CONVERSION_REGISTRADA: 1}
        guardada = await libro.unidad.ejecutar(lambda t: t.eventos(clases.CONVERSIONES).obtener(["conv-123"]))
        assert guardada == {"conv-123": conversion()}

    async def test_reentregar_el_comando_de_una_fila_reconstruida_no_lo_duplica_aunque_hoy_se_repare_distinto(
        self, libro: Libro
    ) -> None:
        reconstruida = replace(conversion(), huella=None)
        await libro.unidad.ejecutar(lambda t: t.eventos(clases.CONVERSIONES).agregar([reconstruida]))
        reparado = replace(CONVERSION, referrer="https://instagram.com/hoy")
        assert await libro.asentar([recibido(reparado, "c-1")]) == []
        assert estados(await libro.asentar([recibido(reparado, "c-2")])) == {"DUPLICADA": 1}

    async def test_un_conflicto_nombra_los_campos_que_difieren_y_no_cambia_la_fila(
        self, libro: Libro
    ) -> None:
        await libro.asentar([recibido(CONVERSION, "c-1")])
        otra = replace(CONVERSION, valor=Decimal("150000.01"), referrer=None, propiedades={"a": "b"})
        (asiento,) = await libro.asentar([recibido(otra, "c-2")])
        assert isinstance(asiento.destino, Rechazada)
        assert asiento.destino.motivo is Codigo.CONFLICTO_DE_ID
        assert asiento.destino.campos == ("valor", "referrer", "propiedades")
        assert asiento.evento_id == "conv-123"
        guardada = await libro.unidad.ejecutar(lambda t: t.eventos(clases.CONVERSIONES).obtener(["conv-123"]))
        assert guardada == {"conv-123": conversion()}
        assert await libro.depositados() == {EVENTO_CONVERSION_REGISTRADA: 1}

    async def test_un_comando_con_un_reloj_increible_se_registra_una_vez_con_lo_que_vino(
        self, libro: Libro
    ) -> None:
        ajeno = replace(CONVERSION, timestamp=datetime(1970, 1, 1, 0, 0, 7, tzinfo=UTC))
        (asiento,) = await libro.asentar([recibido(ajeno, "c-1")])
        assert asiento.destino == Registrada()
        assert await libro.asentar([recibido(ajeno, "c-1")]) == []
        guardada = await libro.unidad.ejecutar(lambda t: t.eventos(clases.CONVERSIONES).obtener(["conv-123"]))
        contenido = guardada["conv-123"].contenido
        assert contenido.timestamp is None
        assert contenido.propiedades["timestamp_recibido"] == "1970-01-01T00:00:07Z"
        assert "timestamp_fuera_de_rango" in guardada["conv-123"].advertencias

    async def test_un_rechazo_sigue_rechazado_aunque_al_reentregarlo_ya_valga(self, libro: Libro) -> None:
        mala = replace(CONVERSION, moneda="ZZZ")
        (asiento,) = await libro.asentar([recibido(mala, "c-1")])
        assert isinstance(asiento.destino, Rechazada)
        assert asiento.destino.motivo is Codigo.MONEDA_DESCONOCIDA
        assert asiento.destino.campos == ("moneda",)
        # La misma identidad con datos que valen: como si las reglas de hoy fueran más laxas que las de ayer.
        assert await libro.asentar([recibido(CONVERSION, "c-1")]) == []
        assert await libro.estado("conv-123") == (set(), Counter())

    @pytest.mark.parametrize(
        "otra_vez",
        [
            recibido(replace(CONVERSION, moneda="ZZZ"), "c-1"),
            recibido(replace(CONVERSION, campaña_id="otra"), "c-1"),
            ilegible("c-1", clave="conv-123"),
        ],
        ids=["hoy_se_rechaza", "hoy_se_normaliza_distinto", "hoy_es_ilegible"],
    )
    async def test_lo_registrado_sigue_registrado_aunque_al_reentregarlo_se_juzgue_de_otro_modo(
        self, libro: Libro, otra_vez: ComandoRecibido | MensajeIlegible
    ) -> None:
        await libro.asentar([recibido(CONVERSION, "c-1")])
        assert await libro.asentar([otra_vez]) == []
        assert await libro.estado("conv-123") == ({"conv-123"}, {EVENTO_CONVERSION_REGISTRADA: 1})

    async def test_lo_que_no_sabe_que_carga_lo_registro_vale_por_cualquiera_de_ese_comando(
        self, libro: Libro
    ) -> None:
        reconstruida = replace(conversion(), huella=None)
        await libro.unidad.ejecutar(lambda t: t.eventos(clases.CONVERSIONES).agregar([reconstruida]))
        assert await libro.asentar([recibido(replace(CONVERSION, moneda="ZZZ"), "c-1")]) == []
        assert estados(await libro.asentar([recibido(replace(CONVERSION, moneda="ZZZ"), "c-2")])) == {
            "RECHAZADA": 1
        }

    async def test_reentregar_el_comando_de_una_fila_que_no_sabe_su_carga_no_lo_duplica_a_si_mismo(
        self, libro: Libro
    ) -> None:
        reconstruida = replace(conversion(), huella=None)
        await libro.unidad.ejecutar(lambda t: t.eventos(clases.CONVERSIONES).agregar([reconstruida]))
        assert await libro.asentar([recibido(CONVERSION, "c-1")]) == []
        assert estados(await libro.asentar([recibido(CONVERSION, "c-2")])) == {"DUPLICADA": 1}

    async def test_el_comando_que_registro_una_fila_se_reconoce_aunque_se_juzgue_otro_dia(
        self, libro: Libro
    ) -> None:
        reconstruida = replace(conversion(), huella=None)
        await libro.unidad.ejecutar(lambda t: t.eventos(clases.CONVERSIONES).agregar([reconstruida]))
        lote = [
            recibido(replace(CONVERSION, usuario_id="otro"), "c-1", huella=b"1" * 16),
            recibido(CONVERSION, "c-1", huella=b"2" * 16),
            recibido(CONVERSION, "c-2", huella=b"2" * 16),
        ]
        manejador = ManejadorDeRegistro(clases.CONVERSIONES)
        reconocidas = await libro.unidad.ejecutar(lambda t: manejador.reconocer(lote, t, MAÑANA))
        assert reconocidas == {"conv-123": b"2" * 16}

    async def test_lo_que_la_base_de_datos_rechaza_se_recibio_cuando_dice_su_comando(
        self, libro: Libro
    ) -> None:
        antes = AHORA - timedelta(hours=1)
        mensaje = recibido(replace(CONVERSION, recibido_en=antes), "c-1")
        manejador = ManejadorDeRegistro(clases.CONVERSIONES)
        (asiento,), _ = await libro.unidad.ejecutar(lambda t: manejador.rechazar(mensaje, t, AHORA))
        assert (asiento.recibido_en, asiento.decidido_en) == (antes, AHORA)

    async def test_lo_que_la_base_de_datos_rechaza_no_alcanza_a_lo_que_el_mismo_comando_registro(
        self, libro: Libro
    ) -> None:
        def rechazar(comando_id: str) -> Callable[[Transaccion], list[DestinoDeComando]]:
            manejador, mensaje = ManejadorDeRegistro(clases.CONVERSIONES), recibido(CONVERSION, comando_id)
            return lambda t: manejador.rechazar(mensaje, t, AHORA).destinos

        await libro.asentar([recibido(CONVERSION, "c-1")])
        assert await libro.unidad.ejecutar(rechazar("c-1")) == []
        assert estados(await libro.unidad.ejecutar(rechazar("c-2"))) == {"RECHAZADA": 1}
        assert await libro.unidad.ejecutar(rechazar("c-2")) == []

    async def test_un_mismo_ce_id_con_dos_cargas_son_dos_comandos(self, libro: Libro) -> None:
        destinos = await libro.asentar(
            [
                recibido(replace(CONVERSION, moneda="ZZZ"), "c-1", huella=b"1" * 16),
                recibido(replace(CONVERSION, moneda="YYY"), "c-1", huella=b"2" * 16),
            ]
        )
        assert estados(destinos) == {"RECHAZADA": 2}

    async def test_un_mensaje_ilegible_deja_una_sola_carta_y_su_destino(self, libro: Libro) -> None:
        (asiento,) = await libro.asentar([ilegible("c-1", clave="conv-9")])
        assert asiento.destino == Ilegible("no es un registro Avro")
        assert asiento.evento_id == "conv-9"
        assert await libro.asentar([ilegible("c-1", clave="conv-9")]) == []
        assert await libro.depositados() == {CARTAS: 1}

    async def test_quien_asienta_un_lote_recibe_los_envios_que_deposito(self, libro: Libro) -> None:
        manejador = ManejadorDeRegistro(clases.CONVERSIONES)
        lote: Lote = [
            recibido(CONVERSION, "c-1"),
            ilegible("c-2"),
            recibido(replace(CONVERSION, id="otra"), "c-3"),
            recibido(replace(CONVERSION, moneda="ZZZ"), "c-4"),
        ]
        asentado = await libro.unidad.ejecutar(lambda t: manejador.manejar(lote, t, AHORA))
        assert [
            (envio.sobre.topico, envio.sobre.propiedades.get("ce_subject")) for envio in asentado.envios
        ] == [
            (EVENTO_CONVERSION_REGISTRADA, "conv-123"),
            (EVENTO_CONVERSION_REGISTRADA, "otra"),
            (CARTAS, None),
        ]
        otra_vez = await libro.unidad.ejecutar(lambda t: manejador.manejar(lote, t, AHORA))
        assert otra_vez == LoteAsentado([], [])

    async def test_los_destinos_de_un_topico_no_son_los_de_otro(self, libro: Libro) -> None:
        (asiento,) = await libro.asentar([ilegible("c-1")])
        identidades = [
            asiento.identidad,
            IdentidadComando("c-1", b"otra" * 4),
            IdentidadComando("c-2", HUELLA),
        ]

        def conocidos(topico: str) -> Callable[[Transaccion], set[IdentidadComando]]:
            return lambda t: t.destinos.conocidos(topico, identidades)

        assert await libro.unidad.ejecutar(conocidos(COMANDO_REGISTRAR_CONVERSION)) == {asiento.identidad}
        assert await libro.unidad.ejecutar(conocidos(COMANDO_REGISTRAR_IMPRESION)) == set()

    async def test_un_lote_mezclado_se_asienta_entero_y_su_reentrega_no_escribe_nada(
        self, libro: Libro
    ) -> None:
        await libro.asentar([recibido(replace(CONVERSION, id="previa"), "c-0")])
        lote: Lote = [
            recibido(CONVERSION, "c-1"),
            ilegible("c-2"),
            recibido(replace(CONVERSION, id="previa"), "c-3"),
            recibido(replace(CONVERSION, valor=None), "c-4"),
            recibido(replace(CONVERSION, usuario_id="otro"), "c-5"),
            recibido(CONVERSION, "c-1"),
            recibido(replace(CONVERSION, id="otra"), "c-6"),
            recibido(replace(CONVERSION, id=".."), "c-7"),
        ]
        destinos = await libro.asentar(lote)
        assert {(d.identidad.comando_id, d.destino.estado) for d in destinos} == {
            ("c-1", "REGISTRADA"),
            ("c-2", "ILEGIBLE"),
            ("c-3", "DUPLICADA"),
            ("c-4", "RECHAZADA"),
            ("c-5", "RECHAZADA"),
            ("c-6", "REGISTRADA"),
            ("c-7", "RECHAZADA"),
        }
        esperado = {EVENTO_CONVERSION_REGISTRADA: 3, CARTAS: 1}
        assert await libro.estado("conv-123", "previa", "otra", "..") == (
            {"conv-123", "previa", "otra"},
            esperado,
        )
        assert await libro.asentar(list(reversed(lote))) == []
        assert await libro.depositados() == esperado

    async def test_un_lote_de_miles_se_asienta_de_una_vez(self, libro: Libro) -> None:
        lote: Lote = [recibido(replace(CONVERSION, id=f"v-{n % 2_000}"), f"c-{n}") for n in range(3_000)]
        assert estados(await libro.asentar(lote)) == {"REGISTRADA": 2_000, "DUPLICADA": 1_000}
        assert await libro.asentar(lote) == []
        assert await libro.depositados() == {EVENTO_CONVERSION_REGISTRADA: 2_000}


class _LibroEnMemoria(Libro):
    def __init__(self, memoria: LibroEnMemoria) -> None:
        super().__init__(memoria)
        self._memoria = memoria

    async def depositados(self) -> Counter[str]:
        return self._memoria.confirmado.bandeja.depositados


class TestUnidadTrabajoEnMemoria(ContratoUnidadTrabajo):
    @pytest.fixture
    def libro(self) -> Libro:
        return _LibroEnMemoria(LibroEnMemoria())


class _LosDestinosDeOtroNoSeVen(DestinosEnMemoria):
    """Otro consumidor los anota después de que este mire cuáles hay y antes de que anote los suyos."""

    def conocidos(self, topico: str, identidades: Collection[IdentidadComando]) -> set[IdentidadComando]:
        del topico, identidades
        return set()


def test_lo_que_otro_consumidor_asienta_a_la_vez_ni_cuenta_otra_vez_ni_deja_otra_carta() -> None:
    transaccion = TransaccionEnMemoria(destinos=_LosDestinosDeOtroNoSeVen())
    lote: Lote = [ilegible("c-1"), recibido(replace(CONVERSION, moneda="ZZZ"), "c-2")]
    manejador = ManejadorDeRegistro(clases.CONVERSIONES)
    una_vez = {"ILEGIBLE": 1, "RECHAZADA": 1}
    assert estados(manejador.manejar(lote, transaccion, AHORA).destinos) == una_vez
    assert manejador.manejar(lote, transaccion, AHORA) == LoteAsentado([], [])
    assert transaccion.bandeja.depositados == {CARTAS: 1}
    assert {renglon.estado: renglon.cuantos for renglon in transaccion.balance.renglones()} == una_vez


class _LibroSQL(Libro):
    def __init__(self, sql: LibroSQLite | LibroPostgreSQL) -> None:
        super().__init__(sql)
        self._sql = sql

    async def depositados(self) -> Counter[str]:
        # Con un arriendo nulo, todo lo depositado está ya vencido.
        return Counter(envio.sobre.topico for envio in await por_publicar(self._sql))


class TestUnidadTrabajoSQLite(ContratoUnidadTrabajo):
    @pytest.fixture
    def libro(self, tmp_path: Path) -> Generator[Libro]:
        sqlite = LibroSQLite(tmp_path, timedelta(0), CUENTAS)
        sqlite.abrir()
        yield _LibroSQL(sqlite)
        sqlite.cerrar()


class TestUnidadTrabajoPostgreSQL(ContratoUnidadTrabajo):
    @pytest.fixture
    def libro(self, servidor_postgresql: ServidorDePrueba) -> Generator[Libro]:
        with libro_postgresql(servidor_postgresql.base_nueva()) as (postgresql, _):
            yield _LibroSQL(postgresql)
