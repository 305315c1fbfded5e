"""El envío de una siembra: por lotes y por la API, con la cuenta de lo que se respondió a cada evento.

Qué es: dos vueltas. En la primera va lo nuevo y lo que tiene faltas, por su hora; en la segunda, lo repetido
y lo que choca, cuando lo primero está ya en el broker: así gana siempre el mismo.
Qué no es: la suerte final de cada uno; un duplicado se acepta, y lo que es se sabe después.
Por qué existe: lo que dice haber enviado tiene que ser lo que después dicen los informes.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Final, NamedTuple

import msgspec

from alpespartners.siembra.audiencias import PREFIJO
from alpespartners.siembra.calendario import cuantos, horas
from alpespartners.siembra.visitas import Papel, Sembrado, envios_de
from alpespartners.traspaso.cliente import Cliente, Enviado, Negativa, NoSePuedeEnviar

_POR_LOTE: Final = 500
_A_LA_VEZ: Final = 4
_POR_PAGINA: Final = 1_000
_CODIFICADOR: Final = msgspec.json.Encoder()
_DE_LA_SEGUNDA_VUELTA: Final = frozenset({Papel.REPETIDO, Papel.EN_CONFLICTO})


@dataclass(frozen=True, slots=True, kw_only=True)
class Siembra:
    """Qué se siembra.

    Attributes:
        semilla: la misma da los mismos eventos.
        eventos: cuántos envíos en total, incluidos los repetidos y los que tienen faltas.
        dias: cuántos.
        hasta: el instante en que acaban; en punto, en UTC.
    """

    semilla: int
    eventos: int
    dias: int
    hasta: datetime

    def envios(self) -> Iterator[Sembrado]:
        """Todos, por su hora."""
        de_horas = horas(self.hasta, self.dias)
        for hora, suyos in zip(de_horas, cuantos(self.eventos, de_horas), strict=True):
            yield from islice(envios_de(self.semilla, hora), suyos)


@dataclass(slots=True)
class Sembrados:
    """Lo que se envió y lo que se respondió.

    Attributes:
        enviados: cuántos de cada papel.
        aceptados: cuántos de cada papel confirmó el broker.
        faltas: por qué se rechazó al llegar, código y campo, y cuántas veces.
    """

    enviados: Counter[Papel] = field(default_factory=Counter)
    aceptados: Counter[Papel] = field(default_factory=Counter)
    faltas: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def como_se_esperaba(self) -> bool:
        """Dice si se aceptó todo menos lo que tiene faltas."""
        return all(
            self.aceptados[papel] == (0 if papel is Papel.CON_FALTAS else self.enviados[papel])
            for papel in Papel
        )


class _Campaña(msgspec.Struct):
    campaña_id: str


class _Pagina(msgspec.Struct):
    elementos: list[_Campaña]


class _EnVuelo(NamedTuple):
    envios: Sequence[Sembrado]
    enviado: Future[Enviado]


def campaña_de_otro(cliente: Cliente) -> str | None:
    """Una campaña del servicio que no sea de demostración, si la hay.

    Raises:
        NoSePuedeEnviar: no se pudo preguntar.
    """
    cuerpo = cliente.leer(f"/tracking/campanas?limite={_POR_PAGINA}")
    # Las de demostración son pocas: si hay otra, está en la primera página.
    campañas = msgspec.json.decode(cuerpo, type=_Pagina).elementos
    return next((una.campaña_id for una in campañas if not una.campaña_id.startswith(PREFIJO)), None)


def sembrar(siembra: Siembra, cliente: Cliente, sembrados: Sembrados, avanza: Callable[[int], None]) -> None:
    """Envía la siembra entera; al fallar, `sembrados` dice lo que se llegó a saber.

    Args:
        siembra: qué se siembra.
        cliente: a quién se envía; después ya no envía nada más.
        sembrados: donde se cuenta.
        avanza: recibe cuántos más tienen respuesta.

    Raises:
        NoSePuedeEnviar: el servicio no volvió, o no deja entrar.
    """
    despues: list[Sembrado] = []

    def primera_vuelta() -> Iterator[Sembrado]:
        for envio in siembra.envios():
            if envio.papel in _DE_LA_SEGUNDA_VUELTA:
                despues.append(envio)
            else:
                yield envio

    hilos = ThreadPoolExecutor(_A_LA_VEZ, "sembrar")
    try:
        for vuelta in (primera_vuelta(), despues):
            _enviar(vuelta, cliente, hilos, sembrados, avanza)
    finally:
        cliente.parar("Se dejó de enviar.")
        hilos.shutdown(cancel_futures=True)


def _enviar(
    envios: Iterable[Sembrado],
    cliente: Cliente,
    hilos: ThreadPoolExecutor,
    sembrados: Sembrados,
    avanza: Callable[[int], None],
) -> None:
    """Los envía y vuelve cuando todos tienen respuesta."""
    en_vuelo: deque[_EnVuelo] = deque()
    por_enviar = iter(envios)
    while lote := list(islice(por_enviar, _POR_LOTE)):
        cuerpos = [_CODIFICADOR.encode(envio.cuerpo) for envio in lote]
        en_vuelo.append(_EnVuelo(lote, hilos.submit(cliente.enviar, cuerpos)))
        if len(en_vuelo) > 2 * _A_LA_VEZ:
            avanza(_contar(en_vuelo.popleft(), sembrados))
    while en_vuelo:
        avanza(_contar(en_vuelo.popleft(), sembrados))


def _contar(lote: _EnVuelo, sembrados: Sembrados) -> int:
    enviado = lote.enviado.result()
    for envio, resultado in zip(lote.envios, enviado.resultados, strict=True):
        if resultado is None:
            raise NoSePuedeEnviar(enviado.motivo)
        sembrados.enviados[envio.papel] += 1
        if isinstance(resultado, Negativa):
            sembrados.faltas[f"http_{resultado.estado}", ""] += 1
        elif resultado.estado == "RECHAZADA":
            sembrados.faltas.update((falta["codigo"], falta["campo"]) for falta in resultado.errores)
        else:
            sembrados.aceptados[envio.papel] += 1
    return len(lote.envios)
