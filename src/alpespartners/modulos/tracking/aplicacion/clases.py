"""Las clases de evento: qué distingue a una impresión de una conversión, dicho una vez.

Qué es: un descriptor por clase (sus nombres, sus tópicos y los tipos que la llevan de una petición a un
evento de dominio). Todo lo demás recorre `CLASES`: manejadores, mensajes, filas, listas, órdenes y balance.
Qué no es: las reglas de cada una, que están en `dominio/contenido.py`.
Por qué existe: añadir una clase de evento es escribir lo que tiene de propio y nombrarla aquí.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Generic, TypeVar

from alpespartners.modulos.tracking.aplicacion.comandos import (
    Comando,
    RegistrarConversion,
    RegistrarImpresion,
)
from alpespartners.modulos.tracking.aplicacion.dto import (
    EventoDTO,
    RegistrarConversionDTO,
    RegistrarImpresionDTO,
)
from alpespartners.modulos.tracking.aplicacion.topicos import (
    COMANDO_REGISTRAR_CONVERSION,
    COMANDO_REGISTRAR_IMPRESION,
    EVENTO_CONVERSION_REGISTRADA,
    EVENTO_IMPRESION_REGISTRADA,
)
from alpespartners.modulos.tracking.dominio.contenido import (
    Contenido,
    ContenidoConversion,
    ContenidoImpresion,
)
from alpespartners.modulos.tracking.dominio.entidades import Conversion, EventoSeguido, Impresion
from alpespartners.modulos.tracking.dominio.eventos import (
    ConversionRegistrada,
    EventoDominio,
    ImpresionRegistrada,
)
from alpespartners.modulos.tracking.dominio.objetos_valor import TipoConversion, TipoEvento

E = TypeVar("E", bound=EventoSeguido[Any])


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ClaseDeEvento(Generic[E]):
    """Una clase de evento, con su propio espacio de identificadores.

    Attributes:
        nombre: cómo se la llama en una orden de terminal: `impresion`.
        plural: el recurso de la API y la tabla del libro: `impresiones`.
        topico: el de sus comandos, por su nombre corto.
        topico_de_eventos: el de sus eventos de dominio.
        dto: la forma de su petición.
        comando: el que viaja por `topico`.
        contenido: lo que el cliente dice de uno, con sus reglas.
        entidad: la que se guarda.
        evento: el de dominio que la anuncia.
        campo_tipo: el campo que dice de qué tipo es dentro de su clase.
        tipos: los valores de `campo_tipo`.
        filtra_por_tipo: si sus listas admiten `campo_tipo` como filtro.
    """

    nombre: str
    plural: str
    topico: str
    topico_de_eventos: str
    dto: type[EventoDTO]
    comando: type[Comando]
    contenido: type[Contenido]
    entidad: type[E]
    evento: type[EventoDominio[E]]
    campo_tipo: str
    tipos: type[StrEnum]
    filtra_por_tipo: bool

    def leer(self, campos: Mapping[str, Any], huella: bytes | None) -> E:
        """Reúne en una entidad lo que su `campos` separó, sin juzgarlo.

        Raises:
            CampoInvalido: un tipo no es de los que este programa conoce.
        """
        return self.entidad(
            contenido=self.contenido.leer(campos),
            comando_id=campos["comando_id"],
            huella=huella,
            recibido_en=campos["recibido_en"],
            registrado_en=campos["registrado_en"],
            advertencias=tuple(campos["advertencias"]),
            lectura=campos.get("lectura"),
        )


IMPRESIONES: Final = ClaseDeEvento(
    nombre="impresion",
    plural="impresiones",
    topico=COMANDO_REGISTRAR_IMPRESION,
    topico_de_eventos=EVENTO_IMPRESION_REGISTRADA,
    dto=RegistrarImpresionDTO,
    comando=RegistrarImpresion,
    contenido=ContenidoImpresion,
    entidad=Impresion,
    evento=ImpresionRegistrada,
    campo_tipo="tipo_evento",
    tipos=TipoEvento,
    filtra_por_tipo=False,
)
CONVERSIONES: Final = ClaseDeEvento(
    nombre="conversion",
    plural="conversiones",
    topico=COMANDO_REGISTRAR_CONVERSION,
    topico_de_eventos=EVENTO_CONVERSION_REGISTRADA,
    dto=RegistrarConversionDTO,
    comando=RegistrarConversion,
    contenido=ContenidoConversion,
    entidad=Conversion,
    evento=ConversionRegistrada,
    campo_tipo="tipo_conversion",
    tipos=TipoConversion,
    filtra_por_tipo=True,
)

Clase = ClaseDeEvento[Any]

CLASES: Final[tuple[Clase, ...]] = (IMPRESIONES, CONVERSIONES)

_POR_TIPO: Final = {tipo: clase for clase in CLASES for tipo in (clase.comando, clase.entidad, clase.evento)}


def clase_de(pieza: Comando | EventoSeguido[Any] | EventoDominio[Any]) -> Clase:
    """Devuelve de qué clase es un comando, una entidad o un evento de dominio."""
    return _POR_TIPO[type(pieza)]
