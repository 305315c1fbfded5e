"""La conservación: cada comando entregado acaba en una cuenta del balance, y el balance es lo que hay."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from hashlib import blake2b
from pathlib import Path
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.comandos import RegistrarConversion, RegistrarImpresion
from alpespartners.modulos.tracking.aplicacion.consultas.consultar_balance import (
    BalanceDelModulo,
    consultar_balance,
)
from alpespartners.modulos.tracking.aplicacion.handlers import ManejadorDeRegistro
from alpespartners.modulos.tracking.aplicacion.mensajes import (
    ComandoRecibido,
    IdentidadComando,
    MensajeIlegible,
)
from alpespartners.modulos.tracking.aplicacion.puertos import Transaccion
from alpespartners.modulos.tracking.aplicacion.topicos import (
    COMANDO_REGISTRAR_CONVERSION,
    COMANDO_REGISTRAR_IMPRESION,
)
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.lecturas import LecturasPostgreSQL
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.libro import LibroPostgreSQL
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.lecturas import LecturasSQLite
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.libro import LibroSQLite
from tests.apoyo.base_datos import libro_sqlite, sql
from tests.apoyo.cuentas import contadas_y_guardadas
from tests.apoyo.eventos import AHORA, CONVERSION, IMPRESION, ilegible, recibido
from tests.apoyo.libro_en_memoria import LibroEnMemoria
from tests.apoyo.postgresql import ServidorDePrueba, libro_postgresql
from tests.apoyo.postgresql import sql as sql_de_postgresql

C = TypeVar("C", RegistrarImpresion, RegistrarConversion)
Cuentas = Counter[tuple[str, str, str | None]]

MINUTO = timedelta(minutes=1)

# Pocos ids, comandos y contenidos: así chocan. Un mismo `comando_id` con dos cargas son dos comandos.
_IDS = st.sampled_from(["a", "b", "..", None])
_COMANDOS = st.sampled_from([f"c-{n}" for n in range(6)])
_CUANDO = st.sampled_from([AHORA, AHORA + MINUTO, None])


def _identificado(comando: C, comando_id: str) -> ComandoRecibido:
    return recibido(comando, comando_id, huella=blake2b(repr(comando).encode(), digest_size=16).digest())


_CONVERSIONES = st.builds(
    _identificado,
    st.builds(
        lambda id_evento, valor, moneda, recibido_en, faltas: replace(
            CONVERSION, id=id_evento, valor=valor, moneda=moneda, recibido_en=recibido_en, faltas=faltas
        ),
        _IDS,
        st.sampled_from([Decimal(1), Decimal("1.00"), Decimal(2), Decimal(-1), None]),
        st.sampled_from(["COP", "ZZZ"]),
        _CUANDO,
        st.sampled_from([{}, {}, {"campaña_id": "sin_permiso: no vale"}]),
    ),
    _COMANDOS,
)
_IMPRESIONES = st.builds(
    _identificado,
    st.builds(
        lambda id_evento, usuario_id, recibido_en, ignorada: replace(
            IMPRESION, id=id_evento, usuario_id=usuario_id, recibido_en=recibido_en, ignorada=ignorada
        ),
        _IDS,
        st.sampled_from(["u", None, ""]),
        _CUANDO,
        st.sampled_from([None, None, "sin_campaña", "de_mañana"]),
    ),
    _COMANDOS,
)
_ILEGIBLES = st.builds(
    lambda comando, clave: replace(ilegible(comando, clave), identidad=IdentidadComando(comando, b"i" * 16)),
    _COMANDOS,
    _IDS,
)


@dataclass(frozen=True)
class LoteDeImpresiones:
    mensajes: list[ComandoRecibido | MensajeIlegible]
    topico = COMANDO_REGISTRAR_IMPRESION

    def manejar(self, transaccion: Transaccion) -> None:
        ManejadorDeRegistro(clases.IMPRESIONES).manejar(self.mensajes, transaccion, AHORA)


@dataclass(frozen=True)
class LoteDeConversiones:
    mensajes: list[ComandoRecibido | MensajeIlegible]
    topico = COMANDO_REGISTRAR_CONVERSION

    def manejar(self, transaccion: Transaccion) -> None:
        ManejadorDeRegistro(clases.CONVERSIONES).manejar(self.mensajes, transaccion, AHORA)


@dataclass(frozen=True)
class Retirada:
    """El broker confirmó estos envíos, quizá por segunda vez."""

    numeros: list[int]


Pasos = Sequence[LoteDeImpresiones | LoteDeConversiones | Retirada]

_PASOS = st.lists(
    st.one_of(
        st.builds(LoteDeImpresiones, st.lists(_IMPRESIONES | _ILEGIBLES, min_size=1, max_size=8)),
        st.builds(LoteDeConversiones, st.lists(_CONVERSIONES | _ILEGIBLES, min_size=1, max_size=8)),
        st.builds(Retirada, st.lists(st.integers(1, 12), min_size=1, max_size=6, unique=True)),
    ),
    min_size=1,
    max_size=12,
)


Consultar = Callable[[str], Sequence[Sequence[object]]]


@settings(max_examples=30, deadline=None)
@given(pasos=_PASOS)
def test_el_balance_es_lo_que_da_contar_las_tablas_y_cada_comando_cuenta_una_vez(pasos: Pasos) -> None:
    with tempfile.TemporaryDirectory() as carpeta, libro_sqlite(Path(carpeta)) as (libro, lecturas):
        _comprobar(pasos, libro, lecturas, lambda sentencia: sql(Path(carpeta), sentencia))


@settings(max_examples=10, deadline=None)
@given(pasos=_PASOS)
def test_en_postgresql_el_balance_tambien_es_lo_que_da_contar_las_tablas(
    servidor_postgresql: ServidorDePrueba, pasos: Pasos
) -> None:
    url = servidor_postgresql.base_nueva()
    with libro_postgresql(url) as (libro, lecturas):
        _comprobar(pasos, libro, lecturas, lambda sentencia: sql_de_postgresql(url, sentencia))


def _comprobar(
    pasos: Pasos,
    libro: LibroSQLite | LibroPostgreSQL,
    lecturas: LecturasSQLite | LecturasPostgreSQL,
    consultar: Consultar,
) -> None:
    entregados: dict[str, set[IdentidadComando]] = {
        COMANDO_REGISTRAR_IMPRESION: set(),
        COMANDO_REGISTRAR_CONVERSION: set(),
    }
    memoria = LibroEnMemoria()

    async def recorrer() -> tuple[BalanceDelModulo, BalanceDelModulo]:
        for paso in pasos:
            if isinstance(paso, Retirada):
                await libro.retirar(paso.numeros)
            else:
                await libro.ejecutar(paso.manejar)
                await memoria.ejecutar(paso.manejar)
                entregados[paso.topico] |= {mensaje.identidad for mensaje in paso.mensajes}
        return (
            await lecturas.leer(lambda c: consultar_balance(c.balance)),
            await memoria.leer(lambda c: consultar_balance(c.balance)),
        )

    balance, en_memoria = asyncio.run(recorrer())
    contadas, pendientes = _contar_las_tablas(consultar)
    assert _cuentas(balance) == contadas
    assert balance.bandeja_salida.cuantos == pendientes
    assert balance.comandos == en_memoria.comandos
    proyectados = memoria.confirmado.proyeccion.contados
    assert set(proyectados.values()) <= {1}
    assert proyectados.total() == sum(cuenta.registradas for cuenta in balance.comandos)
    de_las_filas, guardadas = lecturas.leer_libro(contadas_y_guardadas)
    assert guardadas == de_las_filas
    assert {cuenta.topico: cuenta.total for cuenta in balance.comandos} == {
        topico: len(identidades) for topico, identidades in entregados.items()
    }


def _cuentas(balance: BalanceDelModulo) -> Cuentas:
    cuentas: Cuentas = Counter()
    for cuenta in balance.comandos:
        cuentas[cuenta.topico, "REGISTRADA", None] = cuenta.registradas
        cuentas[cuenta.topico, "DUPLICADA", None] = cuenta.duplicadas
        cuentas[cuenta.topico, "ILEGIBLE", None] = cuenta.ilegibles
        for motivo, cuantas in cuenta.rechazadas.items():
            cuentas[cuenta.topico, "RECHAZADA", motivo] = cuantas
        for motivo, cuantas in cuenta.ignoradas.items():
            cuentas[cuenta.topico, "IGNORADA", motivo] = cuantas
    return cuentas


def _contar_las_tablas(consultar: Consultar) -> tuple[Cuentas, int]:
    """Lo que da contar fila por fila, y cuántas quedan por publicar."""
    cuentas: Cuentas = Counter()
    for topico, tabla in (
        (COMANDO_REGISTRAR_IMPRESION, "impresiones"),
        (COMANDO_REGISTRAR_CONVERSION, "conversiones"),
    ):
        cuentas[topico, "REGISTRADA", None] = len(consultar(f"SELECT id FROM {tabla}"))  # noqa: S608 (son suyas)
    for fila in consultar("SELECT topico, estado, motivo FROM destinos"):
        cuentas[str(fila[0]), str(fila[1]), str(fila[2]) if fila[2] else None] += 1
    eventos = [
        fila
        for tabla in ("impresiones", "conversiones")
        for fila in consultar(
            f"SELECT id FROM {tabla} JOIN carriles ON numero = carril WHERE secuencia > publicado_hasta"  # noqa: S608
        )
    ]
    return cuentas, len(consultar("SELECT numero FROM bandeja_salida")) + len(eventos)
