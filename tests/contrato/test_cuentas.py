"""El contrato de las cuentas: pase lo que pase, las cinco tablas dicen lo mismo que contar las filas."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from itertools import count
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from alpespartners.composicion.adaptadores import CUENTAS
from alpespartners.modulos.informes.infraestructura.tablas import METADATOS
from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.clases import Clase
from alpespartners.modulos.tracking.aplicacion.comandos import Comando, RegistrarImpresion
from alpespartners.modulos.tracking.aplicacion.handlers import ManejadorDeRegistro
from alpespartners.modulos.tracking.aplicacion.mensajes import ComandoRecibido, MensajeIlegible
from alpespartners.modulos.tracking.aplicacion.puertos import Transaccion
from alpespartners.modulos.tracking.dominio.eventos import ConversionRegistrada
from alpespartners.modulos.tracking.dominio.objetos_valor import TipoConversion, TipoEvento
from alpespartners.modulos.tracking.infraestructura.motores.base_datos import LecturasDelLibro
from alpespartners.modulos.tracking.infraestructura.motores.base_datos import Libro as LibroSQL
from alpespartners.modulos.tracking.infraestructura.motores.postgresql import servidor
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.libro import LibroPostgreSQL
from tests.apoyo.base_datos import libro_sqlite
from tests.apoyo.cuentas import (
    Cuentas,
    DeUsuarios,
    boceto_de,
    contadas_y_guardadas,
    cuentas_guardadas,
    usuarios_guardados,
)
from tests.apoyo.eventos import AHORA, CONVERSION, IMPRESION, conversion, ilegible, recibido
from tests.apoyo.postgresql import SIN_PRISA, ServidorDePrueba, libro_postgresql, sql
from tests.apoyo.procedencias import LECTURAS_QUE_SE_CUENTAN, LectorPorAgente

T = TypeVar("T")
Lote = Sequence[ComandoRecibido | MensajeIlegible]

EL_MAYOR = Decimal("99999999999999.9999")
"""El importe más grande: en diezmilésimas, diez ya no caben en 64 bits."""
DIA = datetime(2026, 1, 15, tzinfo=UTC)
LUNES = datetime(2026, 1, 12, tzinfo=UTC)


def asentar(clase: Clase, lote: Lote) -> Callable[[Transaccion], None]:
    def trabajo(transaccion: Transaccion) -> None:
        ManejadorDeRegistro(clase, LectorPorAgente()).manejar(lote, transaccion, AHORA)

    return trabajo


class Libro:
    """Un libro bajo prueba, y quien lo lee."""

    def __init__(self, libro: LibroSQL, lecturas: LecturasDelLibro) -> None:
        self.libro = libro
        self._lecturas = lecturas
        self._numeros = count(1)

    async def asentar(self, clase: Clase, *lote: ComandoRecibido | MensajeIlegible) -> None:
        await self.libro.ejecutar(asentar(clase, lote))

    async def registrar(self, *comandos: Comando) -> None:
        """Registra cada uno con un `id` nuevo."""
        for comando in comandos:
            numero = next(self._numeros)
            clase = clases.IMPRESIONES if isinstance(comando, RegistrarImpresion) else clases.CONVERSIONES
            await self.asentar(clase, recibido(replace(comando, id=f"e-{numero}"), f"c-{numero}"))

    async def cuentas(self) -> Cuentas:
        """Las guardadas, que son las que da contar las filas."""
        contadas, guardadas = await self.leer(contadas_y_guardadas)
        assert guardadas == contadas
        return guardadas

    async def usuarios(self) -> DeUsuarios:
        """Los guardados, que son los que están en las filas."""
        await self.cuentas()
        return await self.leer(usuarios_guardados)

    async def leer(self, consulta: Callable[[Connection], T]) -> T:
        return await asyncio.to_thread(self._lecturas.leer_libro, consulta)


def totales(cuentas: Cuentas) -> set[tuple[int, int]]:
    """Cuántos y cuánto suma cada tabla: lo mismo las cuatro."""
    return {
        (sum(cuantos for cuantos, _ in suyas.values()), sum(valen for _, valen in suyas.values()))
        for suyas in cuentas.values()
    }


def _de_la_campaña(
    campaña_id: str, cuentas: Mapping[tuple[object, ...], tuple[int, int]]
) -> dict[tuple[object, ...], tuple[int, int]]:
    """Las suyas, por su clave sin ella."""
    return {clave[1:]: cuenta for clave, cuenta in cuentas.items() if clave[0] == campaña_id}


class ContratoCuentas:
    """Cada motor hereda estas pruebas y aporta la fixture `libro`, recién creado y vacío."""

    async def test_una_venta_se_cuenta_en_su_tramo_en_su_dia_y_para_su_influencer_en_su_dia_y_su_semana(
        self, libro: Libro
    ) -> None:
        await libro.registrar(replace(CONVERSION, cupon="VERANO"))
        una = (1, 1_500_000_000)
        assert await libro.cuentas() == {
            "cuentas_por_tramo": {("cmp-456", DIA.replace(hour=10, minute=30), "VENTA", "", "COP"): una},
            "cuentas_por_dia": {("cmp-456", DIA, "VENTA", "", "COP"): una},
            "cuentas_por_influencer": {("cmp-456", DIA, "inf-789", "VERANO", "VENTA", "", "COP"): una},
            "cuentas_por_semana": {("cmp-456", LUNES, "inf-789", "VERANO", "VENTA", "", "COP"): una},
        }

    async def test_lo_que_un_evento_no_tiene_se_cuenta_como_un_texto_vacio(self, libro: Libro) -> None:
        sin_nada = replace(
            CONVERSION, tipo_conversion="REGISTRO", valor=None, moneda=None, influencer_id=None
        )
        await libro.registrar(sin_nada, replace(IMPRESION, influencer_id=None))
        assert (await libro.cuentas())["cuentas_por_influencer"] == {
            ("cmp-456", DIA, "", "", "REGISTRO", "", ""): (1, 0),
            ("cmp-456", DIA, "", "", "IMPRESION", "", ""): (1, 0),
        }

    async def test_los_clics_de_cada_clase_y_lo_que_es_de_un_robot_se_cuentan_aparte(
        self, libro: Libro
    ) -> None:
        agentes = [f"{cual}" for cual in range(len(LECTURAS_QUE_SE_CUENTAN))]
        vista, clic = (replace(IMPRESION, tipo_evento=tipo) for tipo in ("IMPRESION", "CLIC"))
        await libro.registrar(
            *(replace(una, user_agent=agente) for una in (vista, clic) for agente in agentes)
        )
        await libro.registrar(replace(CONVERSION, user_agent="2"))
        assert (await libro.cuentas())["cuentas_por_dia"] == {
            ("cmp-456", DIA, "IMPRESION", "", ""): (5, 0),
            ("cmp-456", DIA, "IMPRESION", "BOT", ""): (3, 0),
            ("cmp-456", DIA, "CLIC", "", ""): (2, 0),
            ("cmp-456", DIA, "CLIC", "UNICO", ""): (1, 0),
            ("cmp-456", DIA, "CLIC", "REPETIDO", ""): (1, 0),
            ("cmp-456", DIA, "CLIC", "INVALIDO", ""): (2, 0),
            ("cmp-456", DIA, "CLIC", "BOT", ""): (2, 0),
            ("cmp-456", DIA, "VENTA", "BOT", "COP"): (1, 1_500_000_000),
        }

    async def test_un_tramo_y_un_dia_acaban_justo_donde_empieza_el_siguiente(self, libro: Libro) -> None:
        bordes = [DIA - timedelta(microseconds=1), DIA, DIA + timedelta(minutes=15)]
        await libro.registrar(*(replace(IMPRESION, timestamp=borde) for borde in bordes))
        cuentas = await libro.cuentas()
        ayer = DIA - timedelta(days=1)
        assert cuentas["cuentas_por_tramo"] == {
            ("cmp-456", tramo, "IMPRESION", "", ""): (1, 0)
            for tramo in (ayer.replace(hour=23, minute=45), DIA, DIA.replace(minute=15))
        }
        assert cuentas["cuentas_por_dia"] == {
            ("cmp-456", ayer, "IMPRESION", "", ""): (1, 0),
            ("cmp-456", DIA, "IMPRESION", "", ""): (2, 0),
        }

    async def test_una_semana_va_de_un_lunes_al_siguiente(self, libro: Libro) -> None:
        anterior = LUNES - timedelta(weeks=1)
        bordes = [anterior, LUNES - timedelta(microseconds=1), LUNES]
        await libro.registrar(*(replace(IMPRESION, timestamp=borde) for borde in bordes))
        assert (await libro.cuentas())["cuentas_por_semana"] == {
            ("cmp-456", anterior, "inf-789", "", "IMPRESION", "", ""): (2, 0),
            ("cmp-456", LUNES, "inf-789", "", "IMPRESION", "", ""): (1, 0),
        }

    async def test_el_mayor_importe_se_suma_exacto_aunque_no_quepa_en_64_bits(self, libro: Libro) -> None:
        la_mayor = replace(CONVERSION, valor=EL_MAYOR, moneda="UYW")
        await libro.asentar(
            clases.CONVERSIONES, *(recibido(replace(la_mayor, id=f"a-{n}"), f"a-{n}") for n in range(30))
        )
        await libro.registrar(*[la_mayor] * 10)
        assert totales(await libro.cuentas()) == {(40, 40 * (10**18 - 1))}

    async def test_solo_cuenta_lo_que_se_registra_y_una_sola_vez(self, libro: Libro) -> None:
        venta = recibido(CONVERSION, "c-1")
        await libro.asentar(
            clases.CONVERSIONES,
            venta,
            venta,
            recibido(CONVERSION, "c-2"),
            recibido(replace(CONVERSION, user_agent="otro"), "c-3"),
            recibido(replace(CONVERSION, valor=Decimal(7)), "c-4"),
            recibido(replace(CONVERSION, id="mala", moneda="ZZZ"), "c-5"),
            ilegible("c-6"),
        )
        una = await libro.cuentas()
        assert totales(una) == {(1, 1_500_000_000)}
        # Otra vez todo, como lo entregaría el broker; y el mismo id con otro contenido, ya en otro lote.
        await libro.asentar(
            clases.CONVERSIONES,
            venta,
            recibido(replace(CONVERSION, user_agent="otro"), "c-3"),
            recibido(replace(CONVERSION, valor=Decimal(9), campaña_id="otra"), "c-7"),
            ilegible("c-6"),
        )
        assert await libro.cuentas() == una

    async def test_un_usuario_esta_una_vez_en_cada_campaña_y_dia_vea_lo_que_vea(self, libro: Libro) -> None:
        visto = replace(IMPRESION, campaña_id="c", usuario_id="usr-1")
        await libro.registrar(
            visto,
            visto,
            replace(CONVERSION, campaña_id="c", usuario_id="usr-1"),
            replace(visto, usuario_id="usr-2"),
            replace(visto, usuario_id=None),
            replace(visto, timestamp=DIA - timedelta(microseconds=1)),
            replace(visto, campaña_id="otra", usuario_id=None),
        )
        assert await libro.usuarios() == {
            ("c", DIA): (4, boceto_de({"usr-1", "usr-2"})),
            ("c", DIA - timedelta(days=1)): (1, boceto_de({"usr-1"})),
        }

    async def test_de_384_usuarios_se_guardan_sus_resumenes_y_de_uno_mas_los_registros(
        self, libro: Libro
    ) -> None:
        lotes = [[f"usr-{n}" for n in range(desde, hasta)] for desde, hasta in ((0, 300), (200, 384), (0, 1))]
        for numero, usuarios in enumerate(lotes):
            await libro.asentar(clases.IMPRESIONES, *_de(usuarios, f"{numero}"))
        todos = {usuario for usuarios in lotes for usuario in usuarios}
        assert await libro.usuarios() == {("cmp-456", DIA): (485, boceto_de(todos))}
        assert len(boceto_de(todos)) == 384 * 8
        await libro.asentar(clases.IMPRESIONES, *_de(["usr-384"], "otro"))
        ((_, boceto),) = (await libro.usuarios()).values()
        assert boceto == boceto_de({*todos, "usr-384"})
        assert len(boceto) == 4096

    async def test_lo_que_cambia_se_descuenta_como_estaba_y_se_cuenta_como_queda(self, libro: Libro) -> None:
        venta = replace(CONVERSION, campaña_id="cambia")
        distinta = replace(venta, tipo_conversion="REGISTRO", valor=EL_MAYOR, moneda="UYW", cupon="VERANO")
        await libro.registrar(*(replace(una, campaña_id="así") for una in (venta, distinta)), venta, venta)
        usuarios = await libro.usuarios()
        antes, ahora = (ConversionRegistrada(conversion(una)) for una in (venta, distinta))
        await libro.libro.ejecutar(lambda t: t.proyeccion.cambiar([antes, antes], [ahora, antes]))
        guardadas, de_usuarios = await libro.leer(lambda c: (cuentas_guardadas(c), usuarios_guardados(c)))
        for suyas in guardadas.values():
            assert _de_la_campaña("cambia", suyas) == _de_la_campaña("así", suyas) != {}
        assert de_usuarios == usuarios

    async def test_si_nada_de_lo_que_se_cuenta_cambia_no_se_escribe_nada(self, libro: Libro) -> None:
        evento = ConversionRegistrada(conversion())
        await libro.libro.ejecutar(lambda t: t.proyeccion.cambiar([evento], [evento]))
        filas = await libro.leer(
            lambda c: [fila for tabla in METADATOS.sorted_tables for fila in c.execute(select(tabla))]
        )
        assert filas == []

    async def test_una_transaccion_que_falla_no_cuenta_nada(self, libro: Libro) -> None:
        def trabajo(transaccion: Transaccion) -> None:
            asentar(clases.CONVERSIONES, [recibido(CONVERSION, "c-1")])(transaccion)
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await libro.libro.ejecutar(trabajo)
        assert totales(await libro.cuentas()) == {(0, 0)}
        await libro.asentar(clases.CONVERSIONES, recibido(CONVERSION, "c-1"))
        assert totales(await libro.cuentas()) == {(1, 1_500_000_000)}


def _de(usuarios: Sequence[str], lote: str) -> Lote:
    return [
        recibido(replace(IMPRESION, id=f"{lote}-{usuario}", usuario_id=usuario), f"{lote}-{usuario}")
        for usuario in usuarios
    ]


class TestCuentasSQLite(ContratoCuentas):
    @pytest.fixture
    def libro(self, tmp_path: Path) -> Generator[Libro]:
        with libro_sqlite(tmp_path) as abierto:
            yield Libro(*abierto)


class TestCuentasPostgreSQL(ContratoCuentas):
    @pytest.fixture
    def libro(self, servidor_postgresql: ServidorDePrueba) -> Generator[Libro]:
        with libro_postgresql(servidor_postgresql.base_nueva()) as abierto:
            yield Libro(*abierto)


def test_ningun_tipo_es_de_las_dos_clases() -> None:
    # Por eso una cuenta no dice de qué clase son sus eventos.
    assert {tipo.value for tipo in TipoEvento} & {tipo.value for tipo in TipoConversion} == set()


# Varios que escriben


@pytest.mark.parametrize("fragmentos", [(0, 0, 0, 0), (0, 1, 2, 15)], ids=["el_mismo", "cada_uno_el_suyo"])
async def test_varios_que_cuentan_lo_mismo_a_la_vez_ni_se_bloquean_ni_pierden_nada(
    servidor_postgresql: ServidorDePrueba, fragmentos: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Ocho hacen cola por las mismas filas: el último espera a siete, y la máquina puede estar cargada.
    monkeypatch.setattr(servidor, "_LIMITE_DE_ESPERA", f"{SIN_PRISA * 1000:.0f}")
    url = servidor_postgresql.base_nueva()
    ejecuciones: Counter[str] = Counter()
    rondas, claves = 12, 40

    async def consumir(libro: LibroPostgreSQL, quien: int, clase: Clase, comando: Comando) -> None:
        for ronda in range(rondas):
            nombre = f"{quien}-{ronda}-{clase.plural}"
            # Todos suman en las mismas cuentas, cada uno por otro orden: así se bloquearían en círculo.
            orden = [(n * (7 if quien % 2 else 33) + ronda) % claves for n in range(claves)]
            lote = [
                recibido(
                    replace(
                        comando,
                        id=f"{nombre}-{n}",
                        campaña_id=f"cmp-{n % 5}",
                        influencer_id=f"inf-{n % 8}",
                        usuario_id=f"usr-{nombre}-{n}",
                        timestamp=DIA - timedelta(hours=n),
                    ),
                    f"{nombre}-{n}",
                )
                for n in orden
            ]

            def trabajo(transaccion: Transaccion, nombre: str = nombre, lote: Lote = lote) -> None:
                ejecuciones[nombre] += 1
                asentar(clase, lote)(transaccion)

            await libro.ejecutar(trabajo)

    with ExitStack() as pila:
        _, lecturas = pila.enter_context(libro_postgresql(url))
        libros = [
            LibroPostgreSQL(url, fragmento=fragmento, proyectar=CUENTAS, limite=SIN_PRISA)
            for fragmento in fragmentos
        ]
        for libro in libros:
            libro.abrir()
            pila.callback(libro.cerrar)
        await asyncio.gather(
            *(
                consumir(libro, quien, clase, comando)
                for quien, libro in enumerate(libros)
                for clase, comando in ((clases.IMPRESIONES, IMPRESION), (clases.CONVERSIONES, CONVERSION))
            )
        )
        contadas, guardadas = await asyncio.to_thread(lecturas.leer_libro, contadas_y_guardadas)
    assert guardadas == contadas
    por_clase = len(libros) * rondas * claves
    assert totales(guardadas) == {(2 * por_clase, por_clase * 1_500_000_000)}
    assert set(ejecuciones.values()) == {1}
    usados = sql(url, "SELECT DISTINCT fragmento FROM cuentas_por_tramo ORDER BY 1")
    assert usados == [[str(fragmento)] for fragmento in sorted(set(fragmentos))]
    bloqueos = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    assert sql(url, bloqueos) == [["0"]]


# Cualquier historia

_POCAS = st.sampled_from(["a", "b", "ñ"])
_COMUNES = {
    "id": st.sampled_from([*"abcdefgh", ".."]),
    "campaña_id": _POCAS,
    "influencer_id": _POCAS | st.none(),
    "user_agent": st.integers(0, len(LECTURAS_QUE_SE_CUENTAN) - 1).map(str),
    "usuario_id": st.sampled_from(["a", "ñandú", "🛒"]) | st.none(),
    "timestamp": st.none()
    | st.datetimes(datetime(2025, 12, 30), datetime(2026, 1, 15, 10), timezones=st.just(UTC)),  # noqa: DTZ001
}
_COMANDOS = {
    clases.IMPRESIONES: st.builds(
        lambda **cambios: replace(IMPRESION, **cambios),
        tipo_evento=st.sampled_from([*(tipo.value for tipo in TipoEvento), "NINGUNO"]),
        **_COMUNES,
    ),
    clases.CONVERSIONES: st.builds(
        lambda **cambios: replace(CONVERSION, **cambios),
        tipo_conversion=st.sampled_from([tipo.value for tipo in TipoConversion]),
        valor=st.sampled_from([Decimal(0), Decimal("0.0001"), EL_MAYOR, Decimal(7), None]),
        moneda=st.sampled_from(["UYW", "CLF", "COP", None]),
        cupon=_POCAS | st.none(),
        **_COMUNES,
    ),
}


def _identificado(comando: Comando, comando_id: str) -> ComandoRecibido:
    return recibido(comando, comando_id, huella=blake2b(repr(comando).encode(), digest_size=16).digest())


def _lotes(clase: Clase) -> st.SearchStrategy[tuple[Clase, Lote, bool]]:
    """Un lote de esa clase, y si su transacción llega a su commit."""
    comandos_id = st.sampled_from([f"c-{n}" for n in range(20)])
    mensajes = st.builds(_identificado, _COMANDOS[clase], comandos_id) | st.builds(ilegible, comandos_id)
    lotes = st.lists(mensajes, min_size=1, max_size=12)
    return st.tuples(st.just(clase), lotes, st.sampled_from([True, True, True, False]))


_HISTORIAS = st.lists(_lotes(clases.IMPRESIONES) | _lotes(clases.CONVERSIONES), min_size=1, max_size=8)
Historia = Sequence[tuple[Clase, Lote, bool]]


class _NoLlega(Exception):
    pass


async def _recorrer(historia: Historia, libro: Libro) -> None:
    def trabajo(transaccion: Transaccion, clase: Clase, lote: Lote, *, llega: bool) -> None:
        asentar(clase, lote)(transaccion)
        if not llega:
            raise _NoLlega

    for clase, lote, llega in historia:
        try:
            await libro.libro.ejecutar(
                lambda t, clase=clase, lote=lote, llega=llega: trabajo(t, clase, lote, llega=llega)  # type: ignore[misc]
            )
        except _NoLlega:
            assert not llega
        await libro.cuentas()


@settings(max_examples=40)
@given(historia=_HISTORIAS)
def test_tras_cualquier_historia_las_cuentas_son_las_filas(historia: Historia) -> None:
    with tempfile.TemporaryDirectory() as carpeta, libro_sqlite(Path(carpeta)) as abierto:
        asyncio.run(_recorrer(historia, Libro(*abierto)))


@settings(max_examples=10)
@given(historia=_HISTORIAS)
def test_en_postgresql_tambien(servidor_postgresql: ServidorDePrueba, historia: Historia) -> None:
    with libro_postgresql(servidor_postgresql.base_nueva()) as abierto:
        asyncio.run(_recorrer(historia, Libro(*abierto)))
