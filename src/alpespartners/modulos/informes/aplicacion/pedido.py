"""Lo que se pide de un informe: de los parámetros, como llegan, a los intervalos que hay que contar.

Qué es: qué se admite en cada parámetro, qué vale cuando falta y hasta dónde se responde.
Qué no es: HTTP, ni qué parámetros hay de más.
Por qué existe: un informe que entendiera mal lo que se le pide daría cifras que nadie sabría que son otras.
"""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from alpespartners.modulos.informes.aplicacion.faltas import CodigoDeInforme, Falta, InformeImposible
from alpespartners.modulos.informes.aplicacion.momentos import MomentoIlegible, momento
from alpespartners.modulos.informes.aplicacion.puertos import DE_LOS_DIAS, DE_PROCEDENCIA, Dimension
from alpespartners.modulos.informes.aplicacion.zonas import ZonaDesconocida, zona_de
from alpespartners.modulos.informes.dominio.bots import Bots
from alpespartners.modulos.informes.dominio.comparaciones import Comparacion, comparados
from alpespartners.modulos.informes.dominio.intervalos import (
    UN_DIA,
    Granularidad,
    Intervalo,
    SinRespuestaExacta,
    comienzo_del_dia,
    comienzo_en_utc,
    cuantos,
    partir,
)

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

INTERVALOS_MAXIMOS: Final = 1_000
DIAS_POR_OMISION: Final = 30
ZONA_POR_OMISION: Final = "UTC"
GRANULARIDAD_POR_OMISION: Final = Granularidad.DIA
OTROS_NOMBRES: Final = {"ano_anterior": Comparacion.AÑO_ANTERIOR}
OTRAS_DIMENSIONES: Final = {"campana_id": Dimension.CAMPAÑA}
"""Para quien no puede escribir una ñ."""

_SIN_SEPARAR: Final = (
    "los usuarios únicos se guardan por campaña, sin separar los de cada influencer, cupón, tipo, clase, "
    "moneda o procedencia; quite por, o quite usuarios_unicos"
)
_CON_LOS_ROBOTS: Final = (
    "los usuarios únicos se guardan con los de los robots; pida bots=incluir, o quite usuarios_unicos"
)


class Incluible(StrEnum):
    """Lo que un informe no lleva si no se pide."""

    USUARIOS_UNICOS = "usuarios_unicos"


@dataclass(frozen=True, slots=True)
class Sujeto:
    """De qué puede ser un informe.

    Attributes:
        campo: cómo se llama lo que lo identifica.
        dimensiones: por qué se pueden separar sus filas.
    """

    campo: str
    dimensiones: tuple[Dimension, ...]


