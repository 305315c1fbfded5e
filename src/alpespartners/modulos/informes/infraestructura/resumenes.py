"""Las páginas de campañas y de influencers, en SQL.

Qué es: qué identidades hay, cuánto suma cada una y cuál fue su último evento, todo de una instantánea; y el
ritmo de las campañas de una página, de una vez.
Qué no es: qué página se pide, ni quién abre la transacción.
Por qué existe: una página se lee según lo que trae y no según lo que hay. Las identidades se buscan de una en
una, cada una detrás de la anterior, por un índice: `DISTINCT` recorrería la tabla entera. De una campaña se
suman sus días, y de un influencer, sus semanas. El último evento no está en las cuentas: lo da la última fila
de cada campaña (y, si es el caso, de ese influencer en ella), también por su índice.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Table,
    func,
    literal,
    select,
)

from alpespartners.modulos.informes.aplicacion.puertos import Pagina, Resumen
from alpespartners.modulos.informes.aplicacion.ritmo import Ritmo, ritmo_de
from alpespartners.modulos.informes.dominio.cuenta import Cuenta
from alpespartners.modulos.informes.dominio.intervalos import Intervalo
from alpespartners.modulos.informes.dominio.metricas import Clave, metricas
from alpespartners.modulos.informes.infraestructura.tablas import (
    SUMADAS,
    cuentas_por_dia,
    cuentas_por_semana,
)
from alpespartners.modulos.informes.infraestructura.turnos import LibroQueSeLee
from alpespartners.seedwork.prefijos import fin_del_prefijo
from alpespartners.seedwork.sql.relaciones import Columnas, parametros, relacion
from alpespartners.seedwork.sql.sentencias import en_tandas, entre_las_claves, motor_de
from alpespartners.seedwork.sql.tipos import TEXTO

_VACIA: Final = Pagina((), None)
_LUGARES: Final = "lugares"
_A_LA_VEZ: Final = 50
"""De cuántas identidades se tienen a la vez los lugares: un influencer puede estar en miles de campañas."""


class _Que(NamedTuple):
    """Qué se lista: con qué tabla, y qué columnas dicen de quién es un evento; la primera es la identidad."""

    tabla: Table
    columnas: tuple[str, ...]

    @property
    def identidad(self) -> ColumnElement[str]:
        return self.tabla.c[self.columnas[0]]


_CAMPAÑAS: Final = _Que(cuentas_por_dia, ("campana_id",))
_INFLUENCERS: Final = _Que(cuentas_por_semana, ("influencer_id", "campana_id"))

_Lugar = tuple[str, ...]
"""Los valores de sus columnas: una campaña, o un influencer en una campaña."""


class ResumenesSQL:
    """Los resúmenes en SQL; cumple `LecturaDeResumenes`.

    Args:
        libro: de donde se lee.
        hechos: las consultas de las que salen las filas, todas con las mismas columnas.
    """

    def __init__(self, libro: LibroQueSeLee, hechos: Sequence[Select[Any]]) -> None:
        self._libro = libro
        self._hechos: list[FromClause] = [consulta.subquery() for consulta in hechos]

    async def campañas(self, prefijo: str, despues_de: str | None, limite: int) -> Pagina:
        """Devuelve hasta `limite` campañas que empiezan así, por puntos de código."""
        return await self._listar(_CAMPAÑAS, prefijo, despues_de, limite)

    async def influencers(self, prefijo: str, despues_de: str | None, limite: int) -> Pagina:
        """Lo mismo, de los influencers."""
        return await self._listar(_INFLUENCERS, prefijo, despues_de, limite)

    async def ritmos(self, campañas: Collection[str], periodo: Intervalo) -> Mapping[str, Ritmo]:
        """Devuelve el de cada una de esas campañas en ese periodo, que son días enteros de UTC."""
        por_dia: dict[str, dict[datetime, int]] = {campaña: {} for campaña in campañas}

        def trabajo(conexion: Connection | None) -> None:
            if conexion is None:
                return
            consulta = _por_dia(motor_de(conexion), periodo)
            for tanda in en_tandas(conexion, campañas):
                for campaña, dia, cuantos in conexion.execute(consulta, tanda):
                    por_dia[campaña][dia] = int(cuantos)

        await self._libro.en_transaccion(trabajo)
        return {campaña: ritmo_de(suyos, periodo) for campaña, suyos in por_dia.items()}

    async def _listar(self, que: _Que, prefijo: str, despues_de: str | None, limite: int) -> Pagina:
        def trabajo(conexion: Connection | None) -> Pagina:
            if conexion is None:
                return _VACIA
            halladas = conexion.scalars(_identidades(que, prefijo, despues_de, limite + 1)).all()
            suyas = halladas[:limite]
            resumenes: list[Resumen] = []
            for inicio in range(0, len(suyas), _A_LA_VEZ):
                contadas = _contadas(conexion, que, suyas[inicio : inicio + _A_LA_VEZ])
                ultimos = self._ultimos(conexion, que, list(contadas))
                resumenes += _resumenes(contadas, ultimos)
            return Pagina(resumenes, None if len(halladas) <= limite else suyas[-1])

        return await self._libro.en_transaccion(trabajo)

    def _ultimos(
        self, conexion: Connection, que: _Que, lugares: Sequence[_Lugar]
    ) -> dict[_Lugar, datetime | None]:
        """El `ocurrido_en` de la última fila de cada lugar."""
        columnas: Columnas = dict.fromkeys(que.columnas, TEXTO)
        suyos = relacion(motor_de(conexion), _LUGARES, columnas)
        de_cada_clase = [
            select(hechos.c.ocurrido_en)
            .where(*(hechos.c[nombre] == suyos.c[nombre] for nombre in que.columnas))
            .order_by(hechos.c.ocurrido_en.desc())
            .limit(1)
            .correlate(suyos)
            .scalar_subquery()
            for hechos in self._hechos
        ]
        consulta = select(*(suyos.c[nombre] for nombre in que.columnas), *de_cada_clase)
        cuantas = len(que.columnas)
        return {
            tuple(fila[:cuantas]): max((cuando for cuando in fila[cuantas:] if cuando), default=None)
            for fila in conexion.execute(consulta, parametros(conexion, _LUGARES, columnas, lugares))
        }


def _identidades(que: _Que, prefijo: str, despues_de: str | None, cuantas: int) -> Select[Any]:
    """Las primeras que empiezan así, por su orden."""
    identidad = que.identidad
    fin = fin_del_prefijo(prefijo)
    antes_del_fin = [] if fin is None else [identidad < literal(fin, TEXTO)]

    def primera(condicion: ColumnElement[bool]) -> Select[Any]:
        return select(identidad).where(condicion, *antes_del_fin).order_by(identidad).limit(1)

    # Un solo comienzo: con dos, el motor puede buscar por el menor y recorrer hasta el otro. Lo vacío, que es
    # lo que no tiene influencer, no se lista.
    if despues_de is not None or not prefijo:
        comienzo = identidad > literal(despues_de or "", TEXTO)
    else:
        comienzo = identidad >= literal(prefijo, TEXTO)
    halladas = select(
        primera(comienzo).scalar_subquery().label("identidad"), literal(1).label("cuantas")
    ).cte("halladas", recursive=True)
    siguiente = primera(identidad > halladas.c.identidad).correlate(halladas).scalar_subquery()
    halladas = halladas.union_all(
        select(siguiente, halladas.c.cuantas + 1).where(
            halladas.c.identidad.is_not(None), halladas.c.cuantas < cuantas
        )
    )
    return select(halladas.c.identidad).where(halladas.c.identidad.is_not(None)).order_by(halladas.c.cuantas)


def _por_dia(motor: str, periodo: Intervalo) -> Select[Any]:
    """Los eventos de cada una de esas campañas y cada día suyo."""
    tabla = cuentas_por_dia.c
    return (
        select(tabla.campana_id, tabla.dia, func.sum(tabla.cuantos))
        .where(
            entre_las_claves(motor, tabla.campana_id), tabla.dia >= periodo.desde, tabla.dia < periodo.hasta
        )
        .group_by(tabla.campana_id, tabla.dia)
    )


def _contadas(
    conexion: Connection, que: _Que, identidades: Sequence[str]
) -> dict[_Lugar, dict[Clave, Cuenta]]:
    """Lo que suma cada lugar de esas identidades, por tipo, clase y moneda; lo que suma cero no está."""
    tabla = que.tabla
    claves = [tabla.c[nombre] for nombre in (*que.columnas, "tipo", "clase", "moneda")]
    sumas = [func.sum(tabla.c[suma]) for suma in SUMADAS]
    consulta = (
        select(*claves, *sumas)
        .where(entre_las_claves(motor_de(conexion), que.identidad))
        .group_by(*claves)
        .having(sumas[0] != 0)
    )
    contadas: defaultdict[_Lugar, dict[Clave, Cuenta]] = defaultdict(dict)
    for tanda in en_tandas(conexion, identidades):
        for *lugar, tipo, clase, moneda, cuantos, alto, bajo in conexion.execute(consulta, tanda):
            contadas[tuple(lugar)][tipo, clase, moneda] = Cuenta.de_partes(int(cuantos), int(alto), int(bajo))
    return contadas


def _resumenes(
    contadas: Mapping[_Lugar, Mapping[Clave, Cuenta]],
    ultimos: Mapping[_Lugar, datetime | None],
) -> list[Resumen]:
    """El de cada identidad, por su orden: lo de todos sus lugares juntos."""
    lugares: defaultdict[str, list[_Lugar]] = defaultdict(list)
    for lugar in contadas:
        lugares[lugar[0]].append(lugar)
    resumenes = []
    for identidad, suyos in sorted(lugares.items()):
        juntas: defaultdict[Clave, Cuenta] = defaultdict(Cuenta)
        for lugar in suyos:
            for clave, cuenta in contadas[lugar].items():
                juntas[clave] += cuenta
        cuandos = [cuando for cuando in map(ultimos.get, suyos) if cuando is not None]
        resumenes.append(Resumen(identidad, len(suyos), metricas(juntas), max(cuandos, default=None)))
    return resumenes
