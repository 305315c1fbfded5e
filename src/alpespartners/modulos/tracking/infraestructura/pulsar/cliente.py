"""La frontera con `pulsar-client`: un cliente por proceso, con los ajustes medidos y con tipos.

Qué es: productores y suscripciones de los tópicos del módulo, cada uno con sus ajustes.
Qué no es: asíncrono, ni insistente; estas llamadas bloquean y quien las hace decide cuándo repetir.
Por qué existe: la biblioteca no tiene tipos, y sus valores por omisión no son los que hacen falta. Un
cliente no sobrevive a un `fork`: se construye al arrancar el proceso que lo usa.
"""

import time
import weakref
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, InvalidStateError, wait
from contextlib import ExitStack, closing, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar
from uuid import uuid4

import _pulsar
import pulsar
import structlog

from alpespartners.modulos.tracking.aplicacion.mensajes import Sobre
from alpespartners.modulos.tracking.infraestructura.mensajes.esquemas import ESQUEMAS
from alpespartners.modulos.tracking.infraestructura.pulsar.continuidad import Continuidad, Lugar
from alpespartners.modulos.tracking.infraestructura.pulsar.registro import registrador_de_pulsar

T = TypeVar("T")

SUSCRIPCION: Final = "tracking"
SUSCRIPCION_CARTAS: Final = "cartas"

FalloDelBroker: Final = pulsar.PulsarException
"""Cualquier error de `pulsar-client`."""

_LIMITE_CONEXION_MS = 5_000
_LIMITE_OPERACION = 10
"""Segundos. Con más, el cliente espacia sus intentos, y tarda en notar que el broker ha vuelto."""
_LIMITE_LECTURA_MS = 30_000
_ESPERA_DE_CONEXIONES = 1.0
"""Segundos. Solo los agota un broker que calla; uno que responde, aun sin procesador libre, tarda menos."""
_ESPERA_DE_RESPUESTAS = 0.25
_PAUSA_DE_CIERRE = 0.005
_ESPERA_EMBEBIDO_MS = 300
_SILENCIOS_TOLERADOS = 20
_COLA_DE_LECTURA = 100
"""Mensajes que se piden por adelantado para leer un tópico entero, con lo que ocupen."""
_COLA_DE_UN_LECTOR = 50
"""El embebido envía a un lector un lote entero por cada uno de los que pide."""
_RETARDO_DE_LOTE_MS = 2
_COLA_DE_RECEPCION = 200
"""Mensajes recibidos por adelantado: el cliente no mira cuánto ocupan, y uno puede llegar a 5 MB."""
_RETARDO_DE_DEVOLUCION_MS = 1_000
_CONFIRMADO = int(pulsar.Result.Ok)
_INDICE_MAXIMO = 2**31 - 1

VACIO: Final[Lugar] = (-1, -1, -1)
"""El lugar de quien no ha leído nada."""

_registro: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)

_EPOCA_UNIX = datetime(1970, 1, 1, tzinfo=UTC)
# La hora de publicación la escribe quien publica. Más allá, sumarle un plazo saldría del calendario.
_PUBLICACION_MAXIMA_MS = (datetime(9000, 1, 1, tzinfo=UTC) - _EPOCA_UNIX) // timedelta(milliseconds=1)


class MensajeRecibido(NamedTuple):
    """Un mensaje tal como llegó; `posicion` es su lugar en el tópico, la misma en cada entrega."""

    numero: Any
    posicion: str
    carga: bytes | None
    propiedades: dict[str, str]
    clave: str | None
    publicado_en: datetime


