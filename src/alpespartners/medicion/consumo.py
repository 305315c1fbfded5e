"""Meta d: cuántos comandos por segundo vacía un consumidor de un tópico lleno.

Qué es: un proceso de consumidores detenido mientras se llenan los dos tópicos, y el tiempo y la CPU en que
los vacía: filas confirmadas en la base de datos y, con ellas, sus eventos publicados. Por turnos, insertar
esas mismas filas con el controlador y nada más, que es el techo; y recibir y confirmar esos mismos mensajes
sin mirarlos y publicar otros tantos ya escritos, que con lo anterior es el suelo. Todo, y el broker
embebido, en el mismo núcleo; PostgreSQL, en otro.
Qué no es: la demora de un evento con el servicio al día, que es la meta e.
Por qué existe: de esto depende cuánto se tarda en ponerse al día tras una parada.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any, Final, NamedTuple

import pulsar

from alpespartners.broker_embebido import BrokerEmbebido
from alpespartners.medicion.base_postgresql import base_postgresql
from alpespartners.medicion.comandos import modelos, sobre_como
from alpespartners.medicion.controlador import TABLAS, Controlador, controlador_postgresql, controlador_sqlite
from alpespartners.medicion.medida import Medida
from alpespartners.medicion.montaje import Montaje, Proceso, esperar_a, montaje, parando
from alpespartners.medicion.nucleos import en_el_de_la_carga, en_el_de_los_servidores
from alpespartners.medicion.programa import ejecutar
from alpespartners.medicion.servidor_postgresql import servidor_postgresql
from alpespartners.modulos.tracking.aplicacion.mensajes import Sobre
from alpespartners.modulos.tracking.infraestructura.libro.balance import BalanceSQL
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.lecturas import LecturasPostgreSQL
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.lecturas import LecturasSQLite
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.libro import migrar
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import ClientePulsar, Productor
from alpespartners.modulos.tracking.infraestructura.pulsar.hilo_ajeno import conservar_este_hilo

_LIMITE: Final = 180.0
_CALENTAMIENTO: Final = 200
_RECEPCION_MS: Final = 10_000
_RAFAGA: Final = 500
_MICROSEGUNDOS: Final = 1e6


@dataclass(frozen=True, slots=True)
class _Motor:
    """Un servicio sobre una base de datos, y cómo mirarla y copiarla."""

    nombre: str
    servicio: Montaje
    lecturas: LecturasSQLite | LecturasPostgreSQL
    controlador: Controlador

    def asentados(self) -> int:
        """Cuántos comandos tienen ya su destino confirmado en la base de datos."""
        return self.lecturas.leer_libro(lambda c: sum(r.cuantos for r in BalanceSQL(c).renglones()))

    def pendientes(self) -> int:
        """Cuántos eventos esperan en la bandeja de salida."""
        return self.lecturas.leer_libro(lambda c: BalanceSQL(c).envios_pendientes().cuantos)


class _Broker(NamedTuple):
    """Lo que se hace con tantos mensajes en el broker, sin más; cada uno vuelve cuando está hecho.

    Attributes:
        llenar: publicar comandos, la mitad de cada clase.
        recibir: recibir y confirmar esos comandos sin abrirlos.
        publicar: publicar un mensaje ya escrito, del tamaño de un evento.
    """

    llenar: Callable[[int], None]
    recibir: Callable[[int], None]
    publicar: Callable[[int], None]


class _Tramo(NamedTuple):
    """Lo que duró algo, en segundos, y la CPU que gastó este proceso."""

    duro: float
    cpu: float


@dataclass(frozen=True, slots=True)
class _Vuelta:
    """Los segundos por comando.

    Attributes:
        fila: hasta su fila.
        evento: hasta su evento.
        cpu: de CPU del consumidor, hasta su evento.
        techo: insertar su fila y nada más.
        recibir: recibirlo y confirmarlo sin abrirlo.
        publicar: publicar un mensaje ya escrito.
    """

    fila: float
    evento: float
    cpu: float
    techo: _Tramo
    recibir: _Tramo
    publicar: _Tramo

    @property
    def suelo(self) -> float:
        """Los de recibirlo y guardar su fila, sin más."""
        return self.recibir.duro + self.techo.duro

    @property
    def cpu_del_suelo(self) -> float:
        """La CPU de recibirlo, guardar su fila y publicar su evento, sin más."""
        return self.recibir.cpu + self.techo.cpu + self.publicar.cpu


def medir(*, breve: bool) -> Sequence[Medida]:
    """Devuelve las filas de la meta d de los motores que estén instalados."""
    vueltas, cuantos = (1, 2_000) if breve else (5, 20_000)
    medidas: list[Medida] = []
    for motor in (_sqlite, _postgresql):
        with motor() as montado:
            if montado is not None:
                medidas += _medir(montado, vueltas, cuantos)
    return medidas


def _medir(motor: _Motor, vueltas: int, cuantos: int) -> list[Medida]:
    with ExitStack() as pila:
        with en_el_de_los_servidores():
            consumidores = motor.servicio.consumidores()
        pila.enter_context(parando(consumidores))
        broker = pila.enter_context(_en_el_broker(motor.servicio))
        ultimos = dict.fromkeys(TABLAS, "")
        hechas = [
            _vuelta(motor, consumidores, broker, ultimos, tamaño)
            for tamaño in (_CALENTAMIENTO, *[cuantos] * vueltas)
        ][1:]
    fila, suelo, cpu, cpu_del_suelo = (
        median(getattr(v, cual) for v in hechas) for cual in ("fila", "suelo", "cpu", "cpu_del_suelo")
    )
    techo = median(v.techo.duro for v in hechas)
    partes = [median(getattr(v, cual).cpu for v in hechas) for cual in ("recibir", "techo", "publicar")]
    recibir, insertar, publicar = (f"{parte * _MICROSEGUNDOS:.1f}" for parte in partes)
    return [
        Medida(
            meta="d",
            nombre=f"Comandos por segundo de un tópico lleno a sus filas, {motor.nombre}",
            medido=f"{1 / fila:.0f}/s; con sus eventos publicados, "
            f"{1 / median(v.evento for v in hechas):.0f}/s",
            techo=f"{1 / techo:.0f}/s insertar esas filas, sin preguntar ni anunciar nada",
            cifra=median(v.techo.duro / v.fila for v in hechas),
            objetivo=0.25,
            normal=0.02,
            como_minimo=True,
        ),
        Medida(
            meta="d",
            nombre=f"Suelo: recibirlos, confirmarlos e insertarlos sin abrirlos, {motor.nombre}",
            medido=f"{1 / suelo:.0f}/s",
            techo=f"{1 / techo:.0f}/s insertar esas filas",
            cifra=median(v.techo.duro / v.suelo for v in hechas),
        ),
        Medida(
            meta="d",
            nombre=f"CPU del consumidor por comando, con su evento publicado, {motor.nombre}",
            medido=f"{cpu * _MICROSEGUNDOS:.1f} µs",
            techo=f"{cpu_del_suelo * _MICROSEGUNDOS:.1f} µs su suelo: recibir y confirmar {recibir}, "
            f"insertar {insertar} y publicar uno ya escrito {publicar}",
            cifra=median(v.cpu / v.cpu_del_suelo for v in hechas),
        ),
    ]


def _vuelta(
    motor: _Motor, consumidores: Proceso, broker: _Broker, ultimos: dict[str, str], cuantos: int
) -> _Vuelta:
    previos = motor.asentados()

    def asentados() -> bool:
        consumidores.exigir_vivo()
        return motor.asentados() >= previos + cuantos

    with consumidores.suspendido(), en_el_de_la_carga():
        broker.llenar(cuantos)
        cpu, inicio = consumidores.cpu, time.perf_counter()
    with en_el_de_la_carga():
        esperar_a(asentados, _LIMITE, f"que el consumidor asentara {cuantos} comandos")
        fila = time.perf_counter() - inicio
        esperar_a(lambda: not motor.pendientes(), _LIMITE, "que el relevo publicara lo pendiente")
        evento = time.perf_counter() - inicio
        cpu = consumidores.cpu - cpu
    insertar = []
    for tabla in TABLAS:
        filas = motor.controlador.leer(tabla, ultimos[tabla])
        ultimos[tabla] = str(filas[-1][0])
        insertar.append(_cronometrar(cuantos, partial(motor.controlador.insertar, tabla, filas)))
    return _Vuelta(
        fila=fila / cuantos,
        evento=evento / cuantos,
        cpu=cpu / cuantos,
        techo=_Tramo(*map(sum, zip(*insertar, strict=True))),
        recibir=_cronometrar(cuantos, partial(broker.recibir, cuantos)),
        publicar=_cronometrar(cuantos, partial(broker.publicar, cuantos)),
    )


def _cronometrar(cuantos: int, trabajo: Callable[[], None]) -> _Tramo:
    """Lo que cuesta ese trabajo por cada uno, en el núcleo de los servidores."""
    with en_el_de_los_servidores():
        comienzo, cpu_previa = time.perf_counter(), time.process_time()
        trabajo()
        return _Tramo(
            (time.perf_counter() - comienzo) / cuantos, (time.process_time() - cpu_previa) / cuantos
        )


@contextmanager
def _en_el_broker(servicio: Montaje) -> Iterator[_Broker]:
    """Llena los tópicos y publica con el cliente del servicio; recibe con el de la biblioteca."""
    clases = modelos()
    with BrokerEmbebido(servicio.datos) as broker, ExitStack() as pila:
        cliente = ClientePulsar(broker.url, embebido=True)
        pila.callback(cliente.cerrar)
        otro = pulsar.Client(broker.url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
        pila.callback(otro.shutdown)
        suscripciones = [_suscribirse(otro, sobre_como(modelo).topico) for modelo in clases]
        escritor = cliente.productor("suelo", por_clave=True, limite=_LIMITE, maximo_en_curso=_RAFAGA)
        escrito = sobre_como(clases[0])

        def llenar(cuantos: int) -> None:
            for modelo in clases:
                sobres = [sobre_como(modelo) for _ in range(cuantos // len(clases))]
                respuestas: list[bool] = []
                productor = cliente.productor(
                    sobres[0].topico, por_clave=False, limite=_LIMITE, maximo_en_curso=cuantos
                )
                for sobre in sobres:
                    productor.enviar(sobre, respuestas.append)
                _esperar_confirmados(respuestas, len(sobres))
                productor.cerrar()

        def recibir(cuantos: int) -> None:
            for suscripcion in suscripciones:
                for numero in range(cuantos // len(suscripciones)):
                    try:
                        mensaje = suscripcion.receive(_RECEPCION_MS)
                    except pulsar.Timeout as error:
                        raise TimeoutError(f"el broker entregó {numero} mensajes y calló") from error
                    mensaje.data()
                    mensaje.properties()
                    suscripcion.acknowledge(mensaje.message_id())

        yield _Broker(llenar, recibir, partial(_publicar, escritor, escrito))


def _publicar(productor: Productor, escrito: Sobre, cuantos: int) -> None:
    """Publica ese sobre tantas veces y vuelve cuando el broker las confirmó."""
    respuestas: list[bool] = []

    def al_saber(confirmado: bool) -> None:  # noqa: FBT001
        conservar_este_hilo()
        respuestas.append(confirmado)

    # De lote en lote, como el consumidor: con todos a la vez se mediría cómo se estorban los hilos.
    for publicados in range(0, cuantos, _RAFAGA):
        hasta = min(publicados + _RAFAGA, cuantos)
        for _ in range(publicados, hasta):
            productor.enviar(escrito, al_saber)
        _esperar_confirmados(respuestas, hasta)


def _esperar_confirmados(respuestas: list[bool], cuantos: int) -> None:
    """Vuelve cuando hay respuesta para todos.

    No con `flush`, que no tiene límite: si el broker calla, espera para siempre.

    Raises:
        RuntimeError: alguno no se confirmó.
        TimeoutError: alguno no tiene respuesta.
    """
    esperar_a(lambda: len(respuestas) >= cuantos, _LIMITE, f"que el broker confirmara {cuantos} mensajes")
    if not all(respuestas):
        raise RuntimeError("el broker no confirmó todos los mensajes")


def _suscribirse(cliente: pulsar.Client, topico: str) -> Any:
    suscripcion = cliente.subscribe(
        f"persistent://public/default/{topico}",
        "suelo",
        consumer_type=pulsar.ConsumerType.Shared,
        initial_position=pulsar.InitialPosition.Earliest,
    )
    return suscripcion._consumer  # noqa: SLF001 (como el servicio: lo de fuera cuesta más)


@contextmanager
def _sqlite() -> Iterator[_Motor]:
    with montaje() as servicio, ExitStack() as pila:
        lecturas = LecturasSQLite(servicio.datos)
        pila.callback(lecturas.cerrar)
        migrar(servicio.datos)
        copia = servicio.datos.with_name("techo")
        controlador = pila.enter_context(controlador_sqlite(servicio.datos, copia))
        yield _Motor("SQLite", servicio, lecturas, controlador)


@contextmanager
def _postgresql() -> Iterator[_Motor | None]:
    with servidor_postgresql() as servidor, ExitStack() as pila:
        if servidor is None:
            yield None
            return
        url, copia = (pila.enter_context(base_postgresql(servidor)) for _ in range(2))
        servicio = pila.enter_context(montaje(ALPES_BASE_DATOS=url))
        lecturas = LecturasPostgreSQL(url)
        pila.callback(lecturas.cerrar)
        controlador = pila.enter_context(controlador_postgresql(url, copia))
        yield _Motor("PostgreSQL", servicio, lecturas, controlador)


if __name__ == "__main__":
    ejecutar("Vaciar un tópico lleno.", medir)
