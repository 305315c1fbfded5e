"""Los repositorios que el dominio necesita: dónde viven impresiones y conversiones.

Qué es: interfaces. Las implementaciones están en `infraestructura/repositorios.py`, y una misma suite
de contrato las prueba a todas.
Qué no es: una transacción; la abre y la cierra la unidad de trabajo.
Por qué existe: el libro de eventos tiene una sola regla de escritura (lo que ya está no se toca) y un
solo orden de lectura (lo más reciente primero).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from alpespartners.modulos.tracking.dominio.entidades import EventoSeguido

E = TypeVar("E", bound=EventoSeguido[Any])


@dataclass(frozen=True, slots=True)
class Posicion:
    """El lugar de un evento en la lista de su campaña: instante de ocurrencia e `id`."""

    ocurrido_en: datetime
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FiltroEventos:
    """Qué eventos de una campaña se piden; `desde` se incluye y `hasta` no."""

    campaña_id: str
    desde: datetime | None = None
    hasta: datetime | None = None
    influencer_id: str | None = None
    tipo: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FiltroRegistro:
    """Qué eventos se piden por cuándo se registraron; `desde` se incluye y `hasta` no."""

    campaña_id: str | None = None
    desde: datetime | None = None
    hasta: datetime | None = None


class LecturaEventos(Protocol[E]):
    """Consultas sobre los eventos de una clase."""

    def obtener(self, ids: Collection[str]) -> dict[str, E]:
        """Devuelve los eventos que existen de entre esos `id`, por su `id`."""

    def listar(self, filtro: FiltroEventos, despues_de: Posicion | None, limite: int) -> list[E]:
        """Devuelve hasta `limite` eventos, del más reciente al más antiguo por (`ocurrido_en`, `id`).

        Empieza justo después de `despues_de`, sin incluirlo; a igual instante manda el `id` mayor,
        comparado por puntos de código.
        """

    def registrados(
        self, filtro: FiltroRegistro, despues_de: tuple[datetime, str] | None, limite: int
    ) -> list[E]:
        """Devuelve hasta `limite` eventos, del último registrado al primero por (`registrado_en`, `id`).

        Empieza justo después de `despues_de`, sin incluirlo; el `id` se compara por puntos de código.
        """


class RepositorioEventos(LecturaEventos[E], Protocol[E]):
    """El libro de los eventos de una clase: se añade, nunca se cambia."""

    def agregar(self, entidades: Sequence[E]) -> set[str]:
        """Guarda las entidades cuyo `id` no estaba y devuelve exactamente esos `id`.

        Recibe como mucho una entidad por `id`. La que ya estaba queda como está.
        """

    def autores(self, ids: Collection[str]) -> dict[str, tuple[str, bytes | None]]:
        """De los `id` que existen, el `comando_id` y la huella del comando que los registró."""