class Productor:
    """Publica en un tópico. Que el broker tenga sitio para lo que confirma lo mira quien lo recibe.

    Args:
        por_lotes: reúne lo que llega en un par de milisegundos.
        sin_lotes: el de lo que va solo, que así no los espera; si falta, todo va por lotes.
    """

    def __init__(self, por_lotes: _pulsar.Producer, sin_lotes: _pulsar.Producer | None = None) -> None:
        self._productores = [por_lotes] if sin_lotes is None else [por_lotes, sin_lotes]
        self._por_lotes, self._sin_lotes = por_lotes, self._productores[-1]

    def enviar(self, sobre: Sobre, al_saber: Callable[[bool], None], *, solo: bool = False) -> None:
        """Encola un sobre sin esperar; `solo` es que no hay otros con los que reunirlo.

        `al_saber` se llama una vez, en un hilo del cliente, con si el broker lo confirmó. No debe lanzar:
        el cliente terminaría el proceso.
        """
        mensaje = _pulsar.MessageBuilder()
        mensaje.content(sobre.carga)
        mensaje.properties(sobre.propiedades)
        if sobre.clave:
            mensaje.partition_key(sobre.clave)
        productor = self._sin_lotes if solo else self._por_lotes
        productor.send_async(mensaje.build(), lambda resultado, _: al_saber(int(resultado) == _CONFIRMADO))

    @property
    def conectado(self) -> bool:
        """Dice si ahora mismo tiene conexión con el broker."""
        return all(productor.is_connected() for productor in self._productores)

    def vaciar(self) -> None:
        """Espera a que todo lo encolado tenga respuesta.

        Raises:
            FalloDelBroker: algo no se pudo publicar.
        """
        with ExitStack() as pila:
            for productor in self._productores:
                pila.callback(productor.flush)

    def cerrar(self) -> None:
        """Cierra; lo que siga encolado falla.

        Raises:
            FalloDelBroker: ya estaba cerrado.
        """
        with ExitStack() as pila:
            for productor in self._productores:
                pila.callback(productor.close)


class Suscripcion:
    """Recibe los mensajes de un tópico para la suscripción `tracking`.

    Args:
        consumidor: el de la biblioteca.
        continuidad: lo que se sabe que el broker debió entregar; `None` si a otro pudo tocarle una parte.
    """

    def __init__(self, consumidor: _pulsar.Consumer, continuidad: Continuidad | None = None) -> None:
        self._consumidor = consumidor
        self._continuidad = continuidad

    def recibir(self, espera_ms: int) -> MensajeRecibido | None:
        """Espera un mensaje como mucho esos milisegundos; con cero, solo da uno que ya esté.

        Raises:
            FalloDelBroker: la suscripción ya no sirve; hay que hacer otra.
        """
        try:
            mensaje = self._consumidor.receive(espera_ms)
        except pulsar.Timeout:
            return None
        if self._continuidad is not None:
            self._continuidad.recibida(_lugar(mensaje.message_id()))
        return _mensaje_recibido(mensaje)

    def comprobar_que_no_falta_nada(self) -> None:
        """Tras un silencio, comprueba que el broker no se calla lo que guarda sin haberlo entregado.

        Raises:
            FalloDelBroker: se lo calla, y hay que hacer otra suscripción; o no dice lo que guarda.
        """
        if self._continuidad is None or not self.conectada:
            return
        try:
            final = _lugar(self._consumidor.get_last_message_id())
        except pulsar.UnknownError:
            # El tópico está vacío.
            return
        if self._continuidad.falta_algo(final):
            raise pulsar.Timeout("el broker se calla mensajes que guarda sin haberlos entregado")

    def confirmar(self, mensajes: Sequence[MensajeRecibido]) -> None:
        """Confirma cada mensaje por separado.

        Raises:
            FalloDelBroker: no se pudo; volverán a entregarse los que falten.
        """
        for mensaje in mensajes:
            self._consumidor.acknowledge(mensaje.numero)

    def devolver(self, mensaje: MensajeRecibido) -> None:
        """Pide que el mensaje vuelva a entregarse dentro de un segundo."""
        self._consumidor.negative_acknowledge(mensaje.numero)

    @property
    def conectada(self) -> bool:
        """Dice si ahora mismo tiene conexión con el broker."""
        return bool(self._consumidor.is_connected())

    def cerrar(self) -> None:
        """Cierra; lo recibido y no confirmado queda para otro.

        Raises:
            FalloDelBroker: ya estaba cerrada, o el broker no responde.
        """
        self._consumidor.close()


