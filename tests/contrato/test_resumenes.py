"""Las páginas de campañas y de influencers son lo que da contar las filas una a una, en los dos motores."""

import asyncio
from collections.abc import Coroutine, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from alpespartners.modulos.informes.aplicacion.puertos import Pagina
from alpespartners.modulos.informes.aplicacion.ritmo import DIAS_DEL_RITMO, Ritmo, ultimos_dias
from alpespartners.modulos.informes.dominio.intervalos import UN_DIA, Intervalo
from alpespartners.modulos.informes.infraestructura.resumenes import ResumenesSQL
from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.consultas.cursores import MICROSEGUNDO
from alpespartners.modulos.tracking.aplicacion.puertos import Transaccion
from alpespartners.modulos.tracking.dominio.entidades import Conversion, EventoSeguido
from alpespartners.modulos.tracking.infraestructura.libro.hechos import hechos
from alpespartners.modulos.tracking.infraestructura.motores.base_datos import LecturasDelLibro, Libro
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.lecturas import LecturasSQLite
from tests.apoyo.cuentas_en_memoria import resumir, ritmos
from tests.apoyo.eventos import AHORA, conversion, impresion
from tests.apoyo.libro_contado import contado_en_postgresql, contado_en_sqlite
from tests.apoyo.postgresql import ServidorDePrueba
from tests.apoyo.procedencias import LECTURAS_QUE_SE_CUENTAN, lectura_contable

T = TypeVar("T")
Eventos = Sequence[EventoSeguido[Any]]

DE = ("campaña_id", "influencer_id")


@dataclass
class Resumenes:
    """Un adaptador bajo prueba; cada prueba usa nombres que empiezan por lo suyo, y todas la misma base."""

    libro: Libro
    lecturas: LecturasDelLibro
    numeros: "count[int]" = field(default_factory=lambda: count(1))

    def registrar(self, eventos: Eventos) -> None:
        """Los guarda y los cuenta de dos en dos: muchas transacciones suman en las mismas filas."""
        for inicio in range(0, len(eventos), 2):
            _esperar(self.libro.ejecutar(partial(_registrar, eventos[inicio : inicio + 2])))

    def pagina(self, de: str, prefijo: str, despues_de: str | None = None, limite: int = 100) -> Pagina:
        lectura = ResumenesSQL(self.lecturas, hechos())
        listar = lectura.campañas if de == "campaña_id" else lectura.influencers
        return _esperar(listar(prefijo, despues_de, limite))

    def ritmos(self, campañas: Sequence[str], periodo: Intervalo) -> Mapping[str, Ritmo]:
        return _esperar(ResumenesSQL(self.lecturas, hechos()).ritmos(campañas, periodo))

    def otro_nombre(self) -> str:
        return f"n{next(self.numeros):06}-"


def _registrar(eventos: Eventos, transaccion: Transaccion) -> None:
    for evento in eventos:
        clase: clases.Clase = clases.CONVERSIONES if isinstance(evento, Conversion) else clases.IMPRESIONES
        transaccion.eventos(clase).agregar([evento])
        transaccion.proyeccion.aplicar([clase.evento(evento)])


