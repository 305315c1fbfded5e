"""Un informe es lo que da contar los eventos uno a uno, en los dos motores y en cualquier zona."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Generator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, update

from alpespartners.modulos.informes.aplicacion.desglose import desglosar
from alpespartners.modulos.informes.aplicacion.informe import Fila, Informe, hacer_informe
from alpespartners.modulos.informes.aplicacion.orden import CLICS_SUFICIENTES, Criterio, Orden
from alpespartners.modulos.informes.aplicacion.pedido import (
    DE_CAMPAÑA,
    DE_INFLUENCER,
    PedidoDeInforme,
    Sujeto,
    pedido_de_informe,
)
from alpespartners.modulos.informes.aplicacion.puertos import (
    DE_PROCEDENCIA,
    Contada,
    DemasiadasCuentas,
    DemasiadosSueltos,
    Dimension,
    LecturaDeCuentas,
    UsuariosIlegibles,
)
from alpespartners.modulos.informes.dominio.bots import Bots
from alpespartners.modulos.informes.dominio.comparaciones import Comparacion
from alpespartners.modulos.informes.dominio.intervalos import Granularidad, Intervalo, comienzo_del_dia
from alpespartners.modulos.informes.dominio.metricas import DE_IMPRESION, Metricas, Recuento
from alpespartners.modulos.informes.dominio.usuarios import Usuarios
from alpespartners.modulos.informes.infraestructura import lecturas as modulo_de_lecturas
from alpespartners.modulos.informes.infraestructura import (
    lecturas_de_influencer as modulo_de_lecturas_de_influencer,
)
from alpespartners.modulos.informes.infraestructura.lecturas import LecturaDeCuentasSQL
from alpespartners.modulos.informes.infraestructura.lecturas_de_influencer import LecturaDeInfluencerSQL
from alpespartners.modulos.informes.infraestructura.proyeccion import CuentasSQL
from alpespartners.modulos.informes.infraestructura.tablas import usuarios_por_dia
from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.puertos import Transaccion
from alpespartners.modulos.tracking.dominio.entidades import Conversion, EventoSeguido
from alpespartners.modulos.tracking.dominio.eventos import EventoDominio
from alpespartners.modulos.tracking.dominio.lectura import ClaseDeClic, Lectura
from alpespartners.modulos.tracking.dominio.objetos_valor import TipoEvento
from alpespartners.modulos.tracking.infraestructura.libro.hechos import hechos
from alpespartners.modulos.tracking.infraestructura.motores.base_datos import LecturasDelLibro, Libro
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.lecturas import LecturasPostgreSQL
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.lecturas import LecturasSQLite
from alpespartners.modulos.tracking.infraestructura.repositorios import TransaccionSQL
from tests.apoyo.cuentas_en_memoria import clase_de, contar, contar_usuarios, mayores
from tests.apoyo.eventos import AHORA, conversion, impresion
from tests.apoyo.libro_contado import contado_en_postgresql, contado_en_sqlite
from tests.apoyo.postgresql import SIN_PRISA, ServidorDePrueba
from tests.apoyo.procedencias import que_se_admiten

T = TypeVar("T")
Eventos = Sequence[EventoSeguido[Any]]

HORA = timedelta(hours=1)
DIA = timedelta(days=1)
MICROSEGUNDO = timedelta(microseconds=1)
UN_DIA_CUALQUIERA = {"desde": "2025-06-10", "hasta": "2025-06-11"}


@dataclass
class Cuentas:
    """Un adaptador bajo prueba; cada campaña es otra, y así todas las pruebas usan la misma base."""

    libro: Libro
    lecturas: LecturasDelLibro
    numeros: "count[int]" = field(default_factory=lambda: count(1))

    def contar(self, eventos: Eventos) -> None:
        """Registra los eventos de dos en dos: muchas transacciones suman en las mismas filas."""
        suyos = [
            replace(evento, contenido=replace(evento.contenido, id=f"id-{next(self.numeros)}"))
            for evento in eventos
        ]
        for inicio in range(0, len(suyos), 2):
            _esperar(self.libro.ejecutar(partial(_registrar, suyos[inicio : inicio + 2])))

    def informe(self, pedido: PedidoDeInforme) -> Informe:
        return _esperar(hacer_informe(self.lectura(pedido.sujeto), pedido, self.de_campañas()))

    def lectura(self, sujeto: Sujeto) -> LecturaDeCuentas:
        return self.de_campañas() if sujeto is DE_CAMPAÑA else self.de_influencers()

    def de_campañas(self) -> LecturaDeCuentasSQL:
        return LecturaDeCuentasSQL(self.lecturas, hechos())

    def de_influencers(self) -> LecturaDeInfluencerSQL:
        return LecturaDeInfluencerSQL(self.lecturas, hechos())


def _registrar(eventos: Eventos, transaccion: Transaccion) -> None:
    for evento in eventos:
        assert transaccion.eventos(_clase(evento)).agregar([evento])
    transaccion.proyeccion.aplicar([_clase(evento).evento(evento) for evento in eventos])


def _clase(evento: EventoSeguido[Any]) -> clases.Clase:
    return clases.CONVERSIONES if isinstance(evento, Conversion) else clases.IMPRESIONES


def _esperar(corrutina: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(corrutina)


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Generator[Cuentas]:
    with contado_en_sqlite(tmp_path_factory.mktemp("informes")) as suyos:
        yield Cuentas(*suyos)


@pytest.fixture(scope="module")
def postgresql(servidor_postgresql: ServidorDePrueba) -> Generator[Cuentas]:
    with contado_en_postgresql(servidor_postgresql) as suyos:
        yield Cuentas(*suyos)


@pytest.fixture(params=["sqlite", "postgresql"])
def cuentas(request: pytest.FixtureRequest) -> Cuentas:
    adaptador: Cuentas = request.getfixturevalue(request.param)
    return adaptador


ZONAS = (
    "UTC",
    "America/Bogota",
    "America/Santiago",
    "Europe/Madrid",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Pacific/Kiritimati",
)
CAMBIOS = (date(2025, 3, 30), date(2025, 4, 6), date(2025, 9, 7), date(2025, 10, 5), date(2025, 10, 26))
"""Los días de 2025 en que cambia el reloj de alguna de ellas."""

_HORAS = st.one_of(
    # En punto, justo antes y en cualquier otro momento.
    st.integers(-1, 96).map(lambda cuartos: cuartos * HORA / 4),
    st.integers(0, 96).map(lambda cuartos: cuartos * HORA / 4 - MICROSEGUNDO),
    st.timedeltas(timedelta(0), DIA),
)
influencers = st.sampled_from([None, "inf-1", "inf-2"])
lecturas = st.none() | st.builds(
    Lectura,
    reglas=st.just("1"),
    red=st.sampled_from([None, "instagram", "google", "directo"]),
    dispositivo=st.sampled_from([None, "movil", "escritorio"]),
    pais=st.sampled_from([None, "CO", "ES"]),
    bot=st.booleans(),
    señales=st.sampled_from([(), ("agente_de_robot",), ("precarga", "agente_de_robot")]),
    clase=st.sampled_from([None, *(clase.value for clase in ClaseDeClic)]),
)


@st.composite
def eventos(sortear: st.DrawFn, cambio: date) -> EventoSeguido[Any]:
    dia = cambio + sortear(st.integers(-3, 3)) * DIA
    timestamp = datetime(dia.year, dia.month, dia.day, tzinfo=UTC) + sortear(_HORAS)
    comunes: dict[str, Any] = {"timestamp": timestamp, "influencer_id": sortear(influencers)}
    if sortear(st.booleans()):
        vista = impresion(tipo_evento=sortear(st.sampled_from(sorted(DE_IMPRESION))), **comunes)
        return replace(vista, lectura=_contable(vista, sortear(lecturas)))
    tipo = sortear(st.sampled_from(["VENTA", "VENTA", "REGISTRO"]))
    importe, moneda = sortear(
        st.sampled_from(
            [
                ("99999999999999.99", "COP"),
                ("0.01", "COP"),
                ("0.0001", "CLF"),
                ("500", "JPY"),
                ("0", "JPY"),
                *([(None, "COP"), (None, None)] if tipo == "REGISTRO" else []),
            ]
        )
    )
    valor = None if importe is None else Decimal(importe)
    cupon = sortear(st.sampled_from([None, "VERANO"]))
    hecha = conversion(tipo_conversion=tipo, valor=valor, moneda=moneda, cupon=cupon, **comunes)
    return replace(hecha, lectura=_contable(hecha, sortear(lecturas)))


def _contable(evento: EventoSeguido[Any], lectura: Lectura | None) -> Lectura | None:
    """Esa, como puede ser la de ese evento: la clase solo la tiene un clic."""
    if lectura is None or getattr(evento.contenido, "tipo_evento", None) is TipoEvento.CLIC:
        return lectura
    return replace(lectura, clase=None)


@st.composite
def pedidos(sortear: st.DrawFn, cambio: date, sujeto: Sujeto) -> dict[str, str]:
    desde = cambio + sortear(st.integers(-3, 1)) * DIA
    pedido = {
        "desde": str(desde),
        "hasta": str(desde + sortear(st.integers(1, 6)) * DIA),
        "zona": sortear(st.sampled_from(ZONAS)),
        "granularidad": sortear(st.sampled_from(Granularidad)).value,
    }
    if por := sortear(st.lists(st.sampled_from(sujeto.dimensiones), unique=True)):
        pedido["por"] = ",".join(que_se_admiten(por))
    if sortear(st.integers(0, 3)) == 0:
        # Sin nada que mirar en las filas.
        pedido |= {"zona": "UTC", "granularidad": sortear(st.sampled_from(["dia", "mes", "total"]))}
    if sortear(st.booleans()):
        pedido["bots"] = sortear(st.sampled_from(Bots)).value
    if comparar := sortear(st.sampled_from([None, *Comparacion])):
        pedido["comparar"] = comparar
    if sortear(st.integers(0, 3)) == 0:
        # Un periodo que empieza a mitad de un día.
        pedido["desde"] += "T07:15:00Z"
    return pedido


def _casos(sujeto: Sujeto) -> st.SearchStrategy[tuple[Sujeto, Eventos, dict[str, str]]]:
    return st.sampled_from(CAMBIOS).flatmap(
        lambda cambio: st.tuples(
            st.just(sujeto), st.lists(eventos(cambio), max_size=30), pedidos(cambio, sujeto)
        )
    )


casos = st.one_of(_casos(DE_CAMPAÑA), _casos(DE_INFLUENCER))
"""De quién es el informe, unos eventos y lo que se pide de ellos, alrededor de un mismo cambio de hora."""


@settings(max_examples=100, deadline=None)
@given(caso=casos)
def test_cada_fila_es_lo_que_da_contar_los_eventos_y_el_total_es_la_suma(
    sqlite: Cuentas, caso: tuple[Sujeto, Eventos, dict[str, str]]
) -> None:
    _comprobar(sqlite, *caso)


@settings(max_examples=30, deadline=None)
@given(caso=casos)
def test_en_postgresql_cada_fila_tambien_es_lo_que_da_contar_los_eventos(
    postgresql: Cuentas, caso: tuple[Sujeto, Eventos, dict[str, str]]
) -> None:
    _comprobar(postgresql, *caso)


def _comprobar(cuentas: Cuentas, sujeto: Sujeto, sucesos: Eventos, parametros: dict[str, str]) -> None:
    suya = f"uno-{next(cuentas.numeros)}"
    otros = [_de(evento, f"{suya}-otro-{n}", n, sujeto) for n, evento in enumerate(sucesos[:3])]
    suyos = [_de(evento, suya, numero, sujeto) for numero, evento in enumerate(sucesos)]
    cuentas.contar([*suyos, *otros])
    pedido = pedido_de_informe(suya, parametros, AHORA, sujeto)
    informe = cuentas.informe(pedido)
    for fila in informe.filas:
        _comprobar_fila(fila, _del_grupo(suyos, pedido, fila.grupo), pedido.bots)
    _comprobar_fila(informe.total, suyos, pedido.bots)
    grupos = {fila.grupo for fila in informe.filas}
    assert grupos == ({()} if not pedido.por else _grupos_con_algo(suyos, pedido))
    assert len(informe.filas) == len(pedido.intervalos) * len(grupos)
    _comprobar_que_suman([fila.metricas for fila in informe.filas], informe.total.metricas)
    if informe.total.comparado is not None:
        comparadas = [fila.comparado.metricas for fila in informe.filas if fila.comparado is not None]
        _comprobar_que_suman(comparadas, informe.total.comparado.metricas)


ordenes = st.sampled_from(
    [Orden(criterio) for criterio in Criterio if criterio is not Criterio.VALOR]
    + [Orden(Criterio.VALOR, moneda) for moneda in ("COP", "CLF", "USD")]
)


@st.composite
def desgloses(sortear: st.DrawFn) -> tuple[Eventos, dict[str, str], Dimension, Orden, int]:
    """Unos eventos, el periodo del que se desglosan, por qué, por cuál son los primeros y cuántos."""
    cambio = sortear(st.sampled_from(CAMBIOS))
    pedido = sortear(pedidos(cambio, DE_CAMPAÑA))
    en_total = {nombre: pedido[nombre] for nombre in ("desde", "hasta", "zona", "bots") if nombre in pedido}
    return (
        sortear(st.lists(eventos(cambio), max_size=30)),
        en_total | {"granularidad": "total"},
        sortear(st.sampled_from([Dimension.INFLUENCER, Dimension.CUPON, *DE_PROCEDENCIA])),
        sortear(ordenes),
        sortear(st.integers(1, 4)),
    )


@settings(max_examples=100, deadline=None)
@given(caso=desgloses())
def test_los_primeros_grupos_son_los_que_salen_de_ordenar_todos_y_el_total_el_de_todos(
    sqlite: Cuentas, caso: tuple[Eventos, dict[str, str], Dimension, Orden, int]
) -> None:
    _comprobar_desglose(sqlite, *caso)


@settings(max_examples=30, deadline=None)
@given(caso=desgloses())
def test_en_postgresql_los_primeros_grupos_tambien_son_los_que_salen_de_ordenar_todos(
    postgresql: Cuentas, caso: tuple[Eventos, dict[str, str], Dimension, Orden, int]
) -> None:
    _comprobar_desglose(postgresql, *caso)


def _comprobar_desglose(
    cuentas: Cuentas, sucesos: Eventos, parametros: dict[str, str], por: Dimension, orden: Orden, maximo: int
) -> None:
    suya = f"desglose-{next(cuentas.numeros)}"
    suyos = [_de(evento, suya, numero, DE_CAMPAÑA) for numero, evento in enumerate(sucesos)]
    cuentas.contar([*suyos, *(_de(evento, f"{suya}-otra", 0, DE_CAMPAÑA) for evento in sucesos[:3])])
    pedido = pedido_de_informe(suya, parametros, AHORA)
    hallado = _esperar(desglosar(cuentas.de_campañas(), pedido, por, orden, maximo))
    informe = cuentas.informe(pedido_de_informe(suya, {**parametros, "por": por}, AHORA))
    contadas = contar(suyos, suya, pedido.intervalos, [por])
    esperados = mayores(contadas, [], por, orden, pedido.bots, maximo)
    columna = Contada._fields.index(por.value)
    assert [fila.grupo for fila in hallado.filas] == [
        *dict.fromkeys((contada[columna],) for contada in esperados.contadas)
    ]
    assert (hallado.cuantas, hallado.total) == (len(informe.filas), informe.total.metricas)
    del_informe = {fila.grupo: fila for fila in informe.filas}
    assert list(hallado.filas) == [del_informe[fila.grupo] for fila in hallado.filas]


def _de(evento: EventoSeguido[Any], suya: str, numero: int, sujeto: Sujeto) -> EventoSeguido[Any]:
    """El mismo, en esa campaña; o de ese influencer, en una de las tres en que está."""
    if sujeto is DE_CAMPAÑA:
        return replace(evento, contenido=replace(evento.contenido, campaña_id=suya))
    campaña = f"de-varios-{numero % 3}"
    return replace(evento, contenido=replace(evento.contenido, campaña_id=campaña, influencer_id=suya))


def _grupos_con_algo(sucesos: Eventos, pedido: PedidoDeInforme) -> set[tuple[str, ...]]:
    return {
        tuple(_valor(evento, dimension) for dimension in pedido.por)
        for intervalo in (*pedido.intervalos, *pedido.comparados)
        for evento in _en(intervalo, sucesos)
    }


def _del_grupo(sucesos: Eventos, pedido: PedidoDeInforme, grupo: tuple[str, ...]) -> Eventos:
    return [e for e in sucesos if tuple(_valor(e, dimension) for dimension in pedido.por) == grupo]


def _valor(evento: EventoSeguido[Any], dimension: Dimension) -> str:
    campos = evento.contenido.campos()
    if dimension in DE_PROCEDENCIA:
        return getattr(evento.lectura, dimension.value, None) or ""
    if dimension is Dimension.CLASE:
        return clase_de(evento)
    if dimension is Dimension.TIPO:
        return str(campos.get("tipo_evento") or campos["tipo_conversion"])
    if dimension is Dimension.MONEDA and campos.get("valor") is None:
        return ""
    return str(campos.get(dimension) or "")


def _comprobar_fila(fila: Fila, sucesos: Eventos, bots: Bots) -> None:
    _comprobar_metricas(fila.metricas, _en(fila.intervalo, sucesos), bots)
    if fila.comparado is not None:
        _comprobar_metricas(fila.comparado.metricas, _en(fila.comparado.intervalo, sucesos), bots)
        cambio = fila.comparado.cambio
        assert cambio.diferencia.clics == fila.metricas.clics - fila.comparado.metricas.clics


def _en(intervalo: Intervalo, sucesos: Eventos) -> Eventos:
    return [evento for evento in sucesos if intervalo.desde <= evento.ocurrido_en < intervalo.hasta]


def _comprobar_metricas(metricas: Metricas, sucesos: Eventos, bots: Bots) -> None:
    de_robots = [evento for evento in sucesos if clase_de(evento) == "BOT"]
    _comprobar_recuento(metricas.bots, de_robots)
    if bots is Bots.EXCLUIR:
        sucesos = [evento for evento in sucesos if clase_de(evento) != "BOT"]
    tipos, importes = _comprobar_recuento(metricas, sucesos)
    clases_de_clic = Counter(
        clase_de(evento) or "SIN_LEER" for evento, tipo in zip(sucesos, tipos, strict=True) if tipo == "CLIC"
    )
    assert metricas.clics_por_clase == {
        clase: clases_de_clic[clase] for clase in ("UNICO", "REPETIDO", "INVALIDO", "BOT", "SIN_LEER")
    }
    assert sum(metricas.clics_por_clase.values()) == metricas.clics
    conversiones = len(tipos) - sum(tipo in DE_IMPRESION for tipo in tipos)
    assert metricas.tasa_conversion.numerador == conversiones
    for moneda, ticket in metricas.ticket_medio.items():
        ventas = [
            campos["valor"]
            for campos in importes
            if (campos["tipo_conversion"], campos["moneda"]) == ("VENTA", moneda)
        ]
        assert (ticket.numerador, ticket.denominador) == (sum(ventas, Decimal(0)), len(ventas))


def _comprobar_recuento(recuento: Recuento, sucesos: Eventos) -> tuple[list[str], list[dict[str, Any]]]:
    """Devuelve el tipo de cada uno, y los campos de los que valen algo."""
    tipos = [_valor(evento, Dimension.TIPO) for evento in sucesos]
    assert recuento.impresiones == tipos.count("IMPRESION")
    assert recuento.clics == tipos.count("CLIC")
    assert recuento.visualizaciones == tipos.count("VISUALIZACION")
    assert recuento.conversiones == {tipo: tipos.count(tipo) for tipo in {*tipos} - DE_IMPRESION}
    importes = [dict(evento.contenido.campos()) for evento in sucesos if _valor(evento, Dimension.MONEDA)]
    assert recuento.valor == {
        moneda: sum((c["valor"] for c in importes if c["moneda"] == moneda), Decimal(0))
        for moneda in {campos["moneda"] for campos in importes}
    }
    return tipos, importes


def _comprobar_que_suman(partes: Sequence[Metricas], total: Metricas) -> None:
    for clase, cuantos in total.clics_por_clase.items():
        assert sum(parte.clics_por_clase[clase] for parte in partes) == cuantos
    _comprobar_que_se_suman(partes, total)
    _comprobar_que_se_suman([parte.bots for parte in partes], total.bots)


def _comprobar_que_se_suman(partes: Sequence[Recuento], total: Recuento) -> None:
    assert sum(parte.impresiones for parte in partes) == total.impresiones
    assert sum(parte.clics for parte in partes) == total.clics
    assert sum(parte.visualizaciones for parte in partes) == total.visualizaciones
    for tipo, cuantas in total.conversiones.items():
        assert sum(parte.conversiones.get(tipo, 0) for parte in partes) == cuantas
    for moneda, valor in total.valor.items():
        assert sum(parte.valor.get(moneda, Decimal(0)) for parte in partes) == valor


@pytest.mark.parametrize(
    ("zona", "fecha", "horas"),
    [
        ("Europe/Madrid", "2025-03-30", 23),
        ("Europe/Madrid", "2025-10-26", 25),
        ("America/Santiago", "2025-09-07", 23),
        ("America/Santiago", "2025-04-05", 25),
        ("Australia/Lord_Howe", "2025-10-05", 23.5),
        ("Australia/Lord_Howe", "2025-04-06", 24.5),
        ("Asia/Kolkata", "2025-03-30", 24),
        ("America/Bogota", "2025-03-30", 24),
    ],
)
def test_un_dia_tiene_los_eventos_de_sus_horas_y_ni_uno_de_las_vecinas(
    cuentas: Cuentas, zona: str, fecha: str, horas: float
) -> None:
    local, este = ZoneInfo(zona), date.fromisoformat(fecha)
    desde, hasta = comienzo_del_dia(este, local), comienzo_del_dia(este + DIA, local)
    assert hasta - desde == horas * HORA
    campaña = f"{zona} {fecha}"
    cuartos = int(horas * 4)
    dentro = [desde + k * HORA / 4 for k in range(cuartos)] + [hasta - MICROSEGUNDO]
    cuentas.contar(
        [impresion(campaña_id=campaña, timestamp=cuando) for cuando in [desde - MICROSEGUNDO, *dentro, hasta]]
    )
    parametros = {"desde": fecha, "hasta": str(este + DIA), "zona": zona}
    for granularidad in Granularidad:
        pedido = pedido_de_informe(campaña, {**parametros, "granularidad": granularidad}, AHORA)
        informe = cuentas.informe(pedido)
        assert informe.total.metricas.impresiones == cuartos + 1
        assert sum(fila.metricas.impresiones for fila in informe.filas) == cuartos + 1
    alrededor = {**parametros, "desde": str(este - DIA), "hasta": str(este + 2 * DIA)}
    dias = cuentas.informe(pedido_de_informe(campaña, alrededor, AHORA)).filas
    assert [dia.metricas.impresiones for dia in dias] == [1, cuartos + 1, 1]


def test_una_campaña_sin_eventos_da_ceros_en_todos_sus_intervalos(cuentas: Cuentas) -> None:
    informe = cuentas.informe(pedido_de_informe("ninguna", {"granularidad": "hora"}, AHORA))
    assert len(informe.filas) == 30 * 24
    assert {fila.metricas.impresiones for fila in [*informe.filas, informe.total]} == {0}


def test_un_grupo_esta_tambien_en_los_intervalos_en_que_no_tuvo_nada(cuentas: Cuentas) -> None:
    campaña = "de-dos"
    cuentas.contar(
        [
            impresion(campaña_id=campaña, influencer_id="a", timestamp=datetime(2025, 6, 10, 8, tzinfo=UTC)),
            impresion(campaña_id=campaña, influencer_id=None, timestamp=datetime(2025, 6, 11, 8, tzinfo=UTC)),
        ]
    )
    parametros = {"desde": "2025-06-10", "hasta": "2025-06-12", "por": "influencer_id"}
    informe = cuentas.informe(pedido_de_informe(campaña, parametros, AHORA))
    assert [(*fila.grupo, fila.metricas.impresiones) for fila in informe.filas] == [
        ("", 0),
        ("a", 1),
        ("", 1),
        ("a", 0),
    ]


@pytest.mark.parametrize("zona", ["UTC", "America/Bogota"])
def test_lo_que_no_se_sabe_de_donde_vino_es_un_grupo_mas_y_todos_suman_el_total(
    cuentas: Cuentas, zona: str
) -> None:
    campaña = f"procedencias-{zona}"
    robot = Lectura(reglas="1", red="google", bot=True, señales=("agente_de_robot", "precarga"))
    lecturas_de_cada_hora = [None, Lectura(reglas="1"), Lectura(reglas="1", red="google", pais="CO"), robot]
    medianoche = datetime(2025, 6, 10, tzinfo=UTC)
    cuentas.contar(
        [
            replace(
                conversion(
                    campaña_id=campaña, timestamp=medianoche + n * HORA, valor=Decimal(n), moneda="COP"
                ),
                lectura=lecturas_de_cada_hora[n % 4],
            )
            for n in range(24)
        ]
    )
    # El día de Bogotá empieza a las cinco.
    primera = 0 if zona == "UTC" else 5
    horas = range(primera, 24)
    esperados = {
        Dimension.RED: {"": {0, 1}, "google": {2, 3}},
        Dimension.DISPOSITIVO: {"": {0, 1, 2, 3}},
        Dimension.PAIS: {"": {0, 1, 3}, "CO": {2}},
        Dimension.ROBOT: {"": {0, 1, 2}, "agente_de_robot": {3}},
    }
    for por, grupos in esperados.items():
        parametros = {**UN_DIA_CUALQUIERA, "zona": zona, "por": por}
        informe = cuentas.informe(pedido_de_informe(campaña, parametros, AHORA))
        hallados = {fila.grupo[0]: fila.metricas for fila in informe.filas}
        assert {grupo: suyas.conversiones["VENTA"] for grupo, suyas in hallados.items()} == {
            grupo: sum(n % 4 in restos for n in horas) for grupo, restos in grupos.items()
        }
        assert {grupo: suyas.valor["COP"] for grupo, suyas in hallados.items()} == {
            grupo: sum(n for n in horas if n % 4 in restos) for grupo, restos in grupos.items()
        }
        assert informe.total.metricas.valor == {"COP": sum(horas)}


@pytest.mark.parametrize("por", [Dimension.INFLUENCER, Dimension.CUPON, Dimension.PAIS])
async def test_de_un_dia_partido_con_demasiados_eventos_no_se_mira_ninguno(
    cuentas: Cuentas, monkeypatch: pytest.MonkeyPatch, por: Dimension
) -> None:
    campaña = f"partida-{por}"
    medianoche = datetime(2025, 6, 10, tzinfo=UTC)
    # Cinco en lo que el día de Bogotá deja fuera del de UTC, y uno que ya está contado.
    suyos = [impresion(campaña_id=campaña, timestamp=medianoche + n * HORA) for n in range(6)]
    await asyncio.to_thread(cuentas.contar, suyos)
    intervalos = pedido_de_informe(campaña, {**UN_DIA_CUALQUIERA, "zona": "America/Bogota"}, AHORA).intervalos
    lectura = LecturaDeCuentasSQL(cuentas.lecturas, hechos())
    monkeypatch.setattr(modulo_de_lecturas, "SUELTOS_MAXIMOS", 5)
    assert [contada.cuenta.cuantos for contada in await lectura.contar(campaña, intervalos, [por], 10)] == [1]
    monkeypatch.setattr(modulo_de_lecturas, "SUELTOS_MAXIMOS", 4)
    with pytest.raises(DemasiadosSueltos) as demasiados:
        await lectura.contar(campaña, intervalos, [por], 10)
    assert demasiados.value.caben == 4
    with pytest.raises(DemasiadosSueltos):
        await lectura.mayores(campaña, intervalos[0], por, Orden(Criterio.CLICS), Bots.INCLUIR, 10)


@pytest.mark.parametrize("hechos_de", [(impresion,), (impresion, conversion)])
async def test_de_un_influencer_con_demasiados_eventos_en_sus_dias_partidos_no_se_suma_ninguno(
    cuentas: Cuentas, monkeypatch: pytest.MonkeyPatch, hechos_de: Sequence[Callable[..., EventoSeguido[Any]]]
) -> None:
    influencer = f"partido-{len(hechos_de)}"
    medianoche = datetime(2025, 6, 10, tzinfo=UTC)
    # Cinco en lo que el día de Bogotá deja fuera del de UTC, de varias campañas.
    suyos = [
        hechos_de[n % len(hechos_de)](
            campaña_id=f"{influencer}-{n % 3}", influencer_id=influencer, timestamp=medianoche + n * HORA
        )
        for n in range(6)
    ]
    await asyncio.to_thread(cuentas.contar, suyos)
    bogota = {**UN_DIA_CUALQUIERA, "zona": "America/Bogota"}
    intervalos = pedido_de_informe(influencer, bogota, AHORA, DE_INFLUENCER).intervalos
    lectura = cuentas.de_influencers()
    monkeypatch.setattr(modulo_de_lecturas_de_influencer, "SUELTOS_MAXIMOS", 5)
    assert [contada.cuenta.cuantos for contada in await lectura.contar(influencer, intervalos, [], 10)] == [1]
    monkeypatch.setattr(modulo_de_lecturas_de_influencer, "SUELTOS_MAXIMOS", 4)
    with pytest.raises(DemasiadosSueltos) as demasiados:
        await lectura.contar(influencer, intervalos, [], 10)
    assert demasiados.value.caben == 4


async def test_lo_que_pasa_de_lo_que_se_admite_no_se_trae(cuentas: Cuentas) -> None:
    campaña = "de-muchos"
    cuando = datetime(2025, 6, 10, 8, tzinfo=UTC)
    suyos = [impresion(campaña_id=campaña, influencer_id=f"inf-{n}", timestamp=cuando) for n in range(6)]
    await asyncio.to_thread(cuentas.contar, suyos)
    intervalos = pedido_de_informe(campaña, UN_DIA_CUALQUIERA, AHORA).intervalos
    lectura = LecturaDeCuentasSQL(cuentas.lecturas, hechos())
    por = [Dimension.INFLUENCER]
    assert len(await lectura.contar(campaña, intervalos, por, 6)) == 6
    with pytest.raises(DemasiadasCuentas):
        await lectura.contar(campaña, intervalos, por, 5)


async def test_quien_solo_tuvo_algo_fuera_del_intervalo_no_cuenta_aunque_se_lea_su_semana(
    cuentas: Cuentas,
) -> None:
    campaña = "del-lunes"
    lunes = datetime(2025, 6, 9, tzinfo=UTC)
    suyos = [impresion(campaña_id=campaña, influencer_id=f"inf-{n}", timestamp=lunes) for n in range(6)]
    suyos.append(impresion(campaña_id=campaña, influencer_id="inf-0", timestamp=lunes + DIA))
    await asyncio.to_thread(cuentas.contar, suyos)
    # La semana entera, menos el lunes.
    intervalos = [Intervalo(lunes + DIA, lunes + 7 * DIA)]
    hallado = await LecturaDeCuentasSQL(cuentas.lecturas, hechos()).contar(
        campaña, intervalos, [Dimension.INFLUENCER], 1
    )
    assert [(contada.influencer_id, contada.cuenta.cuantos) for contada in hallado] == [("inf-0", 1)]


@pytest.mark.parametrize("horas", [0, 5, 14.25])
@pytest.mark.parametrize(
    "por", [(), (Dimension.INFLUENCER,), (Dimension.CUPON, Dimension.INFLUENCER), (Dimension.RED,)]
)
async def test_lo_contado_es_lo_mismo_con_las_cuentas_que_con_los_eventos(
    cuentas: Cuentas, por: tuple[Dimension, ...], horas: float
) -> None:
    campaña = f"misma-{'-'.join(por)}-{horas}"
    desde = datetime(2025, 6, 10, tzinfo=UTC) + horas * HORA
    suyos = [
        replace(
            conversion(
                id=f"{n}", campaña_id=campaña, influencer_id=f"inf-{n % 2}", timestamp=desde + n * 5 * HORA
            ),
            lectura=Lectura(reglas="1", red="google") if n % 3 else None,
        )
        for n in range(12)
    ]
    await asyncio.to_thread(cuentas.contar, suyos)
    intervalos = [Intervalo(desde + n * DIA, desde + (n + 1) * DIA) for n in range(3)]
    hallado = await LecturaDeCuentasSQL(cuentas.lecturas, hechos()).contar(campaña, intervalos, por, 1_000)
    assert sorted(hallado, key=repr) == sorted(contar(suyos, campaña, intervalos, por), key=repr)


@pytest.mark.parametrize("por", [(), (Dimension.CAMPAÑA,), (Dimension.CUPON, Dimension.CAMPAÑA)])
async def test_lo_de_un_influencer_es_lo_mismo_con_las_cuentas_que_con_los_eventos(
    cuentas: Cuentas, por: tuple[Dimension, ...]
) -> None:
    influencer = f"mismo-{len(por)}"
    desde = datetime(2025, 6, 10, tzinfo=UTC)
    suyos = [
        conversion(
            id=f"{n}",
            # Cada semana, en otra campaña.
            campaña_id=f"{influencer}-{n // 5 % 2}",
            influencer_id=influencer,
            timestamp=desde + n * 30 * HORA,
        )
        for n in range(20)
    ]
    await asyncio.to_thread(cuentas.contar, suyos)
    # De un día, de una semana entera, de una menos un día y de una noche de domingo a lunes.
    intervalos = [
        Intervalo(desde + 5 * DIA + 21 * HORA, desde + 6 * DIA + 7 * HORA),
        Intervalo(desde, desde + DIA),
        Intervalo(desde + 6 * DIA, desde + 13 * DIA),
        Intervalo(desde + 14 * DIA, desde + 20 * DIA),
    ]
    lectura = cuentas.lectura(DE_INFLUENCER)
    hallado = await lectura.contar(influencer, intervalos, por, 1_000)
    esperado = contar(suyos, influencer, intervalos, por, "influencer_id")
    assert sorted(hallado, key=repr) == sorted(esperado, key=repr)
    with pytest.raises(DemasiadasCuentas):
        await lectura.contar(influencer, intervalos, por, len(esperado) - 1)


@pytest.mark.parametrize("granularidad", ["dia", "semana", "total"])
def test_los_usuarios_de_cada_fila_y_del_total_son_los_de_sus_eventos(
    cuentas: Cuentas, granularidad: str
) -> None:
    campaña = f"unicos-{granularidad}"
    lunes = datetime(2025, 6, 9, tzinfo=UTC)
    suyos: list[EventoSeguido[Any]] = [
        # Los mismos vuelven cada día, y uno de cada siete no dice quién es.
        impresion(
            id=f"{n}",
            campaña_id=campaña,
            usuario_id=f"usr-{n % 530}" if n % 7 else None,
            timestamp=lunes + n * timedelta(minutes=19),
        )
        for n in range(1_000)
    ]
    suyos += [conversion(id="c", campaña_id=campaña, usuario_id="usr-1", timestamp=lunes)]
    cuentas.contar(suyos)
    parametros = {"desde": "2025-06-08", "hasta": "2025-06-25", "granularidad": granularidad}
    parametros |= {"incluir": "usuarios_unicos", "comparar": "periodo_anterior"}
    pedido = pedido_de_informe(campaña, parametros, AHORA)
    informe = cuentas.informe(pedido)
    esperados = contar_usuarios(suyos, campaña, [*pedido.intervalos, pedido.periodo, *pedido.comparados])
    hallados = [fila.usuarios for fila in (*informe.filas, informe.total)]
    hallados += [fila.comparado.usuarios for fila in informe.filas if fila.comparado is not None]
    assert hallados == esperados
    assert informe.total.usuarios is not None
    assert not informe.total.usuarios.distintos.exacto


async def test_muchos_dias_de_muchos_fragmentos_se_leen_por_tandas(cuentas: Cuentas) -> None:
    primero = datetime(2020, 1, 1, tzinfo=UTC)
    dias = 130
    suyos = [
        impresion(
            id=f"{n}",
            campaña_id="larga",
            usuario_id=f"usr-{n % 100}",
            timestamp=primero + n % dias * DIA + n % 23 * HORA,
        )
        for n in range(3 * dias)
    ]
    eventos = [_clase(evento).evento(evento) for evento in suyos]
    for fragmento in range(3):
        trabajo = partial(_contar_en, fragmento, eventos[fragmento * dias : (fragmento + 1) * dias])
        await cuentas.libro.ejecutar(trabajo)
    intervalos = [Intervalo(primero + n * DIA, primero + (n + 1) * DIA) for n in range(-1, dias + 1)]
    todos = [*intervalos, Intervalo(primero - DIA, primero + dias * DIA), *intervalos[:3]]
    _, hallados = await LecturaDeCuentasSQL(cuentas.lecturas, hechos()).contar_con_usuarios(
        "larga", todos, 10**6
    )
    assert hallados == contar_usuarios(suyos, "larga", todos)


async def test_de_los_usuarios_que_otra_mano_cambio_se_dice_de_que_dia_son_y_nunca_una_cifra(
    cuentas: Cuentas,
) -> None:
    campaña, dia = "cambiada", datetime(2025, 6, 10, tzinfo=UTC)
    suyos = [impresion(campaña_id=campaña, timestamp=dia + n * DIA) for n in range(2)]
    await asyncio.to_thread(cuentas.contar, suyos)
    otra_mano = (
        update(usuarios_por_dia)
        .where(usuarios_por_dia.c.campana_id == campaña, usuarios_por_dia.c.dia == dia + DIA)
        .values(boceto=b"nada")
    )
    await cuentas.libro.ejecutar(lambda t: t._conexion.execute(otra_mano))  # noqa: SLF001 (nada más la tiene)
    pedido = pedido_de_informe(
        campaña, {"desde": "2025-06-09", "hasta": "2025-06-12", "incluir": "usuarios_unicos"}, AHORA
    )
    lectura = cuentas.de_campañas()
    with pytest.raises(UsuariosIlegibles) as ilegibles:
        await hacer_informe(lectura, pedido, lectura)
    assert (ilegibles.value.campaña_id, ilegibles.value.dia) == (campaña, dia + DIA)
    # Lo demás no depende de ellos.
    sin_ellos = await hacer_informe(lectura, replace(pedido, incluir=frozenset()), lectura)
    assert sin_ellos.total.metricas.impresiones == 2


def _contar_en(fragmento: int, eventos: Sequence[EventoDominio[Any]], transaccion: TransaccionSQL) -> None:
    CuentasSQL(transaccion._conexion, fragmento).aplicar(eventos)  # noqa: SLF001 (nada más la tiene)


async def test_por_ventas_por_clic_los_de_pocos_clics_van_detras_y_los_de_ninguno_los_ultimos(
    cuentas: Cuentas,
) -> None:
    comunes: dict[str, Any] = {
        "campaña_id": "pocos-clics",
        "timestamp": datetime(2025, 6, 10, 12, tzinfo=UTC),
    }
    clics = {"con-bastantes": CLICS_SUFICIENTES, "con-pocos": CLICS_SUFICIENTES - 1, "con-uno": 1}
    suyos: list[EventoSeguido[Any]] = [
        impresion(influencer_id=quien, tipo_evento="CLIC", **comunes)
        for quien, cuantos in clics.items()
        for _ in range(cuantos)
    ]
    suyos += [conversion(influencer_id=quien, **comunes) for quien in (*clics, "sin-clics")]
    await asyncio.to_thread(cuentas.contar, suyos)
    pedido = pedido_de_informe("pocos-clics", UN_DIA_CUALQUIERA, AHORA)
    orden = Orden(Criterio.VENTAS_POR_CLIC)
    hallado = await desglosar(cuentas.de_campañas(), pedido, Dimension.INFLUENCER, orden, 10)
    assert [fila.grupo[0] for fila in hallado.filas] == ["con-bastantes", "con-uno", "con-pocos", "sin-clics"]


async def test_los_que_empatan_van_por_sus_clics_y_despues_por_su_nombre(cuentas: Cuentas) -> None:
    comunes: dict[str, Any] = {"campaña_id": "empatan", "timestamp": datetime(2025, 6, 10, 12, tzinfo=UTC)}
    suyos = [
        impresion(influencer_id=quien, tipo_evento="CLIC", **comunes)
        for quien, cuantos in {"a": 1, "b": 1, "c": 2}.items()
        for _ in range(cuantos)
    ]
    await asyncio.to_thread(cuentas.contar, suyos)
    pedido = pedido_de_informe("empatan", UN_DIA_CUALQUIERA, AHORA)
    for orden in (
        Orden(Criterio.CONVERSIONES),
        Orden(Criterio.VALOR, "COP"),
        Orden(Criterio.VENTAS_POR_CLIC),
    ):
        hallado = await desglosar(cuentas.de_campañas(), pedido, Dimension.INFLUENCER, orden, 10)
        assert [fila.grupo[0] for fila in hallado.filas] == ["c", "a", "b"]


async def test_antes_de_que_haya_tablas_no_hay_nada_contado(tmp_path: Path) -> None:
    lecturas = LecturasSQLite(tmp_path)
    parametros = {**UN_DIA_CUALQUIERA, "incluir": "usuarios_unicos"}
    pedido = pedido_de_informe("cmp-456", parametros, AHORA)
    lectura = LecturaDeCuentasSQL(lecturas, hechos())
    informe = await hacer_informe(lectura, pedido, lectura)
    desglose = await desglosar(lectura, pedido, Dimension.INFLUENCER, Orden(Criterio.CLICS), 10)
    lecturas.cerrar()
    assert (len(informe.filas), informe.total.metricas.impresiones) == (1, 0)
    assert (desglose.filas, desglose.cuantas, desglose.total) == ([], 0, informe.total.metricas)
    assert informe.total.usuarios == Usuarios()


async def test_en_un_postgresql_sin_tablas_tampoco(servidor_postgresql: ServidorDePrueba) -> None:
    lecturas = LecturasPostgreSQL(servidor_postgresql.base_vacia(), limite=SIN_PRISA)
    visto: list[Connection | None] = []
    await lecturas.en_transaccion(visto.append)
    lecturas.cerrar()
    assert visto == [None]