class Lector:
    """Lee un tópico sin partir, o una partición, desde un lugar y sin suscripción que retenga nada.

    Args:
        lector: el de la biblioteca.
        desde: el lugar tras el que empieza.
        numera_seguido: si el broker numera sus entradas sin huecos, y así se ve si se salta alguna.
    """

    def __init__(self, lector: _pulsar.Reader, desde: Lugar, *, numera_seguido: bool) -> None:
        self._lector = lector
        self._numera_seguido = numera_seguido
        self.ultimo = desde
        """El lugar del último que dio."""

    def siguiente(self, espera_ms: int) -> MensajeRecibido | None:
        """Espera un mensaje como mucho esos milisegundos; con cero, solo da uno que ya esté.

        Raises:
            FalloDelBroker: el lector ya no sirve, o el broker se saltó algo; otro puede seguir por `ultimo`.
        """
        while True:
            try:
                mensaje = self._lector.read_next(espera_ms)
            except pulsar.Timeout:
                return None
            lugar = _lugar(mensaje.message_id())
            # Al empezar a mitad de un lote puede llegar entero.
            if lugar > self.ultimo:
                if self._numera_seguido and not _sigue(self.ultimo, lugar):
                    raise pulsar.Timeout("el broker se saltó mensajes que guarda")
                self.ultimo = lugar
                return _mensaje_recibido(mensaje)

    def hay_mas(self) -> bool:
        """Dice si el broker guarda algo que todavía no ha dado.

        Raises:
            FalloDelBroker: no responde.
        """
        try:
            return bool(self._lector.has_message_available())
        except pulsar.UnknownError:
            # El embebido, si el tópico está vacío.
            return False

    @property
    def conectado(self) -> bool:
        """Dice si ahora mismo tiene conexión con el broker."""
        return bool(self._lector.is_connected())

    def cerrar(self) -> None:
        """Cierra, y despierta a quien espere un mensaje.

        Raises:
            FalloDelBroker: ya estaba cerrado, o el broker no responde.
        """
        self._lector.close()