def _esperar(corrutina: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(corrutina)


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Generator[Resumenes]:
    with contado_en_sqlite(tmp_path_factory.mktemp("resumenes")) as suyos:
        yield Resumenes(*suyos)


@pytest.fixture(scope="module")
def postgresql(servidor_postgresql: ServidorDePrueba) -> Generator[Resumenes]:
    with contado_en_postgresql(servidor_postgresql) as suyos:
        yield Resumenes(*suyos)


@pytest.fixture(params=["sqlite", "postgresql"])
def resumenes(request: pytest.FixtureRequest) -> Resumenes:
    adaptador: Resumenes = request.getfixturevalue(request.param)
    return adaptador


# Unos empiezan por otros, y llevan lo que un patrón, un orden o un borde podría confundir.
_nombres = st.sampled_from(
    ["a", "a%", "a_", "ab", "aB", "añ", "a\ud7ff", "a\ue000", "a\U0010ffff", "🛒", "z"]
)


def _eventos() -> st.SearchStrategy[EventoSeguido[Any]]:
    return st.builds(
        lambda evento, cual: replace(evento, lectura=lectura_contable(evento.contenido, cual)),
        _sin_leer(),
        st.integers(0, len(LECTURAS_QUE_SE_CUENTAN) - 1),
    )


@st.composite
def _sin_leer(sortear: st.DrawFn) -> EventoSeguido[Any]:
    comunes: dict[str, Any] = {
        "campaña_id": sortear(_nombres),
        "influencer_id": sortear(st.none() | _nombres),
        "timestamp": AHORA - sortear(st.timedeltas(timedelta(0), timedelta(days=20))),
    }
    if sortear(st.booleans()):
        return impresion(tipo_evento=sortear(st.sampled_from(["IMPRESION", "CLIC"])), **comunes)
    valor, moneda = sortear(
        st.sampled_from([("99999999999999.99", "COP"), ("0.0001", "CLF"), ("500", "JPY"), (None, None)])
    )
    return conversion(
        tipo_conversion="VENTA" if valor else "REGISTRO",
        valor=None if valor is None else Decimal(valor),
        moneda=moneda,
        cupon=sortear(st.sampled_from([None, "VERANO"])),
        **comunes,
    )


@st.composite
def _casos(sortear: st.DrawFn) -> tuple[Eventos, str, str, int]:
    prefijo = sortear(st.just("") | _nombres)
    return (
        sortear(st.lists(_eventos(), max_size=20)),
        sortear(st.sampled_from(DE)),
        prefijo,
        sortear(st.integers(1, 4)),
    )


@settings(max_examples=60, deadline=None)
@given(caso=_casos())
def test_recorrer_la_lista_da_lo_que_da_contar_los_eventos(
    sqlite: Resumenes, caso: tuple[Eventos, str, str, int]
) -> None:
    _comprobar(sqlite, *caso)


@settings(max_examples=25, deadline=None)
@given(caso=_casos())
def test_en_postgresql_recorrer_la_lista_tambien_da_lo_que_da_contar_los_eventos(
    postgresql: Resumenes, caso: tuple[Eventos, str, str, int]
) -> None:
    _comprobar(postgresql, *caso)


def _comprobar(resumenes: Resumenes, sucesos: Eventos, de: str, prefijo: str, limite: int) -> None:
    propio = resumenes.otro_nombre()
    suyos = [_con_nombre(evento, propio, numero) for numero, evento in enumerate(sucesos)]
    resumenes.registrar(suyos)
    despues_de: str | None = None
    while True:
        pagina = resumenes.pagina(de, propio + prefijo, despues_de, limite)
        assert pagina == resumir(suyos, de, propio + prefijo, despues_de, limite)
        if pagina.siguiente is None:
            return
        despues_de = pagina.siguiente


def _con_nombre(evento: EventoSeguido[Any], propio: str, numero: int) -> EventoSeguido[Any]:
    """El mismo, en una campaña y de un influencer que no son de otro caso."""
    contenido = evento.contenido
    influencer = contenido.influencer_id
    return replace(
        evento,
        contenido=replace(
            contenido,
            id=f"{propio}{numero}",
            campaña_id=propio + contenido.campaña_id,
            influencer_id=None if influencer is None else propio + influencer,
        ),
    )


def _de(campaña_id: str, de: str, identidad: str) -> dict[str, Any]:
    return {"campaña_id": campaña_id, de: identidad}


@pytest.mark.parametrize("de", DE)
def test_recorrer_la_lista_mientras_llegan_eventos_no_repite_ni_se_salta_ninguna(
    resumenes: Resumenes, de: str
) -> None:
    propio = resumenes.otro_nombre()

    def de_otros(nombres: Sequence[str]) -> Eventos:
        return [impresion(id=f"{propio}{nombre}", **_de(propio, de, propio + nombre)) for nombre in nombres]

    iniciales = [f"{n:02}" for n in range(0, 20, 2)]
    resumenes.registrar(de_otros(iniciales))
    vistas: list[str] = []
    despues_de: str | None = None
    while True:
        pagina = resumenes.pagina(de, propio, despues_de, 3)
        vistas += [resumen.identidad for resumen in pagina.elementos]
        if pagina.siguiente is None:
            break
        despues_de = pagina.siguiente
        # Por delante, por detrás y en medio de lo que se recorre.
        resumenes.registrar(de_otros([f"{n:02}.{len(vistas)}" for n in range(1, 20, 6)]))
    assert vistas == sorted(set(vistas))
    assert {propio + nombre for nombre in iniciales} <= set(vistas)


@pytest.mark.parametrize("de", DE)
def test_lo_que_recontar_dejo_en_cero_se_mira_y_no_se_da(resumenes: Resumenes, de: str) -> None:
    propio = resumenes.otro_nombre()
    resumenes.registrar([impresion(id=f"{propio}{n}", **_de(propio, de, f"{propio}{n}")) for n in range(3)])
    columna = "campana_id" if de == "campaña_id" else "influencer_id"

    def anular(conexion: Connection) -> None:
        for tabla in ("cuentas_por_dia", "cuentas_por_semana"):
            if columna == "campana_id" or tabla == "cuentas_por_semana":
                conexion.execute(
                    text(f"UPDATE {tabla} SET cuantos = 0 WHERE {columna} = :cual"),  # noqa: S608 (son suyos)
                    {"cual": f"{propio}1"},
                )

    _esperar(resumenes.libro._ejecutar(anular))  # noqa: SLF001 (otra mano)
    pagina = resumenes.pagina(de, propio, None, 2)
    assert ([resumen.identidad for resumen in pagina.elementos], pagina.siguiente) == (
        [f"{propio}0"],
        f"{propio}1",
    )
    assert [r.identidad for r in resumenes.pagina(de, propio, pagina.siguiente).elementos] == [f"{propio}2"]


def test_de_lo_contado_cuyas_filas_borro_otra_mano_no_se_sabe_el_ultimo_evento(resumenes: Resumenes) -> None:
    propio = resumenes.otro_nombre()
    resumenes.registrar([impresion(id=propio, campaña_id=propio)])

    def borrar(conexion: Connection) -> None:
        conexion.execute(text("DELETE FROM impresiones WHERE id = :cual"), {"cual": propio})

    _esperar(resumenes.libro._ejecutar(borrar))  # noqa: SLF001 (otra mano)
    (resumen,) = resumenes.pagina("campaña_id", propio).elementos
    assert (resumen.recuento.impresiones, resumen.ultimo_evento) == (1, None)


def test_el_ultimo_evento_es_el_de_la_clase_y_la_campaña_en_que_fue_lo_ultimo(resumenes: Resumenes) -> None:
    propio = resumenes.otro_nombre()
    cuando: list[datetime] = [AHORA - timedelta(days=dias, microseconds=1) for dias in (3, 1, 2)]
    comunes: dict[str, Any] = {"influencer_id": propio}
    resumenes.registrar(
        [
            impresion(id=f"{propio}1", campaña_id=f"{propio}a", timestamp=cuando[0], **comunes),
            conversion(id=f"{propio}2", campaña_id=f"{propio}a", timestamp=cuando[1], **comunes),
            impresion(id=f"{propio}3", campaña_id=f"{propio}b", timestamp=cuando[2], **comunes),
        ]
    )
    (suyo,) = resumenes.pagina("influencer_id", propio).elementos
    assert (suyo.campañas, suyo.ultimo_evento) == (2, cuando[1])
    de_cada_una = resumenes.pagina("campaña_id", propio).elementos
    assert [resumen.ultimo_evento for resumen in de_cada_una] == [cuando[1], cuando[2]]


def test_de_una_pagina_de_muchos_no_se_tienen_a_la_vez_los_lugares_de_todos(
    resumenes: Resumenes, monkeypatch: pytest.MonkeyPatch
) -> None:
    propio = resumenes.otro_nombre()
    suyos = [
        impresion(id=f"{propio}{n}", campaña_id=f"{propio}{n % 3}", influencer_id=f"{propio}{n // 3:03}")
        for n in range(3 * 120)
    ]
    resumenes.registrar(suyos)
    a_la_vez: list[int] = []
    de_verdad = ResumenesSQL._ultimos  # noqa: SLF001 (por él pasan todos los lugares)

    def ultimos(de: ResumenesSQL, conexion: Connection, que: Any, lugares: Sequence[Any]) -> Any:
        a_la_vez.append(len(lugares))
        return de_verdad(de, conexion, que, lugares)

    monkeypatch.setattr(ResumenesSQL, "_ultimos", ultimos)
    pagina = resumenes.pagina("influencer_id", propio, None, 110)
    assert pagina == resumir(suyos, "influencer_id", propio, None, 110)
    assert (sum(a_la_vez), max(a_la_vez)) == (3 * 110, 3 * 50)


def test_el_ritmo_de_unas_campañas_es_lo_que_da_contar_los_eventos_de_cada_dia(resumenes: Resumenes) -> None:
    propio = resumenes.otro_nombre()
    # El de la víspera: lo que ocurrirá se cuenta cuando se recibió.
    periodo = ultimos_dias(AHORA - UN_DIA)
    bordes = [periodo.desde - MICROSEGUNDO, periodo.desde, periodo.hasta - MICROSEGUNDO, periodo.hasta]
    sucesos: list[EventoSeguido[Any]] = [
        impresion(id=f"{propio}{n}", campaña_id=f"{propio}{n % 2}", timestamp=cuando)
        for n, cuando in enumerate(bordes * 3)
    ]
    sucesos.append(conversion(id=propio, campaña_id=f"{propio}0", timestamp=periodo.desde))
    sucesos.append(impresion(id=f"{propio}-", campaña_id=f"{propio}de otra", timestamp=periodo.desde))
    resumenes.registrar(sucesos)
    campañas = [f"{propio}{nombre}" for nombre in (*"01", "sin nada")]
    assert resumenes.ritmos(campañas, periodo) == ritmos(sucesos, campañas, periodo)
    assert [ritmo.total for ritmo in resumenes.ritmos(campañas, periodo).values()] == [4, 3, 0]
    assert resumenes.ritmos([], periodo) == {}


async def test_antes_de_que_haya_tablas_no_hay_ninguna(tmp_path: Path) -> None:
    lecturas = LecturasSQLite(tmp_path)
    lectura = ResumenesSQL(lecturas, hechos())
    paginas = [await lectura.campañas("", None, 10), await lectura.influencers("a", None, 10)]
    ritmo = await lectura.ritmos(["a"], ultimos_dias(AHORA))
    lecturas.cerrar()
    assert [(pagina.elementos, pagina.siguiente) for pagina in paginas] == [((), None)] * 2
    assert ritmo == {"a": Ritmo([0] * DIAS_DEL_RITMO)}
