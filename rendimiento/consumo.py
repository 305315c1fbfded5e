"""Meta d: cuántos comandos por segundo vacía un consumidor de un tópico lleno.

Qué es: un proceso de consumidores detenido mientras se llenan los dos tópicos, y el tiempo y la CPU en que
los vacía: filas confirmadas en la base de datos y, con ellas, sus eventos publicados. Por turnos, insertar
esas mismas filas con el controlador y nada más. Los dos, en el mismo núcleo; el broker y PostgreSQL, en otro.
Qué no es: la demora de un evento con el servicio al día, que es la meta e.
Por qué existe: de esto depende cuánto se tarda en ponerse al día tras una parada.
"""

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from statistics import median
from typing import Any, Final

import uuid_utils

from alpespartners.api.ejemplos import EJEMPLOS
from alpespartners.modulos.tracking.aplicacion.comandos import Comando
from alpespartners.modulos.tracking.aplicacion.mapeadores import comando_de_conversion, comando_de_impresion
from alpespartners.modulos.tracking.infraestructura.balance import BalanceSQL
from alpespartners.modulos.tracking.infraestructura.cliente_pulsar import ClientePulsar
from alpespartners.modulos.tracking.infraestructura.lecturas import LecturasSQLite
from alpespartners.modulos.tracking.infraestructura.lecturas_postgresql import LecturasPostgreSQL
from alpespartners.modulos.tracking.infraestructura.sobres import Sobre, sobre_de_comando
from alpespartners.modulos.tracking.infraestructura.unidad_trabajo import migrar
from alpespartners.seedwork.infraestructura.broker_embebido import BrokerEmbebido
from alpespartners.seedwork.json_estricto import leer_json
from rendimiento.base_postgresql import base_postgresql
from rendimiento.controlador import TABLAS, Controlador, controlador_postgresql, controlador_sqlite
from rendimiento.medida import Medida
from rendimiento.montaje import Montaje, Proceso, esperar_a, montaje, parando
from rendimiento.nucleos import en_el_de_la_carga, en_el_de_los_servidores
from rendimiento.programa import ejecutar
from rendimiento.servidor_postgresql import servidor_postgresql

_LIMITE = 300.0
_CALENTAMIENTO: Final = 200
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
    """Los segundos por comando: hasta su fila, hasta su evento, de CPU; y los que cuesta el techo."""

    fila: float
    evento: float
    cpu: float
    techo: float
    cpu_del_techo: float


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
        llenar = pila.enter_context(_llenador(motor.servicio))
        ultimos = dict.fromkeys(TABLAS, "")
        hechas = [
            _vuelta(motor, consumidores, llenar, ultimos, tamaño)
            for tamaño in (_CALENTAMIENTO, *[cuantos] * vueltas)
        ][1:]
    fila, techo = (median(getattr(v, cual) for v in hechas) for cual in ("fila", "techo"))
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
            como_minimo=True,
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
    return _Vuelta(fila / cuantos, evento / cuantos, cpu / cuantos, techo / cuantos, cpu_del_techo / cuantos)


@contextmanager
def _llenador(servicio: Montaje) -> Iterator[Callable[[int], None]]:
    """Da lo que publica tantos comandos, la mitad de cada clase, y espera a que el broker los tenga."""
    cuerpos: dict[str, Any] = {nombre: leer_json(texto.encode()) for nombre, texto in EJEMPLOS.items()}
    ahora = datetime.now(UTC)
    modelos: list[Comando] = [
        comando_de_impresion(cuerpos["impresiones"], id_asignado=_nuevo_id, recibido_en=ahora),
        comando_de_conversion(cuerpos["conversiones"], id_asignado=_nuevo_id, recibido_en=ahora),
    ]
    with BrokerEmbebido(servicio.datos) as broker, ExitStack() as pila:
        cliente = ClientePulsar(broker.url, embebido=True)
        pila.callback(cliente.cerrar)

        def llenar(cuantos: int) -> None:
            respuestas: list[bool] = []
            for modelo in modelos:
                sobres = [_sobre(modelo) for _ in range(cuantos // len(modelos))]
                productor = cliente.productor(
                    sobres[0].topico, por_clave=False, limite=_LIMITE, maximo_en_curso=cuantos
                )
                for sobre in sobres:
                    productor.enviar(sobre, respuestas.append)
                productor.vaciar()
                productor.cerrar()
            if not all(respuestas):
                raise RuntimeError("el broker no confirmó todos los comandos")

        yield llenar


def _sobre(modelo: Comando) -> Sobre:
    """Ese comando con otro `id`, como lo publica la API."""
    traza = f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
    comando = replace(modelo, id=_nuevo_id(), recibido_en=datetime.now(UTC))
    return sobre_de_comando(comando, _nuevo_id(), traza)


def _nuevo_id() -> str:
    return str(uuid_utils.uuid7())


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
