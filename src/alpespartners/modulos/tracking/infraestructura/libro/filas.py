"""De entidad a fila y de fila a entidad.

Qué es: la traducción de cada clase de evento, sin pérdida en ninguno de los dos sentidos.
Qué no es: validación. Lo guardado se lee como está, aunque las reglas de hoy ya no lo admitieran.
Por qué existe: impresiones y conversiones comparten repositorio; aquí está lo único que las distingue.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Row, Table

from alpespartners.modulos.tracking.aplicacion.puertos import FilaIlegible
from alpespartners.modulos.tracking.dominio.contenido import ContenidoConversion, ContenidoImpresion
from alpespartners.modulos.tracking.dominio.entidades import Conversion, Impresion
from alpespartners.modulos.tracking.dominio.monedas import DECIMALES
from alpespartners.modulos.tracking.dominio.objetos_valor import (
    Metadatos,
    TipoConversion,
    TipoEvento,
    ValorConversion,
)
from alpespartners.modulos.tracking.infraestructura.libro.tablas import conversiones, impresiones
from alpespartners.seedwork.sql.tipos import DECIMALES_DEL_IMPORTE

E = TypeVar("E", Impresion, Conversion)
C = TypeVar("C", bound=StrEnum)

Fila = dict[str, object]
FilaLeida = Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Traduccion(Generic[E]):
    """Dónde y cómo se guarda una clase de eventos.

    Attributes:
        tabla: la suya.
        tipo: la columna por la que filtra `FiltroEventos.tipo`.
        a_fila: los valores de las columnas de una entidad.
        a_entidad: la entidad de una fila con todas sus columnas.
    """

    tabla: Table
    tipo: ColumnElement[str]
    a_fila: Callable[[E], Fila]
    a_entidad: Callable[[FilaLeida], E]


def _fila_de_impresion(impresion: Impresion) -> Fila:
    return {**_comunes(impresion), "tipo_evento": impresion.contenido.tipo_evento.value}


def _fila_de_conversion(conversion: Conversion) -> Fila:
    contenido = conversion.contenido
    return {
        **_comunes(conversion),
        "tipo_conversion": contenido.tipo_conversion.value,
        "valor": contenido.valor and contenido.valor.valor,
        "moneda": contenido.valor and contenido.valor.moneda,
    }


def _comunes(entidad: Impresion | Conversion) -> Fila:
    contenido = entidad.contenido
    return {
        "id": contenido.id,
        "campana_id": contenido.campaña_id,
        "influencer_id": contenido.influencer_id,
        "usuario_id": contenido.usuario_id,
        "user_agent": contenido.metadatos.user_agent,
        "ip_address": contenido.metadatos.ip_address,
        "referrer": contenido.metadatos.referrer,
        "timestamp": contenido.timestamp,
        "propiedades": contenido.propiedades,
        "comando_id": entidad.comando_id,
        "huella": entidad.huella,
        "recibido_en": entidad.recibido_en,
        "registrado_en": entidad.registrado_en,
        "ocurrido_en": entidad.ocurrido_en,
        "advertencias": entidad.advertencias,
    }


def _impresion_de_fila(fila: FilaLeida) -> Impresion:
    contenido = ContenidoImpresion(
        **_del_cliente(fila), tipo_evento=conocido(TipoEvento, fila, "tipo_evento")
    )
    return Impresion(contenido=contenido, **_del_servidor(fila))


def _conversion_de_fila(fila: FilaLeida) -> Conversion:
    contenido = ContenidoConversion(
        **_del_cliente(fila),
        tipo_conversion=conocido(TipoConversion, fila, "tipo_conversion"),
        valor=fila.moneda and ValorConversion(_importe(fila.valor, fila.moneda), fila.moneda),
    )
    return Conversion(contenido=contenido, **_del_servidor(fila))


def conocido(clase: type[C], fila: FilaLeida, columna: str) -> C:
    """Lo que dice esa columna de la fila, que tiene que ser uno de los valores de la clase.

    Raises:
        FilaIlegible: no lo es.
    """
    valor = getattr(fila, columna)
    try:
        return clase(valor)
    except ValueError:
        raise FilaIlegible(
            f"la fila del comando {fila.comando_id} tiene {columna} = {valor!r}, que el programa no conoce"
        ) from None


def _importe(valor: Decimal | None, moneda: str) -> Decimal | None:
    """El importe con los decimales de su moneda; si ya no está en la lista activa, con los de la columna."""
    decimales = DECIMALES.get(moneda, DECIMALES_DEL_IMPORTE)
    return None if valor is None else valor.quantize(Decimal(1).scaleb(-decimales))


def _del_cliente(fila: FilaLeida) -> dict[str, Any]:
    return {
        "id": fila.id,
        "campaña_id": fila.campana_id,
        "influencer_id": fila.influencer_id,
        "usuario_id": fila.usuario_id,
        "metadatos": Metadatos(fila.user_agent, fila.ip_address, fila.referrer),
        "timestamp": fila.timestamp,
        "propiedades": fila.propiedades,
    }


def _del_servidor(fila: FilaLeida) -> dict[str, Any]:
    return {
        "comando_id": fila.comando_id,
        "huella": fila.huella,
        "recibido_en": fila.recibido_en,
        "registrado_en": fila.registrado_en,
        "advertencias": tuple(fila.advertencias),
    }


IMPRESIONES = Traduccion(impresiones, impresiones.c.tipo_evento, _fila_de_impresion, _impresion_de_fila)
CONVERSIONES = Traduccion(
    conversiones, conversiones.c.tipo_conversion, _fila_de_conversion, _conversion_de_fila
)
