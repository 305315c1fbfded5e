"""Meta a: la CPU que gasta un evento, de la petición a su evento publicado.

Qué es: CPU de la API y de los consumidores (con su relevo) por evento, con el broker embebido y sobre cada
base de datos que haya, contra la CPU de una respuesta ASGI sin trabajo del mismo servidor, por turnos. Un
evento por petición, 64 conexiones. Aceptar se compara además con su suelo: publicar un mensaje ya escrito.
Qué no es: caudal; aquí se suman segundos de CPU, y que otro proceso ocupe la máquina apenas los cambia. Lo
que gastan el broker y el servidor de PostgreSQL va aparte, y no se suma.
Por qué existe: la CPU por evento dice cuántas máquinas hacen falta.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from statistics import median
from typing import Final, NamedTuple

from alpespartners.medicion.atraso import esperar_a_todo
from alpespartners.medicion.base_postgresql import base_postgresql
from alpespartners.medicion.carga import a_tope, correr
from alpespartners.medicion.eventos import mezcla
from alpespartners.medicion.medida import Medida
from alpespartners.medicion.montaje import Montaje, Proceso, asentados, montaje, parando, techo
from alpespartners.medicion.nucleos import en_el_de_la_carga, en_el_de_los_servidores
from alpespartners.medicion.programa import ejecutar
from alpespartners.medicion.servidor_postgresql import cpu_del_servidor, servidor_postgresql

_MICROSEGUNDOS: Final = 1e6
_CALENTAMIENTO: Final = 0.5


class _Motor(NamedTuple):
    """Un servicio sobre una base de datos.

    Attributes:
        nombre: el de la base de datos.
        servicio: sus procesos, por arrancar.
        cpu: los segundos de CPU que lleva gastados el servidor de la base de datos; `None` si no lo hay.
    """

    nombre: str
    servicio: Montaje
    cpu: Callable[[], float] | None


class _Gasto(NamedTuple):
    """Los segundos de CPU por evento de cada parte, en una vuelta."""

    api: float
    consumidores: float
    broker: float
    base_datos: float


def medir(*, breve: bool) -> Sequence[Medida]:
    """Devuelve las filas de la meta a; las de PostgreSQL, si está instalado."""
    vueltas, segundos = (1, 1.5) if breve else (5, 6.0)
    medidas: list[Medida] = []
    with techo("responder") as sin_trabajo:
        for motor in (_sqlite, _postgresql):
            with motor() as montado:
                if montado is not None:
                    medidas += _medir(montado, sin_trabajo, vueltas, segundos)
    return medidas


def _medir(motor: _Motor, sin_trabajo: Proceso, vueltas: int, segundos: float) -> list[Medida]:
    with ExitStack() as pila:
        with en_el_de_los_servidores():
            api = motor.servicio.api()
            consumidores = motor.servicio.consumidores(api)
        pila.enter_context(parando(consumidores, api))
        suelo = pila.enter_context(techo("prometer", motor.servicio.url_del_broker()))
        pila.enter_context(en_el_de_la_carga())
        for servidor in (sin_trabajo, suelo, api):
            _cargar(servidor, _CALENTAMIENTO)
        esperar_a_todo(api, asentados(api.puerto))
        base, promesa, gastos = [], [], []
        for _ in range(vueltas):
            base.append(_cpu_de(sin_trabajo, segundos))
            promesa.append(_cpu_de(suelo, segundos))
            gastos.append(_gasto(motor, api, consumidores, segundos))
    partes = [median(parte) for parte in zip(*gastos, strict=True)]
    return list(_filas(motor, median(base), median(promesa), _Gasto(*partes)))


def _filas(motor: _Motor, sin_nada: float, suelo: float, gasto: _Gasto) -> Iterator[Medida]:
    frente_a = f"{_us(sin_nada)} una respuesta sin trabajo"
    entero = gasto.api + gasto.consumidores
    es_sqlite = motor.cpu is None
    yield Medida(
        meta="a",
        nombre=f"CPU por evento, de la petición al evento publicado, {motor.nombre}",
        medido=f"{_us(entero)} (API {_us(gasto.api)} + consumidores {_us(gasto.consumidores)})",
        techo=frente_a,
        cifra=entero / sin_nada,
        objetivo=7 if es_sqlite else None,
        normal=30,
    )
    if es_sqlite:
        # Aceptar no toca la base de datos.
        yield Medida(
            meta="a",
            nombre="CPU por evento, solo aceptarlo",
            medido=_us(gasto.api),
            techo=f"{_us(suelo)} su suelo: el servidor y el cliente de Pulsar, sin nada nuestro",
            cifra=gasto.api / suelo,
            objetivo=1.7,
            normal=6,
        )
        yield Medida(
            meta="a",
            nombre="Suelo de aceptarlo: el servidor y el cliente de Pulsar, sin nada nuestro",
            medido=_us(suelo),
            techo=frente_a,
            cifra=suelo / sin_nada,
        )
    yield Medida(
        meta="a",
        nombre=f"CPU por comando, los consumidores con su relevo, {motor.nombre}",
        medido=_us(gasto.consumidores),
        techo=frente_a,
        cifra=gasto.consumidores / sin_nada,
        objetivo=3.5,
        normal=14,
    )
    if es_sqlite:
        yield _aparte("del broker embebido", gasto.broker, sin_nada)
    else:
        yield _aparte("del servidor de PostgreSQL", gasto.base_datos, sin_nada)


def _aparte(de_quien: str, gastado: float, sin_nada: float) -> Medida:
    return Medida(
        meta="a",
        nombre=f"CPU {de_quien} por evento (aparte)",
        medido=_us(gastado),
        techo=f"{_us(sin_nada)} una respuesta sin trabajo",
        cifra=gastado / sin_nada,
    )


def _gasto(motor: _Motor, api: Proceso, consumidores: Proceso, segundos: float) -> _Gasto:
    """Carga el servicio entero a tope, espera a que acabe, y dice lo que gastó cada parte."""

    def cuentas() -> tuple[float, ...]:
        return (
            api.cpu,
            consumidores.cpu,
            motor.servicio.cpu_del_broker(),
            0.0 if motor.cpu is None else motor.cpu(),
        )

    previos, antes = asentados(api.puerto), cuentas()
    cuantos = _cargar(api, segundos)
    esperar_a_todo(api, previos + cuantos)
    return _Gasto(*((ahora - antes) / cuantos for ahora, antes in zip(cuentas(), antes, strict=True)))


def _cpu_de(servidor: Proceso, segundos: float) -> float:
    antes = servidor.cpu
    cuantos = _cargar(servidor, segundos)
    return (servidor.cpu - antes) / cuantos


def _cargar(servidor: Proceso, segundos: float) -> int:
    """Lo carga a tope y devuelve cuántas respuestas dio."""
    resultado = correr(a_tope(servidor.puerto, mezcla(servidor.puerto), segundos))
    resultado.exigir(202)
    return len(resultado.demoras)


@contextmanager
def _sqlite() -> Iterator[_Motor]:
    with montaje() as servicio:
        yield _Motor("SQLite", servicio, None)


@contextmanager
def _postgresql() -> Iterator[_Motor | None]:
    with servidor_postgresql() as servidor:
        if servidor is None:
            yield None
            return
        with base_postgresql(servidor) as url, montaje(ALPES_BASE_DATOS=url) as servicio:
            yield _Motor("PostgreSQL", servicio, lambda: cpu_del_servidor(servidor))


def _us(segundos: float) -> str:
    return f"{segundos * _MICROSEGUNDOS:.1f} µs"


if __name__ == "__main__":
    ejecutar("CPU por evento.", medir)
