"""Los puertos: lo que la aplicación pide al mundo, sin decir con qué se hace.

Qué es: interfaces y las excepciones con que un adaptador dice «no puedo».
Qué no es: reglas ni adaptadores; los repositorios están en `dominio/repositorios.py`.
Por qué existe: el mismo código corre en un portátil (SQLite, broker embebido) y en un clúster
(PostgreSQL, Apache Pulsar); una suite de contrato por puerto prueba a todos sus adaptadores.
"""

from asyncio import Future
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol, TypeVar

from alpespartners.modulos.tracking.aplicacion.clases import ClaseDeEvento
from alpespartners.modulos.tracking.aplicacion.comandos import Comando
from alpespartners.modulos.tracking.aplicacion.mensajes import (
    CuentaDeClics,
    DestinoDeComando,
    Envio,
    EnviosPendientes,
    EventoNumerado,
    IdentidadComando,
    MensajeIlegible,
    RenglonBalance,
)
from alpespartners.modulos.tracking.dominio.contenido import Contenido
from alpespartners.modulos.tracking.dominio.entidades import EventoSeguido
from alpespartners.modulos.tracking.dominio.eventos import EventoDominio
from alpespartners.modulos.tracking.dominio.lectura import Lectura
from alpespartners.modulos.tracking.dominio.repositorios import (
    LecturaCorriente,
    LecturaEventos,
    RepositorioEventos,
)

E = TypeVar("E", bound=EventoSeguido[Any])
T = TypeVar("T")


class BrokerNoDisponible(Exception):
    """El broker no confirmó; puede haber guardado el mensaje o no."""


class AlmacenamientoLleno(BrokerNoDisponible):
    """El broker no tiene sitio donde guardar."""


class BaseDatosNoDisponible(Exception):
    """La base de datos no respondió; no se guardó nada."""


class BaseDatosOcupada(BaseDatosNoDisponible):
    """Está, y este trabajo no pudo terminar: es demasiado grande, o espera a otro. Uno menor quizá pueda."""


class FilaIlegible(Exception):
    """Una fila dice lo que este programa no escribe: la cambió otra mano. Insistir no lo arregla."""


class EsquemaDesconocido(Exception):
    """Un mensaje nombra un esquema de su registro que esta versión no conoce. Actualizar lo arregla.

    Attributes:
        huella: la de ese esquema, en 16 cifras hexadecimales minúsculas.
    """

    def __init__(self, registro: str, huella: str) -> None:
        super().__init__(
            f"Hay mensajes de {registro} escritos por una versión posterior (esquema {huella}): actualice"
        )
        self.huella = huella


class DespachadorComandos(Protocol):
    """Publica comandos en el broker."""

    async def publicar(self, comando: Comando, *, comando_id: str, traza: str | None) -> None:
        """Vuelve solo cuando el broker confirmó el comando de forma duradera.

        Raises:
            BrokerNoDisponible: no hubo confirmación a tiempo.
        """

    def publicar_enseguida(
        self, comando: Comando, al_saber: Callable[[bool], None], *, comando_id: str, traza: str | None
    ) -> None:
        """Publica uno que no espera a los demás: quien lo causó está esperando.

        `al_saber` se llama una vez, quizá antes de volver, con si el broker lo confirmó de forma duradera;
        lo que no confirmó puede haberlo guardado o no.
        """

    async def publicar_varios(
        self, comandos: Sequence[tuple[Comando, str]], *, traza: str | None
    ) -> list[BrokerNoDisponible | None]:
        """Publica comandos, cada uno con su `comando_id`; vuelve cuando se sabe qué fue de todos.

        Devuelve, en el mismo orden, `None` por cada uno confirmado de forma duradera, y si no la causa: que
        uno no se confirme no dice nada de los demás.
        """

    @property
    def disponible(self) -> bool:
        """Dice si el broker acepta comandos en este momento."""

    def aceptado_antes_de(self, instante: datetime) -> Mapping[str, datetime]:
        """Devuelve, por tópico, el `recibido_en` más nuevo, anterior a ese instante, de lo que confirmó.

        Solo de lo publicado aquí desde que arrancó, y con una precisión de segundos.
        """


