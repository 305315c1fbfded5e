"""Meta k: lo que tarda un informe con diez mil, un millón y diez millones de eventos de una campaña.

Qué es: informes por HTTP de una campaña de mil influencers y trescientos mil usuarios que duró noventa días,
sobre bases de datos iguales menos en su tamaño, cada una con su API, por turnos y por una sola conexión; y,
con un millón, el mismo día a día contado por el informe y por un `SELECT … GROUP BY` sobre las filas, que ha
de dar lo mismo.
Qué no es: lo que cuesta contar al consumidor, que lo mide `cuentas.py`.
Por qué existe: un informe que depende de cuántos eventos hay acaba sin responder, y se nota tarde.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import repeat
from statistics import median, quantiles
from typing import Any, Final, TypeVar

from sqlalchemy import TextClause, text

from alpespartners.medicion.base_postgresql import base_postgresql
from alpespartners.medicion.carga import a_tope, correr
from alpespartners.medicion.medida import Medida
from alpespartners.medicion.montaje import Proceso, montaje, parando, pedir
from alpespartners.medicion.nucleos import en_el_de_la_carga, en_el_de_los_servidores
from alpespartners.medicion.programa import POSTGRESQL, Opcion, ejecutar
from alpespartners.modulos.informes.aplicacion.pedido import en_miles
from alpespartners.modulos.tracking.infraestructura.motores.base_datos import LecturasDelLibro
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.lecturas import LecturasPostgreSQL
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.lecturas import LecturasSQLite
from rendimiento.llenado import Reparto, llenar_postgresql, llenar_sqlite, recontar

T = TypeVar("T")

_Dia = tuple[int, int, Decimal]
"""Cuántas impresiones de todo tipo, cuántas conversiones y su importe."""

_DIAS: Final = 90
_INFLUENCERS: Final = 1_000
_USUARIOS: Final = 300_000
_POCOS, _MUCHOS, _LLENA = 10_000, 1_000_000, 10_000_000
_RUTA: Final = "/tracking/campanas/cmp-0/informe"
_MES: Final = "desde=2026-02-01&hasta=2026-03-03"
_INFORMES: Final = {
    "30 días, uno a uno": f"{_MES}&granularidad=dia",
    "30 días de Bogotá, uno a uno, por tipo": f"{_MES}&granularidad=dia&zona=America/Bogota&por=tipo",
    "30 días, en total, por influencer": f"{_MES}&granularidad=total&por=influencer_id",
    "Una semana de Katmandú, hora a hora": (
        "desde=2026-02-01&hasta=2026-02-08&granularidad=hora&zona=Asia/Kathmandu"
    ),
    "90 días, uno a uno, con sus usuarios únicos": (
        "desde=2026-01-01&hasta=2026-04-01&granularidad=dia&incluir=usuarios_unicos"
    ),
    "90 días de Madrid, por meses": ("desde=2026-01-01&hasta=2026-04-01&granularidad=mes&zona=Europe/Madrid"),
}
_DIA_A_DIA: Final = "desde=2026-01-01&hasta=2026-04-01&granularidad=dia"
_CENTIL: Final = 94
_MONEDA: Final = "USD"
_DECIMALES: Final = 4
_LIMITE: Final = 600.0
_MILISEGUNDOS: Final = 1e3


@dataclass(frozen=True, slots=True)
class _Llena:
    """Una base de datos con tantos eventos, y su API."""

    eventos: int
    api: Proceso
    lecturas: LecturasDelLibro


def medir(*, breve: bool, eventos: int | None = None, postgresql: str | None = None) -> Sequence[Medida]:
    """Devuelve las filas de la meta k que dicen lo que tarda un informe.

    Args:
        breve: unos segundos, y pocos eventos.
        eventos: los de la base de datos más llena.
        postgresql: URL de un servidor donde crear y borrar bases de datos; si falta, SQLite.
    """
    tamaños = (1_000, 20_000) if breve else (_POCOS, _MUCHOS, eventos or _LLENA)
    vueltas, segundos = (2, 0.1) if breve else (20, 0.5)
    motor = "SQLite" if postgresql is None else "PostgreSQL"
    with ExitStack() as pila:
        llenas = [pila.enter_context(_llena(tamaño, postgresql)) for tamaño in tamaños]
        pila.enter_context(en_el_de_la_carga())
        medidas = [
            _fila(f"{nombre}, con {motor}", llenas, _demoras(llenas, parametros, vueltas, segundos))
            for nombre, parametros in _INFORMES.items()
        ]
        return [*medidas, _frente_a_las_filas(motor, llenas[1], vueltas)]


def _fila(nombre: str, llenas: Sequence[_Llena], demoras: Sequence[Sequence[float]]) -> Medida:
    *menores, mayor = (
        (llena.eventos, quantiles(suyas, n=100)[_CENTIL] * _MILISEGUNDOS)
        for llena, suyas in zip(llenas, demoras, strict=True)
    )
    return Medida(
        meta="k",
        nombre=f"{nombre}, percentil 95",
        medido=f"con {en_miles(mayor[0])} eventos",
        techo=", ".join(f"{suya:.1f} ms con {en_miles(eventos)}" for eventos, suya in menores),
        cifra=mayor[1],
        objetivo=50,
        unidad="ms",
    )


def _demoras(
    llenas: Sequence[_Llena], parametros: str, vueltas: int, segundos: float
) -> Sequence[list[float]]:
    """Lo que tardó ese informe en cada una, por turnos y tras pedirlo una vez."""
    demoras: list[list[float]] = [[] for _ in llenas]
    for vuelta in range(vueltas + 1):
        for llena, suyas in zip(llenas, demoras, strict=True):
            peticion = f"GET {_RUTA}?{parametros} HTTP/1.1\r\nHost: 127.0.0.1:{llena.api.puerto}\r\n\r\n"
            fabrica = repeat(peticion.encode()).__next__
            resultado = correr(a_tope(llena.api.puerto, fabrica, segundos, conexiones=1))
            resultado.exigir(200)
            if vuelta:
                suyas.extend(resultado.demoras)
    return demoras


def _frente_a_las_filas(motor: str, llena: _Llena, vueltas: int) -> Medida:
    """Lo que tardan el informe y contar las filas, que han de decir lo mismo.

    Raises:
        RuntimeError: no dicen lo mismo.
    """

    def informe() -> dict[str, _Dia]:
        filas = pedir(llena.api.puerto, f"{_RUTA}?{_DIA_A_DIA}")["filas"]
        return {fila["desde"][:10]: _dia_del_informe(fila) for fila in filas}

    def filas() -> dict[str, _Dia]:
        with en_el_de_los_servidores():
            contadas = llena.lecturas.leer_libro(lambda conexion: conexion.execute(_contar(motor)).all())
        return {
            str(dia): (vistas, ventas, Decimal(importe).scaleb(-_DECIMALES))
            for dia, vistas, ventas, importe in contadas
        }

    hechos = [(*_cronometrar(informe), *_cronometrar(filas)) for _ in range(vueltas)]
    if any(del_informe != de_las_filas for _, del_informe, _, de_las_filas in hechos):
        raise RuntimeError("el informe y las filas no dicen lo mismo")
    por_informe = median(segundos for segundos, *_ in hechos)
    por_filas = median(segundos for _, _, segundos, _ in hechos)
    return Medida(
        meta="k",
        nombre=f"90 días, uno a uno, y lo mismo contando {en_miles(llena.eventos)} filas, con {motor}",
        medido=f"{por_informe * _MILISEGUNDOS:.1f} ms",
        techo=f"{por_filas * _MILISEGUNDOS:.0f} ms SELECT … GROUP BY",
        cifra=por_informe / por_filas,
    )


def _dia_del_informe(fila: Mapping[str, Any]) -> _Dia:
    vistas = fila["impresiones"] + fila["clics"] + fila["visualizaciones"]
    return vistas, sum(fila["conversiones"].values()), Decimal(fila["valor"].get(_MONEDA, 0))


def _contar(motor: str) -> TextClause:
    """Impresiones, conversiones y diezmilésimas de cada día en que hubo alguna impresión, de las filas."""
    if motor == "SQLite":
        dia, importe = "date(ocurrido_en / 1000000, 'unixepoch')", "sum(valor)"
    else:
        dia, importe = "CAST(ocurrido_en AT TIME ZONE 'UTC' AS date)", "sum(valor) * 10000"
    return text(
        "SELECT dia, vistas, coalesce(ventas, 0), coalesce(importe, 0)"  # noqa: S608 (todo es de aquí)
        f" FROM (SELECT {dia} AS dia, count(*) AS vistas FROM impresiones"
        "  WHERE campana_id = 'cmp-0' GROUP BY 1) AS de_impresiones"
        f" LEFT JOIN (SELECT {dia} AS dia, count(*) AS ventas, {importe} AS importe FROM conversiones"
        "  WHERE campana_id = 'cmp-0' GROUP BY 1) AS de_conversiones USING (dia)"
    )


def _cronometrar(trabajo: Callable[[], T]) -> tuple[float, T]:
    comienzo = time.perf_counter()
    hecho = trabajo()
    return time.perf_counter() - comienzo, hecho


@contextmanager
def _llena(eventos: int, postgresql: str | None) -> Iterator[_Llena]:
    """Una base de datos con tantos eventos, contados, y su API."""
    reparto = Reparto(
        eventos=eventos,
        influencers=_INFLUENCERS,
        usuarios=_USUARIOS,
        cada=timedelta(days=_DIAS) / eventos,
        con_conversiones=True,
    )
    with ExitStack() as pila:
        ajustes = {}
        if postgresql is not None:
            ajustes["ALPES_BASE_DATOS"] = pila.enter_context(base_postgresql(postgresql))
            llenar_postgresql(ajustes["ALPES_BASE_DATOS"], reparto)
        servicio = pila.enter_context(montaje(**ajustes))
        if postgresql is None:
            llenar_sqlite(servicio.datos, reparto)
        recontar({"ALPES_DATOS": str(servicio.datos), **ajustes})
        with en_el_de_los_servidores():
            api = servicio.api()
        pila.enter_context(parando(api))
        lecturas: LecturasDelLibro = (
            LecturasSQLite(servicio.datos)
            if postgresql is None
            else LecturasPostgreSQL(ajustes["ALPES_BASE_DATOS"], limite=_LIMITE)
        )
        pila.callback(lecturas.cerrar)
        yield _Llena(eventos, api, lecturas)


if __name__ == "__main__":
    ejecutar(
        "Lo que tarda un informe al crecer el libro.",
        medir,
        Opcion("eventos", "los de la base de datos más llena; por omisión, diez millones", int),
        POSTGRESQL,
    )
