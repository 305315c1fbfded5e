"""Meta a: la CPU que gasta un evento, de la petición a su evento publicado.

Qué es: CPU de la API y de los consumidores (con su relevo) por evento, sobre SQLite y el broker embebido,
contra la CPU de una respuesta ASGI sin trabajo del mismo servidor, por turnos. Un evento por petición, 64
conexiones.
Qué no es: caudal; aquí se suman segundos de CPU, y que otro proceso ocupe la máquina apenas los cambia.
Por qué existe: la CPU por evento dice cuántas máquinas hacen falta.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from statistics import median

from alpespartners.medicion.atraso import esperar_a_todo
from alpespartners.medicion.carga import a_tope, correr
from alpespartners.medicion.eventos import mezcla
from alpespartners.medicion.medida import Medida
from alpespartners.medicion.montaje import Proceso, asentados, montaje, parando, techo
from alpespartners.medicion.nucleos import en_el_de_la_carga, en_el_de_los_servidores
from alpespartners.medicion.programa import ejecutar

_MICROSEGUNDOS = 1e6


def medir(*, breve: bool) -> Sequence[Medida]:
    """Devuelve las filas de la meta a."""
    vueltas, segundos = (1, 1.5) if breve else (5, 6.0)
    with techo("responder") as sin_trabajo, montaje() as servicio, ExitStack() as pila:
        with en_el_de_los_servidores():
            api = servicio.api()
            consumidores = servicio.consumidores(api)
        pila.enter_context(parando(consumidores, api))
        suelo = pila.enter_context(techo("prometer", servicio.url_del_broker()))
        broker = servicio.broker()
        with en_el_de_la_carga():
            _cargar(sin_trabajo, 0.5)
            _cargar(suelo, 0.5)
            _cargar(api, 0.5)
            esperar_a_todo(api, asentados(api.puerto))
            base, promesa, admision, asiento, aparte = [], [], [], [], []
            for _ in range(vueltas):
                base.append(_cpu_de(sin_trabajo, segundos))
                promesa.append(_cpu_de(suelo, segundos))
                previos = asentados(api.puerto)
                cuentas = api.cpu, consumidores.cpu, sum(broker.cpu_times()[:2])
                cuantos = _cargar(api, segundos)
                esperar_a_todo(api, previos + cuantos)
                admision.append((api.cpu - cuentas[0]) / cuantos)
                asiento.append((consumidores.cpu - cuentas[1]) / cuantos)
                aparte.append((sum(broker.cpu_times()[:2]) - cuentas[2]) / cuantos)
    sin_nada, api_, consumidores_ = median(base), median(admision), median(asiento)
    return [
        Medida(
            meta="a",
            nombre="CPU por evento, de la petición al evento publicado",
            medido=f"{_us(api_ + consumidores_)} (API {_us(api_)} + consumidores {_us(consumidores_)})",
            techo=f"{_us(sin_nada)} una respuesta sin trabajo",
            cifra=(api_ + consumidores_) / sin_nada,
            objetivo=5,
            normal=25,
        ),
        Medida(
            meta="a",
            nombre="CPU por evento, solo aceptarlo",
            medido=_us(api_),
            techo=f"{_us(sin_nada)} una respuesta sin trabajo",
            cifra=api_ / sin_nada,
            objetivo=2.5,
            normal=12,
        ),
        Medida(
            meta="a",
            nombre="Suelo de aceptarlo: el servidor y el cliente de Pulsar, sin nada nuestro",
            medido=_us(median(promesa)),
            techo=f"{_us(sin_nada)} una respuesta sin trabajo",
            cifra=median(promesa) / sin_nada,
        ),
        Medida(
            meta="a",
            nombre="CPU del broker embebido por evento (aparte)",
            medido=_us(median(aparte)),
            techo=f"{_us(sin_nada)} una respuesta sin trabajo",
            cifra=median(aparte) / sin_nada,
        ),
    ]


def _cpu_de(servidor: Proceso, segundos: float) -> float:
    antes = servidor.cpu
    cuantos = _cargar(servidor, segundos)
    return (servidor.cpu - antes) / cuantos


def _cargar(servidor: Proceso, segundos: float) -> int:
    """Lo carga a tope y devuelve cuántas respuestas dio."""
    resultado = correr(a_tope(servidor.puerto, mezcla(servidor.puerto), segundos))
    resultado.exigir(202)
    return len(resultado.demoras)


def _us(segundos: float) -> str:
    return f"{segundos * _MICROSEGUNDOS:.1f} µs"


if __name__ == "__main__":
    ejecutar("CPU por evento.", medir)