class ColaDeClics(Protocol):
    """Guarda los clics, y lo de los píxeles, que el broker no confirma enseguida, y los envía después."""

    async def guardar(
        self,
        comando: Comando,
        *,
        comando_id: str,
        traza: str | None,
        en_curso: Future[bool] | None = None,
    ) -> None:
        """Vuelve cuando el clic está a salvo o, si no puede estarlo, contado como perdido; no lanza.

        `en_curso` es un envío suyo que aún puede confirmarse, y que entonces valdrá verdadero.
        """

    async def cuenta(self) -> CuentaDeClics:
        """Devuelve cuántos esperan y cuántos se perdieron."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FiltroDestinos:
    """Qué destinos de un tópico se piden, todos de un estado; `desde` se incluye y `hasta` no."""

    estado: str
    motivo: str | None = None
    campaña_id: str | None = None
    desde: datetime | None = None
    hasta: datetime | None = None


class RegistroDestinos(Protocol):
    """Los destinos que no son la propia fila: duplicados, rechazos, ignorados e ilegibles."""

    def conocidos(self, topico: str, identidades: Collection[IdentidadComando]) -> set[IdentidadComando]:
        """Devuelve cuáles de esos comandos ya tienen destino anotado."""

    def anotar(self, topico: str, destinos: Sequence[DestinoDeComando]) -> set[IdentidadComando]:
        """Anota los destinos que no estaban y devuelve los comandos a los que correspondían."""


class Balance(Protocol):
    """Cuántos comandos acabaron en cada destino: se suma en la transacción que los decidió."""

    def sumar(self, topico: str, destinos: Sequence[DestinoDeComando]) -> None:
        """Suma destinos recién decididos, cada uno una sola vez."""


class LecturaBalance(Protocol):
    """Lo que hay sumado en el balance."""

    def renglones(self) -> list[RenglonBalance]:
        """Devuelve lo sumado, ordenado por tópico, estado y motivo."""

    def envios_pendientes(self) -> EnviosPendientes:
        """Devuelve cuántos envíos esperan en la bandeja de salida y desde cuándo el más antiguo."""


class LecturaDestinos(Protocol):
    """Qué fue de los comandos que no son una fila del libro."""

    def de_evento(
        self, topico: str, evento_id: str, limite: int, campañas: Collection[str] | None = None
    ) -> list[DestinoDeComando]:
        """Devuelve hasta `limite` destinos de ese `id`, del más antiguo al más nuevo.

        Con `campañas`, solo los de lo que iba a una de ellas.
        """

    def cuantos_de_evento(self, topico: str, evento_id: str, campañas: Collection[str] | None = None) -> int:
        """Devuelve cuántos destinos hay anotados de ese `id`; con `campañas`, de lo que iba a ellas."""

    def de_comandos(self, topico: str, comandos: Collection[str]) -> list[DestinoDeComando]:
        """Devuelve los destinos anotados de esos `comando_id`."""

    def enviados(
        self, topico: str, comandos: Collection[str]
    ) -> Mapping[IdentidadComando, Mapping[str, Any]]:
        """Devuelve lo que se guarda de lo enviado en esos `comando_id`; lo que se olvidó, falta."""

    def listar(
        self,
        topico: str,
        filtro: FiltroDestinos,
        despues_de: tuple[datetime, IdentidadComando] | None,
        limite: int,
    ) -> list[DestinoDeComando]:
        """Devuelve hasta `limite` destinos, del más nuevo al más antiguo por (`decidido_en`, identidad).

        Cada uno trae su `enviado`. Empieza justo después de `despues_de`, sin incluirlo.
        """


class BandejaSalida(Protocol):
    """Lo que se publicará después del commit, guardado en la misma transacción que lo causó."""

    def depositar_eventos(self, eventos: Sequence[EventoNumerado]) -> list[Envio]:
        """Deja pendientes los eventos de filas que esta transacción agregó, todos de una clase.

        Devuelve sus envíos, por orden de llegada.
        """

    def depositar_cartas(self, topico: str, cartas: Sequence[MensajeIlegible]) -> list[Envio]:
        """Deposita mensajes ilegibles del tópico para sus cartas muertas, y devuelve sus envíos."""


class Proyeccion(Protocol):
    """Lo que otro módulo cuenta de lo registrado, en la transacción que lo escribe."""

    def aplicar(self, eventos: Sequence[EventoDominio[Any]]) -> None:
        """Cuenta los eventos que esta transacción agregó al libro, cada uno una sola vez."""

    def cambiar(self, antes: Sequence[EventoDominio[Any]], ahora: Sequence[EventoDominio[Any]]) -> None:
        """Deja de contar unos eventos como estaban y los cuenta como esta transacción los deja.

        Son los mismos y en el mismo orden; de uno a otro solo cambia su lectura.
        """


@dataclass(frozen=True, slots=True)
class ClicLeido:
    """De un clic registrado, su campaña y su lectura."""

    campaña_id: str
    lectura: Lectura


class LecturasDeClics(Protocol):
    """Los clics registrados, para quien registra lo que vino de ellos."""

    def leidos(self, ids: Collection[str]) -> Mapping[str, ClicLeido]:
        """Devuelve, de entre esos `id`, los de un clic registrado y leído.

        Falta el que no existe, el que no es de un clic y el que no tiene lectura o no se entiende: nada de
        lo que le pase a la fila de un clic impide registrar otra.
        """


class Lector(Protocol):
    """Lee de dónde y con qué vino quien causó un evento."""

    def leer(self, contenido: Contenido, señales: Sequence[str]) -> Lectura:
        """Lo que dice ese contenido, y lo que supo quien lo recibió; nunca lanza.

        Con las mismas reglas, lo mismo siempre.
        """


class Transaccion(Protocol):
    """Una transacción de lectura y escritura."""

    def eventos(self, clase: ClaseDeEvento[E]) -> RepositorioEventos[E]:
        """El libro de los eventos de esa clase."""

    @property
    def destinos(self) -> RegistroDestinos:
        """Los destinos que no son una fila del libro."""

    @property
    def bandeja(self) -> BandejaSalida:
        """Lo que se publicará tras el commit."""

    @property
    def clics(self) -> LecturasDeClics:
        """Los clics ya registrados."""

    @property
    def proyeccion(self) -> Proyeccion:
        """Lo que se cuenta para los informes."""

    @property
    def balance(self) -> Balance:
        """Cuántos comandos acabaron en cada destino."""


class UnidadTrabajo(Protocol):
    """Ejecuta trabajo en transacciones."""

    async def ejecutar(self, trabajo: Callable[[Transaccion], T]) -> T:
        """Ejecuta el trabajo en una transacción y vuelve tras su commit; si falla no queda nada.

        Raises:
            BaseDatosNoDisponible: la base de datos no respondió.
        """


class Consulta(Protocol):
    """Una transacción corta de solo lectura."""

    def eventos(self, clase: ClaseDeEvento[E]) -> LecturaEventos[E]:
        """Los eventos registrados de esa clase."""

    def corriente(self, clase: ClaseDeEvento[E]) -> LecturaCorriente[E]:
        """Los mismos, por orden de llegada."""

    @property
    def destinos(self) -> LecturaDestinos:
        """Qué fue de los comandos que no son una fila del libro."""

    @property
    def balance(self) -> LecturaBalance:
        """Cuántos comandos acabaron en cada destino."""


class Lecturas(Protocol):
    """Ejecuta consultas; antes de que exista la base de datos leen una vacía."""

    async def leer(self, consulta: Callable[[Consulta], T]) -> T:
        """Ejecuta la consulta en una transacción corta.

        Raises:
            BaseDatosNoDisponible: la base de datos no respondió.
        """


@dataclass(frozen=True, slots=True)
class EstadoDelBroker:
    """Si el broker tiene lo que hay que ponerle para no perder lo que nadie ha leído todavía.

    Attributes:
        retencion: si lo publicado dura bastante.
        suscripciones: si existen las que guardan lo no leído.
        en_espera: de cada tópico de comandos, cuántos envíos suyos están sin procesar, más o menos: uno puede
            llevar varios comandos. `None` si no se sabe.
    """

    retencion: Literal["suficiente", "insuficiente", "desconocida"]
    suscripciones: Literal["presentes", "faltan", "desconocidas"]
    en_espera: Mapping[str, int] | None = None


class Administracion(Protocol):
    """Sabe cómo está puesto el broker."""

    async def estado(self) -> EstadoDelBroker:
        """Devuelve lo que se sabe; nunca lanza, y no se hace esperar."""


class Presencia(Protocol):
    """Sabe quién trabaja ahora mismo."""

    async def consumidores(self) -> int:
        """Devuelve cuántos consumidores están vivos.

        Raises:
            BaseDatosNoDisponible: no se pudo averiguar.
        """
