"""Contar los eventos recién registrados, en la transacción que los registra.

Qué es: lo que `informes` hace dentro del libro; cumple el puerto `Proyeccion` de tracking.
Qué no es: un segundo libro: si una fila está, está contada, y se puede volver a contar (`recuento.py`).
Por qué existe: un informe que se cuenta aparte acaba diciendo otra cosa que lo que se paga.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Table

from alpespartners.modulos.informes.dominio.cuenta import en_diezmilesimas, en_partes
from alpespartners.modulos.informes.dominio.intervalos import TRAMO, UN_DIA, UNA_SEMANA, comienzo_en_utc
from alpespartners.modulos.informes.dominio.unicos import Boceto, BocetoIlegible, con, resumen
from alpespartners.modulos.informes.infraestructura.tablas import (
    SUMADAS,
    cuentas_por_dia,
    cuentas_por_influencer,
    cuentas_por_semana,
    cuentas_por_tramo,
    usuarios_por_dia,
)
from alpespartners.modulos.tracking.dominio.eventos import ConversionRegistrada, EventoDominio
from alpespartners.seedwork.sql.fusion import Clave, fundir
from alpespartners.seedwork.sql.sentencias import acumular

_SIN_DATO: Final = ""
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
    moneda: str


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
        for tabla, clave_de in _TABLAS:
            cuantos: defaultdict[_Clave, int] = defaultdict(int)
            valores: defaultdict[_Clave, int] = defaultdict(int)
            for detalle, valor in contados:
                clave = clave_de(detalle)
                cuantos[clave] += 1
                if valor:
                    valores[clave] += valor
            acumular(
                self._conexion,
                tabla,
                [
                    (*clave, self._fragmento, cuantas, *en_partes(valores.get(clave, 0)))
                    for clave, cuantas in cuantos.items()
                ],
                SUMADAS,
            )
        self._contar_usuarios(eventos, [detalle for detalle, _ in contados])

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


def _contado(evento: EventoDominio[Any]) -> tuple[_Detalle, int]:
    """Con qué se cuenta, y su importe en diezmilésimas."""
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
    tramo = comienzo_en_utc(entidad.ocurrido_en, TRAMO)
    return (
        _Detalle(
            contenido.campaña_id,
            *_semana_y_dia(tramo),
            tramo,
            contenido.influencer_id or _SIN_DATO,
            cupon,
            tipo.value,
            moneda,
        ),
        diezmilesimas,
    )
