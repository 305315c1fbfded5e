"""El libro en memoria: los puertos de la aplicación sin base de datos.

Pasa las mismas suites de contrato que los adaptadores de verdad; por eso las pruebas que lo usan valen.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Generic, Self, TypeVar

from alpespartners.modulos.tracking.aplicacion.clases import CLASES, IMPRESIONES, Clase, ClaseDeEvento
from alpespartners.modulos.tracking.aplicacion.mensajes import (
    DestinoDeComando,
    Envio,
    EnviosPendientes,
    EventoNumerado,
    IdentidadComando,
    MensajeIlegible,
    RenglonBalance,
)
from alpespartners.modulos.tracking.aplicacion.puertos import ClicLeido, Consulta, FiltroDestinos, Transaccion
from alpespartners.modulos.tracking.dominio.destinos import Ignorada, Rechazada
from alpespartners.modulos.tracking.dominio.entidades import EventoSeguido
from alpespartners.modulos.tracking.dominio.eventos import EventoDominio
from alpespartners.modulos.tracking.dominio.objetos_valor import TipoEvento
from alpespartners.modulos.tracking.dominio.repositorios import (
    FiltroCorriente,
    FiltroEventos,
    FiltroRegistro,
    Posicion,
    Tramo,
    TramoContado,
)
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import sobre_de_carta, sobre_de_evento

T = TypeVar("T")
E = TypeVar("E", bound=EventoSeguido[Any])

_CARRIL = 1


@dataclass
class EventosEnMemoria(Generic[E]):
    """Los eventos de una clase; cumple `RepositorioEventos` y `LecturaCorriente`."""

    clase: ClaseDeEvento[E]
    eventos: dict[str, E] = field(default_factory=dict)

    def agregar(self, entidades: Sequence[E]) -> dict[str, int]:
        nuevas = {entidad.id: entidad for entidad in entidades if entidad.id not in self.eventos}
        self.eventos |= nuevas
        return {id_nuevo: numero for numero, id_nuevo in enumerate(self.eventos, 1) if id_nuevo in nuevas}

    def autores(self, ids: Collection[str]) -> dict[str, tuple[str, bytes | None]]:
        return {id_evento: (e.comando_id, e.huella) for id_evento, e in self.obtener(ids).items()}

    def obtener(self, ids: Collection[str]) -> dict[str, E]:
        return {id_evento: self.eventos[id_evento] for id_evento in ids if id_evento in self.eventos}

    def listar(self, filtro: FiltroEventos, despues_de: Posicion | None, limite: int) -> list[E]:
        elegidos = [evento for evento in self.eventos.values() if self._cumple(evento, filtro)]
        elegidos.sort(key=_orden, reverse=True)
        if despues_de is not None:
            elegidos = [e for e in elegidos if _orden(e) < (despues_de.ocurrido_en, despues_de.id)]
        return elegidos[:limite]

    def registrados(
        self, filtro: FiltroRegistro, despues_de: tuple[datetime, str] | None, limite: int
    ) -> list[E]:
        elegidos = [
            evento
            for evento in self.eventos.values()
            if filtro.campaña_id in (None, evento.contenido.campaña_id)
            and _en_el_tramo(evento.registrado_en, filtro)
            and (despues_de is None or (evento.registrado_en, evento.id) < despues_de)
        ]
        return sorted(elegidos, key=lambda e: (e.registrado_en, e.id), reverse=True)[:limite]

    def frontera(self) -> int:
        return len(self.eventos)

    def leer(self, filtro: FiltroCorriente, despues_de: int, frontera: int, limite: int) -> Tramo[E]:
        numerados = [
            (numero, evento)
            for numero, evento in enumerate(self.eventos.values(), 1)
            if despues_de < numero <= frontera
            and self._cumple(evento, filtro)
            and (filtro.registrado_desde is None or evento.registrado_en >= filtro.registrado_desde)
        ][:limite]
        hasta = numerados[-1][0] if len(numerados) == limite else max(despues_de, frontera)
        return Tramo([evento for _, evento in numerados], hasta)

    def contar(self, filtro: FiltroCorriente, despues_de: int, frontera: int) -> TramoContado:
        tramo = self.leer(filtro, despues_de, frontera, len(self.eventos) + 1)
        return TramoContado(len(tramo.eventos), tramo.hasta)

    def antes_de(self, _registrado_desde: datetime, _frontera: int) -> int:
        return 0

    def sello(self, hasta: int) -> str:
        return "".join(list(self.eventos)[:hasta][-1:])

    def _cumple(self, evento: E, filtro: FiltroEventos) -> bool:
        campos = evento.campos()
        return (
            filtro.campaña_id in (None, campos["campaña_id"])
            and (filtro.desde is None or evento.ocurrido_en >= filtro.desde)
            and (filtro.hasta is None or evento.ocurrido_en < filtro.hasta)
            and filtro.influencer_id in (None, campos["influencer_id"])
            and filtro.tipo in (None, campos[self.clase.campo_tipo])
        )


def _en_el_tramo(cuando: datetime, filtro: FiltroRegistro | FiltroDestinos) -> bool:
    return (filtro.desde is None or cuando >= filtro.desde) and (
        filtro.hasta is None or cuando < filtro.hasta
    )


def _orden(evento: EventoSeguido[Any]) -> tuple[datetime, str]:
    return evento.ocurrido_en, evento.id


@dataclass
class DestinosEnMemoria:
    """Los destinos anotados; cumple `RegistroDestinos`."""

    anotados: dict[tuple[str, IdentidadComando], DestinoDeComando] = field(default_factory=dict)

    def conocidos(self, topico: str, identidades: Collection[IdentidadComando]) -> set[IdentidadComando]:
        return {identidad for identidad in identidades if (topico, identidad) in self.anotados}

    def anotar(self, topico: str, destinos: Sequence[DestinoDeComando]) -> set[IdentidadComando]:
        nuevos = {
            (topico, destino.identidad): destino
            for destino in destinos
            if (topico, destino.identidad) not in self.anotados
        }
        self.anotados |= nuevos
        return {identidad for _, identidad in nuevos}

    def de_evento(
        self, topico: str, evento_id: str, limite: int, campañas: Collection[str] | None = None
    ) -> list[DestinoDeComando]:
        suyos = [
            destino._replace(enviado=None)
            for (de_topico, _), destino in self.anotados.items()
            if de_topico == topico and destino.evento_id == evento_id
            if campañas is None or destino.campaña_id in campañas
        ]
        suyos.sort(key=lambda suyo: (suyo.decidido_en, suyo.identidad.comando_id, suyo.identidad.huella))
        return suyos[:limite]

    def cuantos_de_evento(self, topico: str, evento_id: str, campañas: Collection[str] | None = None) -> int:
        return len(self.de_evento(topico, evento_id, len(self.anotados), campañas))

    def de_comandos(self, topico: str, comandos: Collection[str]) -> list[DestinoDeComando]:
        return [
            destino._replace(enviado=None)
            for (de_topico, identidad), destino in self.anotados.items()
            if de_topico == topico and identidad.comando_id in comandos
        ]

    def enviados(
        self, topico: str, comandos: Collection[str]
    ) -> Mapping[IdentidadComando, Mapping[str, Any]]:
        return {
            identidad: destino.enviado
            for (de_topico, identidad), destino in self.anotados.items()
            if de_topico == topico and identidad.comando_id in comandos and destino.enviado is not None
        }

    def listar(
        self,
        topico: str,
        filtro: FiltroDestinos,
        despues_de: tuple[datetime, IdentidadComando] | None,
        limite: int,
    ) -> list[DestinoDeComando]:
        elegidos = [
            asiento
            for (de_topico, identidad), asiento in self.anotados.items()
            if de_topico == topico
            and asiento.destino.estado == filtro.estado
            and filtro.motivo in (None, getattr(asiento.destino, "motivo", None))
            and filtro.campaña_id in (None, asiento.campaña_id)
            and _en_el_tramo(asiento.decidido_en, filtro)
            and (despues_de is None or (asiento.decidido_en, identidad) < despues_de)
        ]
        return sorted(elegidos, key=lambda a: (a.decidido_en, a.identidad), reverse=True)[:limite]


@dataclass
class BalanceEnMemoria:
    """Lo sumado; cumple `Balance` y `LecturaBalance`. De la bandeja dice lo que le pongan."""

    sumado: dict[tuple[str, str, str], RenglonBalance] = field(default_factory=dict)
    bandeja: EnviosPendientes = field(default_factory=lambda: EnviosPendientes(cuantos=0, desde=None))

    def sumar(self, topico: str, destinos: Sequence[DestinoDeComando]) -> None:
        hasta = max((asiento.recibido_en for asiento in destinos), default=None)
        for asiento in destinos:
            assert hasta is not None
            motivo = asiento.destino.motivo if isinstance(asiento.destino, Rechazada | Ignorada) else None
            clave = (topico, asiento.destino.estado, motivo or "")
            antes = self.sumado.get(clave)
            self.sumado[clave] = RenglonBalance(
                topico=topico,
                estado=asiento.destino.estado,
                motivo=motivo,
                cuantos=1 + (antes.cuantos if antes else 0),
                procesado_hasta=max(hasta, antes.procesado_hasta) if antes else hasta,
            )

    def renglones(self) -> list[RenglonBalance]:
        return [self.sumado[clave] for clave in sorted(self.sumado)]

    def envios_pendientes(self) -> EnviosPendientes:
        return self.bandeja


@dataclass
class BandejaEnMemoria:
    """Cuántos mensajes se depositaron para cada tópico; cumple `BandejaSalida`."""

    depositados: Counter[str] = field(default_factory=Counter)

    def depositar_eventos(self, eventos: Sequence[EventoNumerado]) -> list[Envio]:
        return self._depositar(
            Envio(numero, sobre_de_evento(evento, traza), _CARRIL)
            for numero, evento, traza in sorted(eventos)
        )

    def depositar_cartas(self, topico: str, cartas: Sequence[MensajeIlegible]) -> list[Envio]:
        numeradas = enumerate(cartas, self.depositados.total())
        return self._depositar(Envio(numero, sobre_de_carta(topico, carta)) for numero, carta in numeradas)

    def _depositar(self, depositados: Iterable[Envio]) -> list[Envio]:
        envios = list(depositados)
        self.depositados.update(envio.sobre.topico for envio in envios)
        return envios


@dataclass
class ProyeccionEnMemoria:
    """Cuántas veces se contó cada evento, por su clase y su `id`; cumple `Proyeccion`."""

    contados: Counter[tuple[str, str]] = field(default_factory=Counter)

    def aplicar(self, eventos: Sequence[EventoDominio[Any]]) -> None:
        self.contados.update((type(evento).__name__, evento.entidad.id) for evento in eventos)

    def cambiar(self, antes: Sequence[EventoDominio[Any]], ahora: Sequence[EventoDominio[Any]]) -> None:
        self.contados.subtract((type(evento).__name__, evento.entidad.id) for evento in antes)
        self.aplicar(ahora)


@dataclass
class ClicsEnMemoria:
    """Los clics de un libro, y cuántas veces se preguntó por ellos; cumple `LecturasDeClics`."""

    impresiones: EventosEnMemoria[Any]
    preguntas: int = 0

    def leidos(self, ids: Collection[str]) -> dict[str, ClicLeido]:
        self.preguntas += 1
        return {
            id_evento: ClicLeido(evento.contenido.campaña_id, evento.lectura)
            for id_evento, evento in self.impresiones.obtener(ids).items()
            if evento.lectura is not None and evento.contenido.tipo_evento is TipoEvento.CLIC
        }


@dataclass
class TransaccionEnMemoria:
    """Una transacción; cumple `Transaccion` y `Consulta`."""

    libros: dict[Clase, EventosEnMemoria[Any]] = field(
        default_factory=lambda: {clase: EventosEnMemoria(clase) for clase in CLASES}
    )
    destinos: DestinosEnMemoria = field(default_factory=DestinosEnMemoria)
    bandeja: BandejaEnMemoria = field(default_factory=BandejaEnMemoria)
    balance: BalanceEnMemoria = field(default_factory=BalanceEnMemoria)
    proyeccion: ProyeccionEnMemoria = field(default_factory=ProyeccionEnMemoria)

    def __post_init__(self) -> None:
        self.clics = ClicsEnMemoria(self.libros[IMPRESIONES])

    def eventos(self, clase: ClaseDeEvento[E]) -> EventosEnMemoria[E]:
        return self.libros[clase]

    def corriente(self, clase: ClaseDeEvento[E]) -> EventosEnMemoria[E]:
        return self.libros[clase]

    def copia(self) -> Self:
        return type(self)(
            {clase: replace(suyo, eventos=copy(suyo.eventos)) for clase, suyo in self.libros.items()},
            DestinosEnMemoria(copy(self.destinos.anotados)),
            BandejaEnMemoria(copy(self.bandeja.depositados)),
            BalanceEnMemoria(copy(self.balance.sumado)),
            ProyeccionEnMemoria(copy(self.proyeccion.contados)),
        )


class LibroEnMemoria:
    """El libro; cumple `UnidadTrabajo` y `Lecturas`."""

    def __init__(self) -> None:
        self.confirmado = TransaccionEnMemoria()

    async def ejecutar(self, trabajo: Callable[[Transaccion], T]) -> T:
        transaccion = self.confirmado.copia()
        resultado = trabajo(transaccion)
        self.confirmado = transaccion
        return resultado

    async def leer(self, consulta: Callable[[Consulta], T]) -> T:
        return consulta(self.confirmado)
