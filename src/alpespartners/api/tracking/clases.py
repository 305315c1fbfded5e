"""Las dos clases de evento vistas desde HTTP: lo que distingue a sus rutas, sus cuerpos y sus palabras.

Qué es: un descriptor por clase; rutas, envíos y consultas recorren la tabla en vez de repetirse.
Qué no es: la clase misma (`aplicacion/clases.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import UNSET

from alpespartners.api.http.descripcion import CuerpoPedido, Etiqueta
from alpespartners.api.tracking.presentacion import (
    Corriente,
    EventoRegistrado,
    Pagina,
    campos_contados,
)
from alpespartners.modulos.tracking.aplicacion.clases import Clase
from alpespartners.modulos.tracking.aplicacion.consultas.listar_eventos import (
    PeticionLista,
    listar_eventos,
)
from alpespartners.modulos.tracking.aplicacion.puertos import Consulta
from alpespartners.modulos.tracking.dominio.entidades import EventoSeguido


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaseHTTP:
    """Una clase de evento y lo suyo en HTTP.

    Attributes:
        una: cómo se nombra una en una frase.
        todas: cómo se nombran todas.
        forma: la de un evento registrado al leerlo.
        forma_repetida: la misma, en respuesta a quien lo envió otra vez.
        pagina: la de una lista.
        corriente: la de una página de la corriente.
    """

    clase: Clase
    una: str
    todas: str
    cuerpo: CuerpoPedido
    forma: type[EventoRegistrado]
    forma_repetida: type[Any]
    pagina: type[Pagina[Any]]
    corriente: type[Corriente[Any]]

    @property
    def ruta(self) -> str:
        """La de sus envíos; debajo está la de cada evento."""
        return f"/tracking/{self.clase.plural}"

    @property
    def etiqueta(self) -> Etiqueta:
        """La de sus operaciones."""
        return Etiqueta(self.clase.plural)

    def recurso(self, evento: EventoSeguido[Any]) -> EventoRegistrado:
        """El evento como se lee."""
        return self.forma(**campos_contados(evento))

    def repetido(self, evento: EventoSeguido[Any], difieren: Sequence[str]) -> EventoRegistrado:
        """El evento como se lee, para quien lo envió otra vez, con los campos en que difirió."""
        repetido: EventoRegistrado = self.forma_repetida(
            **campos_contados(evento), difieren=difieren or UNSET
        )
        return repetido

    def lista(self, consulta: Consulta, pedido: PeticionLista) -> Pagina[Any]:
        """La página que se pide, con cada evento como se lee."""
        hallada = listar_eventos(consulta.eventos(self.clase), pedido)
        return self.pagina([self.recurso(evento) for evento in hallada.elementos], hallada.siguiente)
