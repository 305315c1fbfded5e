"""Las dos clases de evento vistas desde HTTP: lo que distingue a sus rutas, sus cuerpos y sus palabras.

Qué es: un descriptor por clase; rutas, envíos y consultas recorren la tabla en vez de repetirse.
Qué no es: la clase misma (`aplicacion/clases.py`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from alpespartners.api.http.descripcion import CuerpoPedido, Etiqueta
from alpespartners.api.tracking.presentacion import EventoRegistrado, Pagina
from alpespartners.modulos.tracking.aplicacion.clases import ClaseDeEvento
from alpespartners.modulos.tracking.aplicacion.comandos import Comando
from alpespartners.modulos.tracking.aplicacion.consultas.listar_eventos import (
    PeticionLista,
    listar_eventos,
)
from alpespartners.modulos.tracking.aplicacion.puertos import Consulta
from alpespartners.modulos.tracking.dominio.entidades import Conversion, Impresion

E = TypeVar("E", Impresion, Conversion)


class ComandoDelCuerpo(Protocol):
    """Cómo se hace un comando con el cuerpo de un envío."""

    def __call__(
        self, cuerpo: Mapping[str, object], *, id_asignado: Callable[[], str], recibido_en: datetime
    ) -> Comando:
        """Devuelve el comando, o lanza `DatosInvalidos` con todas las faltas."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaseHTTP(Generic[E]):
    """Una clase de evento y lo suyo en HTTP.

    Attributes:
        nombre: el de una, sin tilde, para el identificador de cada operación.
        plural: el segmento de sus rutas.
        una: cómo se nombra una en una frase.
        todas: cómo se nombran todas.
        comando_de: del cuerpo de un envío, su comando.
        forma: la de un evento registrado al leerlo.
        pagina: la de una lista.
        filtros: los parámetros de una lista.
    """

    clase: ClaseDeEvento[E]
    nombre: str
    plural: str
    una: str
    todas: str
    comando_de: ComandoDelCuerpo
    cuerpo: CuerpoPedido
    forma: type[EventoRegistrado]
    pagina: type[Pagina[Any]]
    filtros: frozenset[str]

    @property
    def ruta(self) -> str:
        """La de sus envíos; debajo está la de cada evento."""
        return f"/tracking/{self.plural}"

    @property
    def etiqueta(self) -> Etiqueta:
        """La de sus operaciones."""
        return Etiqueta(self.plural)

    def recurso(self, evento: Impresion | Conversion) -> EventoRegistrado:
        """El evento como se lee."""
        return self.forma(
            **evento.contenido.campos(),
            ocurrido_en=evento.ocurrido_en,
            recibido_en=evento.recibido_en,
            registrado_en=evento.registrado_en,
            comando_id=evento.comando_id,
            advertencias=evento.advertencias,
        )

    def lista(self, consulta: Consulta, pedido: PeticionLista) -> Pagina[Any]:
        """La página que se pide, con cada evento como se lee."""
        hallada = listar_eventos(self.clase.eventos_de(consulta), pedido)
        return self.pagina([self.recurso(evento) for evento in hallada.elementos], hallada.siguiente)


AlgunaClase = ClaseHTTP[Impresion] | ClaseHTTP[Conversion]