class ClientePulsar:
    """El cliente de un proceso.

    Args:
        url: `pulsar://…` o `pulsar+ssl://…`.
        espacio: inquilino y espacio de nombres de los tópicos, como `public/default`.
        embebido: si el broker es el embebido, que guarda todo sin suscripciones y admite un consumidor.
        token: con el que se identifica, si el broker lo pide.
        ca: certificados con los que comprobar al broker; sin ellos, los de costumbre.
        hay_sitio: si el broker tiene dónde guardar; no lanza, y se pregunta desde cualquier hilo.
    """

    def __init__(
        self,
        url: str,
        *,
        espacio: str = "public/default",
        embebido: bool,
        token: str | None = None,
        ca: Path | None = None,
        hay_sitio: Callable[[], bool] = lambda: True,
    ) -> None:
        self._espacio = espacio
        self._embebido = embebido
        self._con_token = token is not None
        self._cifrado = url.startswith("pulsar+ssl:")
        self.hay_sitio = hay_sitio
        self._conectando: set[Future[Any]] = set()
        self._avisos: set[weakref.ref[Callable[[pulsar.Result, Any], None]]] = set()
        """Con qué dirá la biblioteca a cada uno que está conectado, mientras lo conserva."""
        self._cerrado = False
        self._cliente = pulsar.Client(
            url,
            authentication=None if token is None else pulsar.AuthenticationToken(token),
            operation_timeout_seconds=_LIMITE_OPERACION,
            connection_timeout_ms=_LIMITE_CONEXION_MS,
            tls_trust_certs_file_path=None if ca is None else str(ca),
            tls_validate_hostname=True,
            stats_interval_in_seconds=0,
            logger=registrador_de_pulsar(),
        )
        # Lo de dentro: el de fuera solo conecta bloqueando, envuelve cada mensaje en otro que no hace falta y
        # pasa las propiedades de una en una.
        self._interno: _pulsar.Client = self._cliente._client  # noqa: SLF001

    def productor(
        self, topico: str, *, por_clave: bool, limite: float, maximo_en_curso: int, sin_lotes: bool = False
    ) -> Productor:
        """Crea un productor; bloquea hasta que el broker lo acepta.

        Args:
            topico: su nombre corto; si no es uno de los que tienen esquema, viajan octetos sin más.
            por_clave: si cada lote lleva una sola clave.
            limite: segundos tras los que un envío sin confirmar se da por fallido.
            maximo_en_curso: envíos sin confirmar que admite antes de rechazar otro.
            sin_lotes: si lo que va solo no espera a reunirse; entre ello y lo demás no hay orden.

        Raises:
            FalloDelBroker: no se pudo.
        """

        def crear(*, por_lotes: bool) -> _pulsar.Producer:
            # Cada productor, los suyos: la biblioteca no los copia.
            ajustes = _pulsar.ProducerConfiguration()
            if (esquema := ESQUEMAS.get(topico)) is not None:
                # El broker lo registra si puede; la carga viaja tal cual, ya escrita.
                avro = pulsar.schema.Schema(bytes, _pulsar.SchemaType.AVRO, esquema.definicion, "AVRO")
                ajustes.schema(avro.schema_info())
            ajustes.send_timeout_millis(max(1, int(limite * 1000)))
            ajustes.max_pending_messages(maximo_en_curso)
            ajustes.batching_enabled(por_lotes)
            ajustes.batching_max_publish_delay_ms(_RETARDO_DE_LOTE_MS)
            ajustes.batching_type(pulsar.BatchingType.KeyBased if por_clave else pulsar.BatchingType.Default)
            conectar = self._interno.create_producer_async
            return self._conectado(partial(conectar, self._nombre(topico), ajustes))

        por_lotes = crear(por_lotes=True)
        if not sin_lotes:
            return Productor(por_lotes)
        with ExitStack() as pila:
            pila.callback(por_lotes.close)
            suelto = crear(por_lotes=False)
            pila.pop_all()
        return Productor(por_lotes, suelto)

    def suscribir(self, topico: str) -> Suscripcion:
        """Se une a la suscripción `tracking` del tópico; bloquea hasta que el broker la acepta.

        Raises:
            FalloDelBroker: no se pudo.
        """
        consumidor = self._suscribir(topico, SUSCRIPCION, _COLA_DE_RECEPCION)
        return Suscripcion(consumidor, Continuidad() if self._embebido else None)

    def asegurar_suscripcion(self, topico: str, suscripcion: str) -> None:
        """Deja creada la suscripción, para que el broker guarde lo que se publique desde ahora.

        El embebido lo guarda todo, y una suscripción en uso no admite que otro proceso se le una.

        Raises:
            FalloDelBroker: no se pudo.
        """
        if not self._embebido:
            self._suscribir(topico, suscripcion, 1).close()

    def leer(self, topico: str) -> Generator[MensajeRecibido]:
        """Recorre lo que el tópico guarda, partición a partición y del más antiguo al último, sin consumirlo.

        Llega al menos hasta lo último que había al empezar. Da cada mensaje una vez, con la misma posición
        que ve un consumidor. Quien lo deja a medias lo cierra antes que al cliente.

        Raises:
            FalloDelBroker: no se pudo, o el broker dejó de responder antes del final.
        """
        leer = self._leer_del_embebido if self._embebido else self._leer_de_apache
        for particion in self._cliente.get_topic_partitions(self._nombre(topico)):
            with closing(leer(particion)) as mensajes:
                yield from map(_mensaje_recibido, mensajes)

    def particiones(self, topico: str) -> list[str]:
        """Los nombres enteros de sus particiones; de uno sin partir, el suyo.

        Raises:
            FalloDelBroker: no se pudo preguntar.
        """
        preguntar = self._interno.get_topic_partitions_async
        return list(self._conectado(partial(preguntar, self._nombre(topico))))

    def final(self, particion: str) -> Lugar:
        """El lugar del último mensaje que guarda, o `VACIO`.

        Raises:
            FalloDelBroker: no se pudo preguntar.
        """
        if self._embebido:
            entrada = self._final_en_el_embebido(particion)
            # No dice cuántos lleva la última entrada, que se guardó entera.
            return VACIO if entrada is None else (*entrada, _INDICE_MAXIMO)
        # Un lector es lo único que lo sabe sin dejar una suscripción, que si este proceso muriera retendría
        # mensajes para siempre.
        ultimo = VACIO
        with closing(self._lector(particion, _pulsar.MessageId.latest, cola=1, incluido=True)) as lector:
            if lector.has_message_available():
                ultimo = _lugar(lector.read_next(_LIMITE_LECTURA_MS).message_id())
        return ultimo

    def lector(self, particion: str, desde: Lugar) -> Lector:
        """Empieza a leerla justo después de ese lugar; desde `VACIO`, por su principio.

        Nunca por «lo último»: si el broker se reinicia antes del primer mensaje, ese lector vuelve a empezar
        por lo último de entonces, y calla lo que se publicó entre medias.

        Raises:
            FalloDelBroker: no se pudo.
        """
        libro, entrada, indice = desde
        comienzo = (
            _pulsar.MessageId.earliest
            if desde == VACIO
            else _pulsar.MessageId(-1, libro, entrada, -1 if indice == _INDICE_MAXIMO else indice)
        )
        return Lector(
            self._lector(particion, comienzo, cola=_COLA_DE_UN_LECTOR), desde, numera_seguido=self._embebido
        )

    def _lector(
        self, particion: str, comienzo: _pulsar.MessageId, *, cola: int, incluido: bool = False
    ) -> _pulsar.Reader:
        ajustes = _pulsar.ReaderConfiguration()
        ajustes.receiver_queue_size(cola)
        ajustes.start_message_id_inclusive(incluido)
        return self._conectado(partial(self._interno.create_reader_async, particion, comienzo, ajustes))

    def _leer_de_apache(self, nombre: str) -> Generator[pulsar.Message]:
        lector = self._cliente.create_reader(
            nombre, pulsar.MessageId.earliest, receiver_queue_size=_COLA_DE_LECTURA
        )
        with closing(lector):
            while lector.has_message_available():
                yield lector.read_next(_LIMITE_LECTURA_MS)

    def _leer_del_embebido(self, nombre: str) -> Generator[pulsar.Message]:
        """Lee hasta el final que el broker dijo al empezar, sin huecos, e insiste si se calla antes.

        Por una suscripción compartida, que al acabar se borra: a ella le envía los mensajes que pide, y a un
        lector, un lote entero por cada uno que pide, que le llena la memoria. Numera seguidas sus entradas:
        un hueco se ve. Y como lo leído se confirma, al insistir sigue por donde iba.
        """
        final = self._final_en_el_embebido(nombre)
        if final is None:
            return
        suscripcion = f"lectura-{uuid4()}"
        ultimo = _lugar(pulsar.MessageId.earliest)
        silencios = 0
        hay_quien_la_borre = True
        try:
            while silencios <= _SILENCIOS_TOLERADOS:
                previo = ultimo
                with closing(self._seguidos(nombre, suscripcion, ultimo)) as seguidos:
                    for mensaje in seguidos:
                        lugar = _lugar(mensaje.message_id())
                        if lugar[:2] > final:
                            return
                        ultimo = lugar
                        yield mensaje
                # El cliente recibe una entrada entera de una vez: tras el silencio, la última está completa.
                if ultimo[:2] >= final:
                    return
                silencios = 0 if ultimo > previo else silencios + 1
        except FalloDelBroker:
            hay_quien_la_borre = False
            raise
        finally:
            # La que no se borra queda ahí, y no estorba a nadie.
            if hay_quien_la_borre:
                with suppress(FalloDelBroker):
                    self._suscrito_para_leer(nombre, suscripcion).unsubscribe()
        raise pulsar.Timeout("el broker embebido se calló antes del final")

    def _seguidos(self, nombre: str, suscripcion: str, anterior: Lugar) -> Generator[pulsar.Message]:
        """Los mensajes que siguen a ese lugar, hasta que el broker se calla o se salta alguno."""
        consumidor = self._suscrito_para_leer(nombre, suscripcion)
        with closing(consumidor), suppress(pulsar.Timeout):
            while True:
                mensaje = consumidor.receive(_ESPERA_EMBEBIDO_MS)
                lugar = _lugar(mensaje.message_id())
                if lugar > anterior:
                    if not _sigue(anterior, lugar):
                        return
                    anterior = lugar
                    yield mensaje
                consumidor.acknowledge(mensaje)

    def _suscrito_para_leer(self, nombre: str, suscripcion: str) -> pulsar.Consumer:
        return self._cliente.subscribe(
            nombre,
            suscripcion,
            consumer_type=pulsar.ConsumerType.Shared,
            initial_position=pulsar.InitialPosition.Earliest,
            receiver_queue_size=_COLA_DE_LECTURA,
        )

    def _final_en_el_embebido(self, nombre: str) -> tuple[int, int] | None:
        """La última entrada del tópico, o nada si está vacío; solo se lo dice a una suscripción."""
        consumidor = self._cliente.subscribe(
            nombre,
            f"final-{uuid4()}",
            initial_position=pulsar.InitialPosition.Latest,
            receiver_queue_size=1,
        )
        try:
            return _lugar(consumidor.get_last_message_id())[:2]
        except pulsar.UnknownError:
            return None
        finally:
            consumidor.unsubscribe()

    def cerrar(self) -> None:
        """Cierra el cliente y todo lo que salió de él, también lo que aún se conectaba o se cerraba.

        No espera al broker, que puede no responder: quien quiera despedirse de él cierra antes sus
        productores y suscripciones.
        """
        self._cerrado = True
        # `shutdown` retiene el intérprete y espera a hilos que pueden esperarlo a él, para decir a alguien
        # que ya está conectado o para destruir con qué se lo dijeron: tardaba diez segundos.
        hasta = time.monotonic() + _ESPERA_DE_CONEXIONES
        while (self._conectando or self._avisos) and time.monotonic() < hasta:
            time.sleep(_PAUSA_DE_CIERRE)
        self._cliente.shutdown()
        # La biblioteca puede dejar para siempre sin respuesta a quien se conectaba.
        _, sin_respuesta = wait(list(self._conectando), _ESPERA_DE_RESPUESTAS)
        for conexion in sin_respuesta:
            _responder(conexion, pulsar.Result.AlreadyClosed, None)

    def _conectado(self, conectar: Callable[[Callable[[pulsar.Result, T], None]], None]) -> T:
        """Conecta y, si el broker calla, dice lo que la biblioteca no dice.

        Espera a que la biblioteca llame: si fuera un hilo suyo el que esperase dentro de ella, al terminar el
        proceso lo abortaría.

        Raises:
            FalloDelBroker: no se pudo.
        """
        conexion: Future[T] = Future()
        self._conectando.add(conexion)
        try:
            # Se mira ya apuntado: o lo ve aquí, o lo ve quien cierra.
            if self._cerrado:
                _responder(conexion, pulsar.Result.AlreadyClosed, None)
            else:
                conectar(self._aviso(conexion))
            return conexion.result()
        except pulsar.Timeout:
            if self._con_token:
                _registro.warning(
                    "el broker no respondió a tiempo, que es también lo que hace con un token que no vale: "
                    "revise ALPES_PULSAR_TOKEN"
                )
            raise
        except pulsar.ConnectError:
            if self._cifrado:
                _registro.warning(
                    "no hay conexión cifrada con el broker; si está en marcha, su certificado no es de la "
                    "autoridad esperada o no lleva su nombre: revise ALPES_PULSAR_CA y ALPES_PULSAR_URL"
                )
            raise
        finally:
            self._conectando.discard(conexion)

    def _aviso(self, conexion: Future[T]) -> Callable[[pulsar.Result, T], None]:
        aviso = partial(_responder, conexion)
        # `discard` no es Python: nadie se cuela entre que corre y que el hilo suelte el intérprete.
        self._avisos.add(weakref.ref(aviso, self._avisos.discard))
        return aviso

    def _suscribir(self, topico: str, suscripcion: str, cola: int) -> _pulsar.Consumer:
        ajustes = _pulsar.ConsumerConfiguration()
        ajustes.consumer_type(pulsar.ConsumerType.Shared)
        ajustes.subscription_initial_position(pulsar.InitialPosition.Earliest)
        ajustes.receiver_queue_size(cola)
        # Si no, sería esa por cada partición.
        ajustes.max_total_receiver_queue_size_across_partitions(cola)
        ajustes.negative_ack_redelivery_delay_ms(_RETARDO_DE_DEVOLUCION_MS)
        return self._conectado(
            partial(self._interno.subscribe_async, self._nombre(topico), suscripcion, ajustes)
        )

    def _nombre(self, topico: str) -> str:
        return f"persistent://{self._espacio}/{topico}"


