"""La respuesta a cualquier consulta mientras no existe la base de datos: está vacía, y no es un error.

Por qué existe: la API acepta eventos antes de que nadie haya creado las tablas, y las listas están vacías.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Generic, TypeVar

from alpespartners.modulos.tracking.aplicacion.clases import ClaseDeEvento
from alpespartners.modulos.tracking.aplicacion.mensajes import (
    DestinoDeComando,
    EnviosPendientes,
    IdentidadComando,
    RenglonBalance,
)
from alpespartners.modulos.tracking.aplicacion.puertos import FiltroDestinos
from alpespartners.modulos.tracking.dominio.entidades import EventoSeguido
from alpespartners.modulos.tracking.dominio.repositorios import (
    FiltroCorriente,
    FiltroEventos,
    FiltroRegistro,
    LecturaCorriente,
    LecturaEventos,
    Posicion,
    Tramo,
    TramoContado,
)

E = TypeVar("E", bound=EventoSeguido[Any])


class _SinEventos(Generic[E]):
    def obtener(self, _ids: Collection[str]) -> dict[str, E]:
        return {}

    def listar(self, _filtro: FiltroEventos, _despues_de: Posicion | None, _limite: int) -> list[E]:
        return []

    def registrados(
        self, _filtro: FiltroRegistro, _despues_de: tuple[datetime, str] | None, _limite: int
    ) -> list[E]:
        return []


class _SinCorriente(Generic[E]):
    def frontera(self) -> int:
        return 0

    def leer(self, _filtro: FiltroCorriente, despues_de: int, _frontera: int, _limite: int) -> Tramo[E]:
        return Tramo([], despues_de)

    def contar(self, _filtro: FiltroCorriente, despues_de: int, _frontera: int) -> TramoContado:
        return TramoContado(0, despues_de)

    def antes_de(self, _registrado_desde: datetime, _frontera: int) -> int:
        return 0

    def sello(self, _hasta: int) -> str:
        return ""


class _SinDestinos:
    def de_evento(
        self, _topico: str, _evento_id: str, _limite: int, _campañas: Collection[str] | None = None
    ) -> list[DestinoDeComando]:
        return []

    def cuantos_de_evento(
        self, _topico: str, _evento_id: str, _campañas: Collection[str] | None = None
    ) -> int:
        return 0

    def de_comandos(self, _topico: str, _comandos: Collection[str]) -> list[DestinoDeComando]:
        return []

    def enviados(
        self, _topico: str, _comandos: Collection[str]
    ) -> Mapping[IdentidadComando, Mapping[str, Any]]:
        return {}

    def listar(
        self,
        _topico: str,
        _filtro: FiltroDestinos,
        _despues_de: tuple[datetime, IdentidadComando] | None,
        _limite: int,
    ) -> list[DestinoDeComando]:
        return []


class _SinBalance:
    def renglones(self) -> list[RenglonBalance]:
        return []

    def envios_pendientes(self) -> EnviosPendientes:
        return EnviosPendientes(cuantos=0, desde=None)


class ConsultaVacia:
    """Lo que se lee antes de que exista la base de datos."""

    def __init__(self) -> None:
        self.destinos = _SinDestinos()
        self.balance = _SinBalance()

    def eventos(self, _clase: ClaseDeEvento[E]) -> LecturaEventos[E]:
        """Ninguno."""
        return _SinEventos()

    def corriente(self, _clase: ClaseDeEvento[E]) -> LecturaCorriente[E]:
        """Seca."""
        return _SinCorriente()