DE_CAMPAÑA: Final = Sujeto(
    "campaña_id",
    (
        Dimension.INFLUENCER,
        Dimension.TIPO,
        Dimension.CLASE,
        Dimension.MONEDA,
        Dimension.CUPON,
        *DE_PROCEDENCIA,
    ),
)
DE_INFLUENCER: Final = Sujeto(
    "influencer_id",
    (Dimension.CAMPAÑA, Dimension.TIPO, Dimension.CLASE, Dimension.MONEDA, Dimension.CUPON),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PedidoDeInforme:
    """Qué se cuenta.

    Attributes:
        sujeto_id: cuál; una campaña o un influencer, según el sujeto.
        intervalos: los del periodo, seguidos; al menos uno.
        comparados: el de cada uno, si se compara.
        pedido_en: el instante en que se pide.
        incluir: lo que se pide además.
        bots: si las cifras los llevan.
    """

    sujeto: Sujeto
    sujeto_id: str
    zona: ZoneInfo
    granularidad: Granularidad
    por: tuple[Dimension, ...]
    comparar: Comparacion | None
    intervalos: Sequence[Intervalo]
    comparados: Sequence[Intervalo]
    pedido_en: datetime
    incluir: frozenset[Incluible] = frozenset()
    bots: Bots = Bots.INCLUIR

    @property
    def periodo(self) -> Intervalo:
        """De principio a fin."""
        return Intervalo(self.intervalos[0].desde, self.intervalos[-1].hasta)


def pedido_de_informe(
    sujeto_id: str, parametros: Mapping[str, str], ahora: datetime, sujeto: Sujeto = DE_CAMPAÑA
) -> PedidoDeInforme:
    """Lee los parámetros; todos son de los que hay.

    Sin `hasta`, hasta que acabe el día de hoy en esa zona; sin `desde`, los treinta días que acaban ahí.

    Raises:
        InformeImposible: con todas las faltas.
    """
    lector = _Lector(parametros)
    zona = lector.leer("zona", zona_de, zona_de(ZONA_POR_OMISION))
    granularidad = lector.leer("granularidad", _granularidad, GRANULARIDAD_POR_OMISION)
    sin_separar: tuple[Dimension, ...] = ()
    por = lector.leer("por", lambda texto: _dimensiones(texto, sujeto.dimensiones), sin_separar)
    comparar = lector.leer("comparar", _comparacion, None)
    nada_mas: frozenset[Incluible] = frozenset()
    incluir = lector.leer("incluir", _incluibles, nada_mas)
    if por and Incluible.USUARIOS_UNICOS in incluir:
        lector.anotar("incluir", _SIN_SEPARAR)
    bots = lector.leer("bots", _bots, Bots.INCLUIR)
    if bots is Bots.EXCLUIR and Incluible.USUARIOS_UNICOS in incluir:
        lector.anotar("incluir", _CON_LOS_ROBOTS)
    mañana = ahora.astimezone(zona).date() + UN_DIA
    hasta = lector.leer("hasta", lambda texto: momento(texto, zona), None)
    if hasta is None:
        hasta = lector.intentar("hasta", lambda: comienzo_del_dia(mañana, zona), ahora)
    primera = (hasta - timedelta.resolution).astimezone(zona).date() - (DIAS_POR_OMISION - 1) * UN_DIA
    desde = lector.leer("desde", lambda texto: momento(texto, zona), None)
    if desde is None:
        desde = lector.intentar("desde", lambda: comienzo_del_dia(primera, zona), ahora)
    lector.exigir()
    if desde >= hasta:
        # Un día que esa zona se saltó (Pacific/Apia, 2011-12-30) empieza y acaba a la vez.
        a_la_vez = f"; en {zona.key} los dos son {desde.isoformat()}" if desde == hasta else ""
        lector.anotar("desde", f"debe ser anterior a hasta{a_la_vez}")
        lector.exigir()
    ninguno: list[Intervalo] = []
    intervalos = lector.intentar(
        "granularidad", lambda: _partido(Intervalo(desde, hasta), zona, granularidad), ninguno
    )
    lector.exigir()
    corridos = ninguno
    if comparar is not None:
        corridos = lector.intentar("comparar", lambda: comparados(intervalos, zona, comparar), ninguno)
    if Incluible.USUARIOS_UNICOS in incluir:
        lector.intentar("incluir", lambda: _exigir_dias_enteros((*intervalos, *corridos)), None)
    lector.exigir()
    return PedidoDeInforme(
        sujeto=sujeto,
        sujeto_id=sujeto_id,
        zona=zona,
        granularidad=granularidad,
        por=por,
        comparar=comparar,
        intervalos=intervalos,
        comparados=corridos,
        pedido_en=ahora,
        incluir=incluir,
        bots=bots,
    )


class _Invalido(Exception):
    """Un parámetro incumple lo que dice la frase."""


class _Lector:
    """Lee parámetros y reúne las faltas; de lo que tiene una vale lo que se diga, para buscar las demás."""

    def __init__(self, parametros: Mapping[str, str]) -> None:
        self._parametros = parametros
        self._faltas: list[Falta] = []

    def leer(self, nombre: str, regla: Callable[[str], T], por_omision: T) -> T:
        if nombre not in self._parametros:
            return por_omision
        return self.intentar(nombre, lambda: regla(self._parametros[nombre]), por_omision)

    def intentar(self, nombre: str, regla: Callable[[], T], por_omision: T) -> T:
        try:
            return regla()
        except (_Invalido, MomentoIlegible, ZonaDesconocida) as fallo:
            self.anotar(nombre, str(fallo))
        except SinRespuestaExacta as fallo:
            self._faltas.append(Falta(nombre, CodigoDeInforme.SIN_RESPUESTA_EXACTA, str(fallo)))
        return por_omision

    def anotar(self, nombre: str, frase: str) -> None:
        self._faltas.append(Falta(nombre, CodigoDeInforme.PARAMETRO_INVALIDO, frase))

    def exigir(self) -> None:
        if self._faltas:
            raise InformeImposible(self._faltas)


def _granularidad(texto: str) -> Granularidad:
    return _uno_de(texto, tuple(Granularidad))


def _comparacion(texto: str) -> Comparacion | None:
    # La ñ llega a veces en dos caracteres: la n y su tilde.
    nombre = unicodedata.normalize("NFC", texto)
    return OTROS_NOMBRES.get(nombre.lower()) or _uno_de(nombre, tuple(Comparacion))


def _dimensiones(texto: str, admitidas: Sequence[Dimension]) -> tuple[Dimension, ...]:
    """Las que se escriben separadas por comas, en su orden."""
    nombres = unicodedata.normalize("NFC", texto).split(",")
    escritas = (OTRAS_DIMENSIONES.get(nombre.lower(), nombre) for nombre in nombres)
    dimensiones = tuple(dict.fromkeys(_uno_de(nombre, admitidas) for nombre in escritas))
    de_procedencia = [dimension for dimension in dimensiones if dimension in DE_PROCEDENCIA]
    if len(de_procedencia) > 1 or (de_procedencia and DE_LOS_DIAS & {*dimensiones}):
        raise _Invalido(
            f"{', '.join(DE_PROCEDENCIA[:-1])} y {DE_PROCEDENCIA[-1]} se cuentan cada uno por su lado, y sin"
            " separar influencers ni cupones; pida uno solo, si quiere con tipo, clase y moneda"
        )
    return dimensiones


def _bots(texto: str) -> Bots:
    return _uno_de(texto, tuple(Bots))


def _incluibles(texto: str) -> frozenset[Incluible]:
    return frozenset(_uno_de(nombre, tuple(Incluible)) for nombre in texto.split(","))


def _uno_de(texto: str, admitidos: Sequence[E]) -> E:
    for admitido in admitidos:
        if admitido == texto.lower():
            return admitido
    raise _Invalido(f"debe ser {_o(admitidos)}")


def _o(admitidos: Sequence[StrEnum]) -> str:
    *primeros, ultimo = admitidos
    return f"{', '.join(primeros)} o {ultimo}" if primeros else ultimo


def _partido(periodo: Intervalo, zona: ZoneInfo, granularidad: Granularidad) -> list[Intervalo]:
    son = cuantos(periodo, zona, granularidad)
    if son > INTERVALOS_MAXIMOS:
        cabe = next(g for g in Granularidad if cuantos(periodo, zona, g) <= INTERVALOS_MAXIMOS)
        raise _Invalido(
            f"son unos {en_miles(son)} intervalos y caben {en_miles(INTERVALOS_MAXIMOS)}; "
            f"pida granularidad={cabe} o un periodo menor"
        )
    return partir(periodo, zona, granularidad)


def _exigir_dias_enteros(intervalos: Sequence[Intervalo]) -> None:
    """Comprueba que todos empiezan y acaban a medianoche en UTC.

    Raises:
        SinRespuestaExacta: uno no.
    """
    for intervalo in intervalos:
        for instante in (intervalo.desde, intervalo.hasta):
            if comienzo_en_utc(instante, UN_DIA) != instante:
                raise SinRespuestaExacta(
                    "los usuarios únicos se cuentan por días enteros de UTC, y aquí un intervalo empieza o"
                    f" acaba a mitad de uno ({instante.isoformat()}); pida zona=UTC, fechas en desde y hasta,"
                    " y granularidad=dia, semana, mes o total"
                )


def en_miles(numero: int) -> str:
    """El número como se escribe en español: 87.660."""
    return f"{numero:,}".replace(",", ".")