def _responder(conexion: Future[T], resultado: pulsar.Result, conectado: T | None) -> None:
    """Pone en el futuro lo que dijo la biblioteca, si nadie se adelantó; corre en un hilo del cliente."""
    # Llegan resultados, como `Disconnected`, que la biblioteca de Python no tiene entre los suyos.
    fallo: type[Exception] = getattr(_pulsar, resultado.name, FalloDelBroker)
    with suppress(InvalidStateError):
        if conectado is not None and int(resultado) == _CONFIRMADO:
            conexion.set_result(conectado)
        else:
            conexion.set_exception(fallo(f"{resultado.name} ({int(resultado)})"))


def _lugar(numero: pulsar.MessageId) -> Lugar:
    return numero.ledger_id(), numero.entry_id(), numero.batch_index()


def _sigue(anterior: Lugar, lugar: Lugar) -> bool:
    """Dice si entre los dos no cabe ningún mensaje."""
    libro, entrada, indice = lugar
    if (libro, entrada) == anterior[:2]:
        return indice == anterior[2] + 1
    return indice <= 0 and entrada == (anterior[1] + 1 if libro == anterior[0] else 0)


def _mensaje_recibido(mensaje: pulsar.Message | _pulsar.Message) -> MensajeRecibido:
    """Copia lo que trae el mensaje; lo que no sea texto UTF-8 (el protocolo no lo exige) vale ausencia."""
    numero = mensaje.message_id()
    try:
        propiedades = mensaje.properties()
    except UnicodeDecodeError:
        propiedades = {}
    try:
        clave = mensaje.partition_key() or None
    except UnicodeDecodeError:
        clave = None
    milisegundos = min(mensaje.publish_timestamp(), _PUBLICACION_MAXIMA_MS)
    return MensajeRecibido(
        numero=numero,
        posicion=f"{numero.ledger_id()}:{numero.entry_id()}:{numero.partition()}:{numero.batch_index()}",
        carga=None if mensaje.has_null_value() else mensaje.data(),
        propiedades=propiedades,
        clave=clave,
        publicado_en=_EPOCA_UNIX + timedelta(milliseconds=milisegundos),
    )
