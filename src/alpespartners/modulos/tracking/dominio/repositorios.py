"""Los repositorios que el dominio necesita: dónde viven impresiones y conversiones.

Qué es: interfaces. Las implementaciones están en `infraestructura/repositorios.py` y en
`infraestructura/libro/corriente.py`, y una misma suite de contrato las prueba a todas.
Qué no es: una transacción; la abre y la cierra la unidad de trabajo.
Por qué existe: el libro de eventos tiene una sola regla de escritura (lo que ya está no se toca) y dos
órdenes de lectura: lo más reciente primero, y como fue llegando.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from alpespartners.modulos.tracking.dominio.entidades import EventoSeguido

E = TypeVar("E", bound=EventoSeguido[Any])


@dataclass(frozen=True, slots=True)
class Posicion:
    """El lugar de un evento en una lista: instante de ocurrencia e `id`."""

    ocurrido_en: datetime
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FiltroEventos:
    """Qué eventos se piden; `desde` se incluye y `hasta` no. Una lista es de una campaña o un influencer."""

    campaña_id: str | None = None
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


@dataclass(frozen=True, slots=True, kw_only=True)
class FiltroCorriente(FiltroEventos):
    """Qué eventos de la corriente se piden; `registrado_desde` se incluye."""

    registrado_desde: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tramo(Generic[E]):
    """Lo que se leyó de la corriente de una vez.

    Attributes:
        eventos: los que cumplen el filtro, por orden de llegada.
        hasta: el número hasta el que se miró; lo siguiente empieza detrás.
    """

    eventos: list[E]
    hasta: int


@dataclass(frozen=True, slots=True)
class TramoContado:
    """Lo que se contó de la corriente de una vez: cuántos eventos, y hasta qué número se miró."""

    cuantos: int
    hasta: int


class LecturaCorriente(Protocol[E]):
    """Los eventos de una clase por orden de llegada: cada uno tiene su número, que crece y no se repite.

    Hasta la frontera está todo: detrás de ella puede aparecer algo que aún se escribe; delante, no.
    """

    def frontera(self) -> int:
        """Devuelve el número hasta el que está todo; 0 si no hay nada.

        Vale para las lecturas que empiecen después, y nunca para la misma: esa ya tiene su instantánea.
        """

    def leer(self, filtro: FiltroCorriente, despues_de: int, frontera: int, limite: int) -> Tramo[E]:
        """Devuelve hasta `limite` eventos de los que van detrás de `despues_de`, y de la frontera ninguno.

        Con filtro mira como mucho unos miles, cumplan o no: el tramo puede venir vacío antes de la frontera.
        """

    def contar(self, filtro: FiltroCorriente, despues_de: int, frontera: int) -> TramoContado:
        """Cuenta los que van detrás de `despues_de`, y de la frontera ninguno; mira como mucho unos miles."""

    def antes_de(self, registrado_desde: datetime, frontera: int) -> int:
        """Devuelve un número que nadie registrado en ese instante o después tiene, ni ninguno menor."""

    def sello(self, hasta: int) -> str:
        """Devuelve una huella del libro y de lo último que hay hasta ese número; vacía si no hay nada.

        Si hay otra que la que hubo, lo leído hasta ahí no es lo que hoy hay hasta ahí.
        """


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

    def agregar(self, entidades: Sequence[E]) -> dict[str, int]:
        """Guarda las entidades cuyo `id` no estaba y devuelve exactamente esos `id`, con su orden de llegada.

        Recibe como mucho una entidad por `id`. La que ya estaba queda como está.
        """

    def autores(self, ids: Collection[str]) -> dict[str, tuple[str, bytes | None]]:
        """De los `id` que existen, el `comando_id` y la huella del comando que los registró."""
