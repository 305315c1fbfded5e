"""Meta d: cuántos comandos por segundo vacía un consumidor de un tópico lleno.

Qué es: un proceso de consumidores detenido mientras se llenan los dos tópicos, y el tiempo y la CPU en que
los vacía: filas confirmadas en la base de datos y, con ellas, sus eventos publicados. Por turnos, insertar
esas mismas filas con el controlador y nada más, que es el techo; y recibir y confirmar esos mismos mensajes
sin mirarlos, que con lo anterior es el suelo. Todo, en el mismo núcleo; el broker y PostgreSQL, en otro.
Qué no es: la demora de un evento con el servicio al día, que es la meta e.
Por qué existe: de esto depende cuánto se tarda en ponerse al día tras una parada.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

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
from alpespartners.modulos.tracking.infraestructura.libro.balance import BalanceSQL
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.lecturas import LecturasPostgreSQL
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.lecturas import LecturasSQLite
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.libro import migrar
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import ClientePulsar

_LIMITE = 300.0
_CALENTAMIENTO: Final = 200
_RECEPCION_MS: Final = 10_000
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


@dataclass(frozen=True, slots=True)
class _Vuelta:
    """Los segundos por comando: hasta su fila, hasta su evento, de CPU; los del techo, y los de recibirlo."""

    fila: float
    evento: float
    cpu: float
    techo: float
    cpu_del_techo: float
    recibir: float

    @property
    def suelo(self) -> float:
        """Los de recibirlo y guardar su fila, sin más."""
        return self.recibir + self.techo


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
        llenar, recibir = pila.enter_context(_en_el_broker(motor.servicio))
        ultimos = dict.fromkeys(TABLAS, "")
        hechas = [
            _vuelta(motor, consumidores, llenar, recibir, ultimos, tamaño)
            for tamaño in (_CALENTAMIENTO, *[cuantos] * vueltas)
        ][1:]
    fila, techo, suelo = (median(getattr(v, cual) for v in hechas) for cual in ("fila", "techo", "suelo"))
    cpu, cpu_del_techo = (median(getattr(v, cual) for v in hechas) for cual in ("cpu", "cpu_del_techo"))
    return [
        Medida(
            meta="d",
            nombre=f"Comandos por segundo de un tópico lleno a sus filas, {motor.nombre}",
            medido=f"{1 / fila:.0f}/s; con sus eventos publicados, "
            f"{1 / median(v.evento for v in hechas):.0f}/s",
            techo=f"{1 / techo:.0f}/s insertar esas filas, sin preguntar ni anunciar nada",
            cifra=median(v.techo / v.fila for v in hechas),
            objetivo=0.5,
            normal=0.02,
            como_minimo=True,
        ),
        Medida(
            meta="d",
            nombre=f"Suelo: recibirlos, confirmarlos e insertarlos sin abrirlos, {motor.nombre}",
            medido=f"{1 / suelo:.0f}/s",
            techo=f"{1 / techo:.0f}/s insertar esas filas",
            cifra=median(v.techo / v.suelo for v in hechas),
        ),
        Medida(
            meta="d",
            nombre=f"CPU del consumidor por comando, con su evento publicado, {motor.nombre}",
            medido=f"{cpu * _MICROSEGUNDOS:.1f} µs",
            techo=f"{cpu_del_techo * _MICROSEGUNDOS:.1f} µs insertar esas filas",
            cifra=median(v.cpu / v.cpu_del_techo for v in hechas),
        ),
    ]


def _vuelta(
    motor: _Motor,
    consumidores: Proceso,
    llenar: Callable[[int], None],
    recibir: Callable[[int], None],
    ultimos: dict[str, str],
    cuantos: int,
) -> _Vuelta:
    previos = motor.asentados()

    def asentados() -> bool:
        consumidores.exigir_vivo()
        return motor.asentados() >= previos + cuantos

    with consumidores.suspendido(), en_el_de_la_carga():
        llenar(cuantos)
        cpu, inicio = consumidores.cpu, time.perf_counter()
    with en_el_de_la_carga():
        esperar_a(asentados, _LIMITE)
        fila = time.perf_counter() - inicio
        esperar_a(lambda: not motor.pendientes(), _LIMITE)
        evento = time.perf_counter() - inicio
        cpu = consumidores.cpu - cpu
    techo = cpu_del_techo = 0.0
    for tabla in TABLAS:
        filas = motor.controlador.leer(tabla, ultimos[tabla])
        ultimos[tabla] = str(filas[-1][0])
        with en_el_de_los_servidores():
            comienzo, cpu_previa = time.perf_counter(), time.process_time()
            motor.controlador.insertar(tabla, filas)
            techo += time.perf_counter() - comienzo
            cpu_del_techo += time.process_time() - cpu_previa
    with en_el_de_los_servidores():
        comienzo = time.perf_counter()
        recibir(cuantos)
        recepcion = time.perf_counter() - comienzo
    return _Vuelta(
        *(total / cuantos for total in (fila, evento, cpu, techo, cpu_del_techo, recepcion)),
    )


@contextmanager
def _en_el_broker(servicio: Montaje) -> Iterator[tuple[Callable[[int], None], Callable[[int], None]]]:
    """Da quien publica tantos comandos, la mitad de cada clase, y quien los recibe y confirma sin abrirlos.

    Quien publica vuelve cuando el broker los tiene.
    """
    clases = modelos()
    with BrokerEmbebido(servicio.datos) as broker, ExitStack() as pila:
        cliente = ClientePulsar(broker.url, embebido=True)
        pila.callback(cliente.cerrar)
        otro = pulsar.Client(broker.url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
        pila.callback(otro.shutdown)
        suscripciones = [_suscribirse(otro, sobre_como(modelo).topico) for modelo in clases]

        def llenar(cuantos: int) -> None:
            respuestas: list[bool] = []
            for modelo in clases:
                sobres = [sobre_como(modelo) for _ in range(cuantos // len(clases))]
                productor = cliente.productor(
                    sobres[0].topico, por_clave=False, limite=_LIMITE, maximo_en_curso=cuantos
                )
                for sobre in sobres:
                    productor.enviar(sobre, respuestas.append)
                productor.vaciar()
                productor.cerrar()
            if not all(respuestas):
                raise RuntimeError("el broker no confirmó todos los comandos")

        def recibir(cuantos: int) -> None:
            for suscripcion in suscripciones:
                for _ in range(cuantos // len(suscripciones)):
                    mensaje = suscripcion.receive(_RECEPCION_MS)
                    mensaje.data()
                    mensaje.properties()
                    suscripcion.acknowledge(mensaje.message_id())

        yield llenar, recibir


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
    with en_el_de_la_carga(), servidor_postgresql() as servidor:
        if servidor is None:
            yield None
            return
        with ExitStack() as pila:
            url, copia = (pila.enter_context(base_postgresql(servidor)) for _ in range(2))
            servicio = pila.enter_context(montaje(ALPES_BASE_DATOS=url))
            lecturas = LecturasPostgreSQL(url)
            pila.callback(lecturas.cerrar)
            controlador = pila.enter_context(controlador_postgresql(url, copia))
            yield _Motor("PostgreSQL", servicio, lecturas, controlador)


if __name__ == "__main__":
    ejecutar("Vaciar un tópico lleno.", medir)
