"""Lo que el cliente dijo de un evento, ya normalizado.

Qué es: los campos de cliente de una impresión o de una conversión. Dos contenidos son «el mismo» si
coinciden en lo que decide el dinero (`decisivos`): de ello depende que un envío repetido sea un duplicado o
un conflicto.
Qué no es: la entidad, que añade lo que pone el servidor (cuándo se recibió, qué comando la creó).
Por qué existe: la API y el consumidor construyen el contenido por este único camino, así que no pueden
juzgar distinto; y se compara la fila misma, no una huella de ella.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Protocol, Self

from alpespartners.modulos.tracking.dominio.excepciones import Codigo, Recolector
from alpespartners.modulos.tracking.dominio.objetos_valor import (
    Metadatos,
    TipoConversion,
    TipoEvento,
    ValorConversion,
    clic_legible,
    id_de_evento,
    identificador,
    identificador_opcional,
    importe_valido,
    momento_de_ocurrencia,
    timestamp_creible,
    tipo,
    tipo_guardado,
)
from alpespartners.modulos.tracking.dominio.propiedades import propiedades_validas

LONGITUD_CUPON = 64


class _DatosEvento(Protocol):
    """Campos de cliente con su tipo, aún sin validar, comunes a impresiones y conversiones."""

    @property
    def id(self) -> str | None: ...
    @property
    def campaña_id(self) -> str | None: ...
    @property
    def influencer_id(self) -> str | None: ...
    @property
    def usuario_id(self) -> str | None: ...
    @property
    def clic_id(self) -> str | None: ...
    @property
    def user_agent(self) -> str | None: ...
    @property
    def ip_address(self) -> str | None: ...
    @property
    def referrer(self) -> str | None: ...
    @property
    def timestamp(self) -> datetime | None: ...
    @property
    def propiedades(self) -> Mapping[str, str]: ...


class _DatosImpresion(_DatosEvento, Protocol):
    """Campos de cliente de una impresión, aún sin validar."""

    @property
    def tipo_evento(self) -> str | None: ...


class _DatosConversion(_DatosEvento, Protocol):
    """Campos de cliente de una conversión, aún sin validar."""

    @property
    def tipo_conversion(self) -> str | None: ...
    @property
    def valor(self) -> Decimal | None: ...
    @property
    def moneda(self) -> str | None: ...
    @property
    def cupon(self) -> str | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Contenido(ABC):
    """Los campos comunes a impresiones y conversiones."""

    id: str
    campaña_id: str
    influencer_id: str | None
    usuario_id: str | None
    clic_id: str | None
    metadatos: Metadatos
    timestamp: datetime | None
    propiedades: Mapping[str, str]

    decisivos: ClassVar[tuple[str, ...]] = ("campaña_id", "influencer_id", "usuario_id", "clic_id")
    """Los campos que deciden a quién se paga y cuánto; los demás solo describen, y cambian de un reintento a
    otro sin que el evento sea otro."""

    antes_en_propiedades: ClassVar[tuple[str, ...]] = ("clic_id",)
    """Los campos que una versión anterior no conocía, y por eso guardó entre las propiedades."""

    @classmethod
    @abstractmethod
    def crear(cls, datos: Any, recibido_en: datetime, recolector: Recolector) -> Self:
        """Valida y normaliza; deja en el recolector los avisos de lo reparado.

        Raises:
            DatosInvalidos: con todas las faltas, también las que el recolector ya traía.
        """

    @classmethod
    def leer(cls, campos: Mapping[str, Any]) -> Self:
        """Reúne lo que `campos` separó, sin juzgarlo: lo registrado se lee como está.

        Raises:
            CampoInvalido: un tipo no es de los que este programa conoce.
        """
        return cls(
            id=campos["id"],
            campaña_id=campos["campaña_id"],
            influencer_id=campos["influencer_id"],
            usuario_id=campos["usuario_id"],
            clic_id=campos["clic_id"],
            metadatos=Metadatos(campos["user_agent"], campos["ip_address"], campos["referrer"]),
            timestamp=campos["timestamp"],
            propiedades=campos["propiedades"],
            **cls._leer_propios(campos),
        )

    def campos(self) -> dict[str, Any]:
        """Devuelve los campos de cliente por su nombre en el JSON, en el orden de la semilla."""
        return {
            "id": self.id,
            "campaña_id": self.campaña_id,
            "influencer_id": self.influencer_id,
            "usuario_id": self.usuario_id,
            **self._campos_propios(),
            "clic_id": self.clic_id,
            "user_agent": self.metadatos.user_agent,
            "ip_address": self.metadatos.ip_address,
            "referrer": self.metadatos.referrer,
            "timestamp": self.timestamp,
            "propiedades": self.propiedades,
        }

    @abstractmethod
    def _campos_propios(self) -> dict[str, object]: ...

    @classmethod
    @abstractmethod
    def _leer_propios(cls, campos: Mapping[str, Any]) -> dict[str, Any]: ...

    def campos_distintos(self, otro: Self) -> tuple[str, ...]:
        """Devuelve los nombres, nunca los valores, de los campos en que ambos difieren.

        Un campo vale lo mismo en su sitio que entre las propiedades de quien todavía no lo conocía: repetir
        un envío después de actualizar no es un conflicto.
        """
        propios, ajenos = self._comparables(), otro._comparables()
        return tuple(nombre for nombre, valor in propios.items() if ajenos[nombre] != valor)

    def decisivos_entre(self, campos: Collection[str]) -> tuple[str, ...]:
        """Devuelve cuáles de esos campos deciden el dinero: si difiere uno, el evento es otro."""
        return tuple(nombre for nombre in self.decisivos if nombre in campos)

    def _comparables(self) -> dict[str, Any]:
        campos = self.campos()
        for nombre in self.antes_en_propiedades:
            if campos[nombre] is None and nombre in self.propiedades:
                campos["propiedades"] = dict(campos["propiedades"])
                campos[nombre] = campos["propiedades"].pop(nombre) or None
        return campos


@dataclass(frozen=True, slots=True, kw_only=True)
class ContenidoImpresion(Contenido):
    """Lo que el cliente dijo de una impresión."""

    tipo_evento: TipoEvento

    decisivos: ClassVar[tuple[str, ...]] = (*Contenido.decisivos, "tipo_evento")

    @classmethod
    def crear(cls, datos: _DatosImpresion, recibido_en: datetime, recolector: Recolector) -> Self:
        """Valida y normaliza; deja en el recolector los avisos de lo reparado.

        Raises:
            DatosInvalidos: con todas las faltas, también las que el recolector ya traía.
        """
        campos = _comunes(datos, recibido_en, recolector)
        texto = datos.tipo_evento or TipoEvento.IMPRESION
        campos["tipo_evento"] = recolector.intentar(tipo, "tipo_evento", texto, TipoEvento)
        recolector.exigir()
        return cls(**campos)

    def _campos_propios(self) -> dict[str, object]:
        return {"tipo_evento": self.tipo_evento.value}

    @classmethod
    def _leer_propios(cls, campos: Mapping[str, Any]) -> dict[str, Any]:
        return {"tipo_evento": tipo_guardado("tipo_evento", campos["tipo_evento"], TipoEvento)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ContenidoConversion(Contenido):
    """Lo que el cliente dijo de una conversión."""

    tipo_conversion: TipoConversion
    valor: ValorConversion | None
    cupon: str | None

    decisivos: ClassVar[tuple[str, ...]] = (
        *Contenido.decisivos,
        "tipo_conversion",
        "valor",
        "moneda",
        "cupon",
    )
    antes_en_propiedades: ClassVar[tuple[str, ...]] = (*Contenido.antes_en_propiedades, "cupon")

    @classmethod
    def crear(cls, datos: _DatosConversion, recibido_en: datetime, recolector: Recolector) -> Self:
        """Valida y normaliza; deja en el recolector los avisos de lo reparado.

        Raises:
            DatosInvalidos: con todas las faltas, también las que el recolector ya traía.
        """
        campos = _comunes(datos, recibido_en, recolector)
        texto = datos.tipo_conversion or ""
        campos["tipo_conversion"] = recolector.intentar(tipo, "tipo_conversion", texto, TipoConversion)
        ocurrido_en = momento_de_ocurrencia(campos["timestamp"], recibido_en)
        campos["valor"] = _valor(datos, campos["tipo_conversion"], ocurrido_en, recolector)
        campos["cupon"] = recolector.intentar(identificador_opcional, "cupon", datos.cupon, LONGITUD_CUPON)
        recolector.exigir()
        return cls(**campos)

    def _campos_propios(self) -> dict[str, object]:
        return {
            "tipo_conversion": self.tipo_conversion.value,
            "valor": self.valor and self.valor.valor,
            "moneda": self.valor and self.valor.moneda,
            "cupon": self.cupon,
        }

    @classmethod
    def _leer_propios(cls, campos: Mapping[str, Any]) -> dict[str, Any]:
        moneda = campos["moneda"]
        return {
            "tipo_conversion": tipo_guardado("tipo_conversion", campos["tipo_conversion"], TipoConversion),
            "valor": None if moneda is None else ValorConversion.leer(campos["valor"], moneda),
            "cupon": campos["cupon"],
        }


def _comunes(datos: _DatosEvento, recibido_en: datetime, recolector: Recolector) -> dict[str, Any]:
    """Valida los campos comunes; un campo con falta queda en `None` y el recolector la conserva."""
    intentar = recolector.intentar
    metadatos = Metadatos.limpiar(datos.user_agent, datos.ip_address, datos.referrer, recolector)
    timestamp, propiedades = timestamp_creible(datos.timestamp, recibido_en, datos.propiedades, recolector)
    clic_id, propiedades = clic_legible(datos.clic_id, propiedades, recolector)
    return {
        "id": intentar(id_de_evento, datos.id or ""),
        "campaña_id": intentar(identificador, "campaña_id", datos.campaña_id or ""),
        "influencer_id": intentar(identificador_opcional, "influencer_id", datos.influencer_id),
        "usuario_id": intentar(identificador_opcional, "usuario_id", datos.usuario_id),
        "clic_id": clic_id,
        "metadatos": metadatos,
        "timestamp": timestamp,
        "propiedades": propiedades_validas(propiedades, recolector),
    }


def _valor(
    datos: _DatosConversion,
    tipo_conversion: TipoConversion | None,
    ocurrido_en: datetime,
    recolector: Recolector,
) -> ValorConversion | None:
    """Una venta exige valor, y un valor exige moneda: un importe sin ella no se puede pagar."""
    if datos.valor is None and tipo_conversion is TipoConversion.VENTA:
        recolector.anotar("valor", Codigo.REQUERIDO, "es obligatorio en una VENTA")
    if datos.moneda:
        # Sin saber cuándo fue no se acusa a una moneda retirada: ya lo hará cuando el instante se corrija.
        cuando = None if recolector.tiene("timestamp") else ocurrido_en
        return ValorConversion.crear(datos.valor, datos.moneda, cuando, recolector)
    if datos.valor is not None:
        recolector.intentar(importe_valido, datos.valor, None)
    # Un valor que falta o no se pudo leer ya es una falta, y la moneda que debía acompañarlo es otra.
    if datos.valor is not None or recolector.tiene("valor"):
        recolector.anotar("moneda", Codigo.REQUERIDO, "es obligatoria cuando hay valor")
    return None
