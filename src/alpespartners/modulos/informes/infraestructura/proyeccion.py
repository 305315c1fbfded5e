"""Contar los eventos recién registrados, o leídos otra vez, en la transacción que los escribe.

Qué es: lo que `informes` hace dentro del libro; cumple el puerto `Proyeccion` de tracking.
Qué no es: un segundo libro: si una fila está, está contada, y se puede volver a contar (`recuento.py`).
Por qué existe: un informe que se cuenta aparte acaba diciendo otra cosa que lo que se paga.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Table

from alpespartners.modulos.informes.dominio.cuenta import en_diezmilesimas, en_partes
from alpespartners.modulos.informes.dominio.intervalos import TRAMO, UN_DIA, UNA_SEMANA, comienzo_en_utc
from alpespartners.modulos.informes.dominio.unicos import Boceto, BocetoIlegible, con, resumen
from alpespartners.modulos.informes.infraestructura.tablas import (
    PROCEDENCIAS,
    SUMADAS,
    cuentas_por_dia,
    cuentas_por_influencer,
    cuentas_por_procedencia,
    cuentas_por_semana,
    cuentas_por_tramo,
    usuarios_por_dia,
)
from alpespartners.modulos.tracking.dominio.eventos import ConversionRegistrada, EventoDominio
from alpespartners.seedwork.sql.fusion import Clave, fundir
from alpespartners.seedwork.sql.sentencias import acumular

_SIN_DATO: Final = ""
_SIN_DATOS: Final = (None,) * len(PROCEDENCIAS)
_TRAMOS_RECORDADOS: Final = 1_000
"""Los de diez días: casi todo lo que llega acaba de ocurrir."""


class _Detalle(NamedTuple):
    """Lo que distingue a la cuenta de un evento en alguna de las tablas, con los nombres de sus columnas."""

    campana_id: str
    semana: datetime
    dia: datetime
    tramo: datetime
    influencer_id: str
    cupon: str
    tipo: str
    clase: str
    moneda: str


_Datos = tuple[str | None, ...]
"""Lo que se sabe de un evento en cada una de las `PROCEDENCIAS`."""


class _Contado(NamedTuple):
    """Con qué se cuenta un evento, y su importe en diezmilésimas."""

    detalle: _Detalle
    datos: _Datos
    diezmilesimas: int


_Clave = tuple[str | datetime, ...]


def _clave_en(tabla: Table) -> Callable[[_Detalle], _Clave]:
    """Cómo se saca de un detalle la clave de esa tabla, sin su fragmento, que va el último."""
    propias = [columna.name for columna in tabla.primary_key][:-1]
    return itemgetter(*(_Detalle._fields.index(nombre) for nombre in propias))


_TABLAS: Final = [
    (tabla, _clave_en(tabla))
    for tabla in (cuentas_por_semana, cuentas_por_influencer, cuentas_por_dia, cuentas_por_tramo)
]


class CuentasSQL:
    """Las cuentas, sobre una conexión con una transacción abierta.

    Args:
        conexion: la de la transacción que agrega los eventos.
        fragmento: en qué filas suma este proceso; las de otro no las toca.
    """

    def __init__(self, conexion: Connection, fragmento: int) -> None:
        self._conexion = conexion
        self._fragmento = fragmento

    def aplicar(self, eventos: Sequence[EventoDominio[Any]]) -> None:
        """Cuenta esos eventos, cada uno una sola vez."""
        contados = [_contado(evento) for evento in eventos]
        self._sumar([(1, contado) for contado in contados])
        self._contar_usuarios(eventos, [contado.detalle for contado in contados])

    def cambiar(self, antes: Sequence[EventoDominio[Any]], ahora: Sequence[EventoDominio[Any]]) -> None:
        """Descuenta unos eventos como estaban y los cuenta como quedan; quiénes son sus usuarios no cambia.

        De una clave en que lo uno anula lo otro no se escribe nada.
        """
        descontados = [(-1, _contado(evento)) for evento in antes]
        self._sumar([*descontados, *((1, _contado(evento)) for evento in ahora)])

    def _sumar(self, contados: Sequence[tuple[int, _Contado]]) -> None:
        """Suma en cada tabla unos eventos, cada uno tantas veces como dice lo primero."""
        for tabla, clave_de in _TABLAS:
            cuantos: defaultdict[_Clave, int] = defaultdict(int)
            valores: defaultdict[_Clave, int] = defaultdict(int)
            for veces, (detalle, _, valor) in contados:
                clave = clave_de(detalle)
                cuantos[clave] += veces
                if valor:
                    valores[clave] += veces * valor
            self._acumular(tabla, cuantos, valores)
        self._contar_procedencias(contados)

    def _contar_procedencias(self, contados: Sequence[tuple[int, _Contado]]) -> None:
        """Suma cada evento en cada una de las procedencias que se saben de él."""
        cuantos: defaultdict[_Clave, int] = defaultdict(int)
        valores: defaultdict[_Clave, int] = defaultdict(int)
        for veces, (detalle, datos, valor) in contados:
            if datos is _SIN_DATOS:
                continue
            campana_id, dia, tipo, clase = detalle.campana_id, detalle.dia, detalle.tipo, detalle.clase
            for dimension, dato in zip(PROCEDENCIAS, datos, strict=True):
                if dato:
                    clave = (campana_id, dia, dimension, dato, tipo, clase, detalle.moneda)
                    cuantos[clave] += veces
                    if valor:
                        valores[clave] += veces * valor
        self._acumular(cuentas_por_procedencia, cuantos, valores)

    def _acumular(self, tabla: Table, cuantos: Mapping[_Clave, int], valores: Mapping[_Clave, int]) -> None:
        acumular(
            self._conexion,
            tabla,
            [
                (*clave, self._fragmento, cuantas, *en_partes(valores.get(clave, 0)))
                for clave, cuantas in cuantos.items()
                if cuantas or valores.get(clave)
            ],
            SUMADAS,
        )

    def _contar_usuarios(self, eventos: Sequence[EventoDominio[Any]], detalles: Sequence[_Detalle]) -> None:
        """Cuenta los eventos que traen usuario, y une a los de cada día los suyos."""
        usuarios: defaultdict[Clave, list[str]] = defaultdict(list)
        for evento, detalle in zip(eventos, detalles, strict=True):
            usuario_id = evento.entidad.contenido.usuario_id
            if usuario_id is not None:
                usuarios[detalle.campana_id, detalle.dia, self._fragmento].append(usuario_id)

        def con_los_suyos(clave: Clave, boceto: Boceto) -> Boceto:
            try:
                return con(boceto, [resumen(usuario_id) for usuario_id in {*usuarios[clave]}])
            except BocetoIlegible:
                # Lo dejó otra mano: lo corrige `recontar`, y un evento no deja de registrarse por ello.
                return boceto

        fundir(
            self._conexion,
            usuarios_por_dia,
            {clave: len(suyos) for clave, suyos in usuarios.items()},
            con_los_suyos,
        )


@lru_cache(_TRAMOS_RECORDADOS)
def _semana_y_dia(tramo: datetime) -> tuple[datetime, datetime]:
    """Cuándo empiezan los suyos."""
    return comienzo_en_utc(tramo, UNA_SEMANA), comienzo_en_utc(tramo, UN_DIA)


def _contado(evento: EventoDominio[Any]) -> _Contado:
    entidad = evento.entidad
    contenido = entidad.contenido
    cupon, moneda, diezmilesimas = _SIN_DATO, _SIN_DATO, 0
    if isinstance(evento, ConversionRegistrada):
        tipo = contenido.tipo_conversion
        cupon = contenido.cupon or _SIN_DATO
        # Una moneda sin importe no vale nada en ella.
        if contenido.valor is not None and contenido.valor.valor is not None:
            moneda, diezmilesimas = contenido.valor.moneda, en_diezmilesimas(contenido.valor.valor)
    else:
        tipo = contenido.tipo_evento
    clase, datos = _de_su_lectura(entidad)
    tramo = comienzo_en_utc(entidad.ocurrido_en, TRAMO)
    return _Contado(
        _Detalle(
            contenido.campaña_id,
            *_semana_y_dia(tramo),
            tramo,
            contenido.influencer_id or _SIN_DATO,
            cupon,
            tipo.value,
            clase,
            moneda,
        ),
        datos,
        diezmilesimas,
    )


def _de_su_lectura(entidad: Any) -> tuple[str, _Datos]:
    """La clase y las procedencias, como se cuentan."""
    lectura = entidad.lectura
    if lectura is None:
        return _SIN_DATO, _SIN_DATOS
    return (
        lectura.clase_de_trafico or _SIN_DATO,
        (lectura.red, lectura.dispositivo, lectura.pais, lectura.robot),
    )
