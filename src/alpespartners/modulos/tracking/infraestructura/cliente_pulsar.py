"""La frontera con `pulsar-client`: un cliente por proceso, con los ajustes medidos y con tipos.

Qué es: productores y suscripciones de los tópicos del módulo, cada uno con sus ajustes.
Qué no es: asíncrono, ni insistente; estas llamadas bloquean y quien las hace decide cuándo repetir.
Por qué existe: la biblioteca no tiene tipos, y sus valores por omisión no son los que hacen falta. Un
cliente no sobrevive a un `fork`: se construye al arrancar el proceso que lo usa.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar
from uuid import uuid4

import _pulsar
import pulsar
import structlog

from alpespartners.modulos.tracking.infraestructura.esquemas import ESQUEMAS
from alpespartners.modulos.tracking.infraestructura.registro_pulsar import registrador_de_pulsar
from alpespartners.modulos.tracking.infraestructura.sobres import Sobre

T = TypeVar("T")

SUSCRIPCION: Final = "tracking"
SUSCRIPCION_CARTAS: Final = "cartas"

FalloDelBroker: Final = pulsar.PulsarException
"""Cualquier error de `pulsar-client`."""

_LIMITE_CONEXION_MS = 5_000
_LIMITE_OPERACION = 30
_LIMITE_OPERACION_EMBEBIDO = 10
_LIMITE_LECTURA_MS = 30_000
_ESPERA_EMBEBIDO_MS = 300
_SILENCIOS_TOLERADOS = 20
_TRAMO = 2_000
_OCTETOS_POR_TRAMO = 8 * 1024 * 1024
_COLA_DE_LECTURA = 1_000
_RETARDO_DE_LOTE_MS = 2
_COLA_DE_RECEPCION = 3_000
_RETARDO_DE_DEVOLUCION_MS = 1_000
_CONFIRMADO = pulsar.Result.Ok

_registro: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)

_EPOCA_UNIX = datetime(1970, 1, 1, tzinfo=UTC)
# La hora de publicación la escribe quien publica. Más allá, sumarle un plazo saldría del calendario.
_PUBLICACION_MAXIMA_MS = (datetime(9000, 1, 1, tzinfo=UTC) - _EPOCA_UNIX) // timedelta(milliseconds=1)


class _AvroYaEscrito(pulsar.schema.Schema):  # type: ignore[misc]
    """Declara un esquema Avro, que el broker registra si puede, y envía tal cual los octetos que recibe."""

    def __init__(self, definicion: dict[str, Any]) -> None:
        super().__init__(bytes, _pulsar.SchemaType.AVRO, definicion, "AVRO")

    def encode(self, obj: bytes) -> bytes:
        return obj


class MensajeRecibido(NamedTuple):
    """Un mensaje tal como llegó; `posicion` es su lugar en el tópico, la misma en cada entrega."""

    numero: Any
    posicion: str
    carga: bytes | None
    propiedades: dict[str, str]
    clave: str | None
    publicado_en: datetime


class Productor:
    """Publica en un tópico. Que el broker tenga sitio para lo que confirma lo mira quien lo recibe."""

    def __init__(self, productor: pulsar.Producer) -> None:
        self._productor = productor
        # Lo de dentro: `pulsar.Producer` pasa las propiedades de una en una, y cuesta el doble.
        self._interno: _pulsar.Producer = productor._producer  # noqa: SLF001

    def enviar(self, sobre: Sobre, al_saber: Callable[[bool], None]) -> None:
        """Encola un sobre sin esperar.

        `al_saber` se llama una vez, en un hilo del cliente, con si el broker lo confirmó. No debe lanzar:
        el cliente terminaría el proceso.
        """
        mensaje = _pulsar.MessageBuilder()
        mensaje.content(sobre.carga)
        mensaje.properties(dict(sobre.propiedades))
        if sobre.clave:
            mensaje.partition_key(sobre.clave)
        self._interno.send_async(mensaje.build(), lambda resultado, _: al_saber(resultado == _CONFIRMADO))

    @property
    def conectado(self) -> bool:
        """Dice si ahora mismo tiene conexión con el broker."""
        return bool(self._productor.is_connected())

    def vaciar(self) -> None:
        """Espera a que todo lo encolado tenga respuesta.

        Raises:
            FalloDelBroker: algo no se pudo publicar.
        """
        self._productor.flush()

    def cerrar(self) -> None:
        """Cierra; lo que siga encolado falla.

        Raises:
            FalloDelBroker: ya estaba cerrado.
        """
        self._productor.close()


class Suscripcion:
    """Recibe los mensajes de un tópico para la suscripción `tracking`."""

    def __init__(self, consumidor: pulsar.Consumer) -> None:
        self._consumidor = consumidor
        # Lo de dentro: `pulsar.Consumer` envuelve cada mensaje en otro que no hace falta.
        self._interno: _pulsar.Consumer = consumidor._consumer  # noqa: SLF001

    def recibir(self, espera_ms: int) -> MensajeRecibido | None:
        """Espera un mensaje como mucho esos milisegundos.

        Raises:
            FalloDelBroker: la suscripción ya no sirve; hay que hacer otra.
        """
        try:
            mensaje = self._interno.receive(espera_ms)
        except pulsar.Timeout:
            return None
        return _mensaje_recibido(mensaje)

    def confirmar(self, mensajes: Sequence[MensajeRecibido]) -> None:
        """Confirma cada mensaje por separado.

        Raises:
            FalloDelBroker: no se pudo; volverán a entregarse los que falten.
        """
        for mensaje in mensajes:
            self._interno.acknowledge(mensaje.numero)

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
        self._cliente = pulsar.Client(
            url,
            authentication=None if token is None else pulsar.AuthenticationToken(token),
            operation_timeout_seconds=_LIMITE_OPERACION_EMBEBIDO if embebido else _LIMITE_OPERACION,
            connection_timeout_ms=_LIMITE_CONEXION_MS,
            tls_trust_certs_file_path=None if ca is None else str(ca),
            tls_validate_hostname=True,
            stats_interval_in_seconds=0,
            logger=registrador_de_pulsar(),
        )

    def productor(self, topico: str, *, por_clave: bool, limite: float, maximo_en_curso: int) -> Productor:
        """Crea un productor; bloquea hasta que el broker lo acepta.

        Args:
            topico: su nombre corto; si no es uno de los que tienen esquema, viajan octetos sin más.
            por_clave: si cada lote lleva una sola clave.
            limite: segundos tras los que un envío sin confirmar se da por fallido.
            maximo_en_curso: envíos sin confirmar que admite antes de rechazar otro.

        Raises:
            FalloDelBroker: no se pudo.
        """
        esquema = ESQUEMAS.get(topico)
        return Productor(
            self._conectado(
                self._cliente.create_producer,
                self._nombre(topico),
                schema=pulsar.schema.BytesSchema() if esquema is None else _AvroYaEscrito(esquema.definicion),
                send_timeout_millis=max(1, int(limite * 1000)),
                block_if_queue_full=False,
                max_pending_messages=maximo_en_curso,
                batching_enabled=True,
                batching_max_publish_delay_ms=_RETARDO_DE_LOTE_MS,
                batching_type=pulsar.BatchingType.KeyBased if por_clave else pulsar.BatchingType.Default,
            )
        )

    def suscribir(self, topico: str) -> Suscripcion:
        """Se une a la suscripción `tracking` del tópico; bloquea hasta que el broker la acepta.

        Raises:
            FalloDelBroker: no se pudo.
        """
        return Suscripcion(self._suscribir(topico, SUSCRIPCION, _COLA_DE_RECEPCION))

    def asegurar_suscripcion(self, topico: str, suscripcion: str) -> None:
        """Deja creada la suscripción, para que el broker guarde lo que se publique desde ahora.

        El embebido lo guarda todo, y una suscripción en uso no admite que otro proceso se le una.

        Raises:
            FalloDelBroker: no se pudo.
        """
        if not self._embebido:
            self._suscribir(topico, suscripcion, 1).close()

    def leer(self, topico: str) -> Iterator[MensajeRecibido]:
        """Recorre lo que el tópico guarda, partición a partición y del más antiguo al último, sin consumirlo.

        Llega al menos hasta lo último que había al empezar. Da cada mensaje una vez, con la misma posición
        que ve un consumidor.

        Raises:
            FalloDelBroker: no se pudo, o el broker dejó de responder antes del final.
        """
        tramo = self._leer_del_embebido if self._embebido else self._leer_de_apache
        for particion in self._cliente.get_topic_partitions(self._nombre(topico)):
            yield from map(_mensaje_recibido, tramo(particion))

    def _leer_de_apache(self, nombre: str) -> Iterator[pulsar.Message]:
        with closing(self._cliente.create_reader(nombre, pulsar.MessageId.earliest)) as lector:
            while lector.has_message_available():
                yield lector.read_next(_LIMITE_LECTURA_MS)

    def _leer_del_embebido(self, nombre: str) -> Iterator[pulsar.Message]:
        """Lee hasta el final que el broker dijo al empezar, sin huecos, e insiste si se calla antes.

        El embebido repite mensajes a un lector, puede quedarse callado con muchos por leer y responde con un
        error a si queda alguno en un tópico vacío. Pero numera seguidas sus entradas: un hueco se ve. Y envía
        sin que se le pida: por eso se lee por tramos, y entre dos no hay ningún lector que llenar.
        """
        final = self._final_en_el_embebido(nombre)
        ultimo = pulsar.MessageId.earliest
        silencios = 0
        while final is not None:
            with closing(self._seguidos(nombre, ultimo)) as seguidos:
                tramo, esta_lleno = _hasta_llenarlo(seguidos)
            for mensaje in tramo:
                if _lugar(mensaje.message_id())[:2] > final:
                    return
                ultimo = mensaje.message_id()
                yield mensaje
            # El cliente recibe una entrada entera de una vez: tras el silencio, la última está completa.
            if _lugar(ultimo)[:2] >= final and not esta_lleno:
                return
            silencios = 0 if tramo else silencios + 1
            if silencios > _SILENCIOS_TOLERADOS:
                raise pulsar.Timeout("el broker embebido se calló antes del final")

    def _seguidos(self, nombre: str, desde: pulsar.MessageId) -> Generator[pulsar.Message]:
        """Los mensajes que siguen a `desde`, hasta que el broker se calla o se salta alguno."""
        lector = self._cliente.create_reader(nombre, desde, receiver_queue_size=_COLA_DE_LECTURA)
        anterior = _lugar(desde)
        with closing(lector), suppress(pulsar.Timeout):
            while True:
                mensaje = lector.read_next(_ESPERA_EMBEBIDO_MS)
                lugar = _lugar(mensaje.message_id())
                if lugar <= anterior:
                    continue
                if not _sigue(anterior, lugar):
                    return
                anterior = lugar
                yield mensaje

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
        self._cliente.shutdown()

    def _conectado(self, conectar: Callable[..., T], *argumentos: object, **ajustes: object) -> T:
        """Conecta y, si el broker calla, dice lo que la biblioteca no dice.

        Raises:
            FalloDelBroker: no se pudo.
        """
        try:
            return conectar(*argumentos, **ajustes)
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

    def _suscribir(self, topico: str, suscripcion: str, cola: int) -> pulsar.Consumer:
        return self._conectado(
            self._cliente.subscribe,
            self._nombre(topico),
            suscripcion,
            consumer_type=pulsar.ConsumerType.Shared,
            initial_position=pulsar.InitialPosition.Earliest,
            receiver_queue_size=cola,
            negative_ack_redelivery_delay_ms=_RETARDO_DE_DEVOLUCION_MS,
        )

    def _nombre(self, topico: str) -> str:
        return f"persistent://{self._espacio}/{topico}"


def _lugar(numero: pulsar.MessageId) -> tuple[int, int, int]:
    return numero.ledger_id(), numero.entry_id(), numero.batch_index()


def _sigue(anterior: tuple[int, int, int], lugar: tuple[int, int, int]) -> bool:
    """Dice si entre los dos no cabe ningún mensaje."""
    libro, entrada, indice = lugar
    if (libro, entrada) == anterior[:2]:
        return indice == anterior[2] + 1
    return indice <= 0 and entrada == (anterior[1] + 1 if libro == anterior[0] else 0)


def _hasta_llenarlo(mensajes: Iterable[pulsar.Message]) -> tuple[list[pulsar.Message], bool]:
    """Los primeros que caben en un tramo, y si lo llenaron."""
    tramo: list[pulsar.Message] = []
    octetos = 0
    for mensaje in mensajes:
        tramo.append(mensaje)
        octetos += len(mensaje.data())
        if len(tramo) >= _TRAMO or octetos >= _OCTETOS_POR_TRAMO:
            return tramo, True
    return tramo, False


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
