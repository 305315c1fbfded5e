"""La comparación: la misma carga para todos, por turnos, y las mismas pruebas de lo que promete cada uno.

Qué es: primero las cifras, con todos en marcha y por turnos. Después, uno a uno y desde cero: con la carga a
tope se mata todo de golpe al llegar una respuesta; lo que se había respondido y falta al volver es lo que se
perdió. Luego se envían unos cuantos dos veces, y uno que no vale.
Qué no es: un corte de luz. El broker embebido no escribe con fsync, y a eso no sobrevive nadie que lo use.
Por qué existe: lo que promete cada uno se comprueba, y no se copia de su página.
"""

import re
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

from alpespartners.medicion.carga import Fabrica, Resultado, a_tope, a_un_ritmo, correr, envio
from alpespartners.medicion.eventos import RUTAS
from alpespartners.medicion.nucleos import en_el_de_la_carga
from rendimiento.rivales.rival import EnMarcha, Rival

_CALENTAMIENTO: Final = 1.0
_REPETIDOS: Final = 100
_RITMO: Final = 200.0
_MARGEN: Final = 0.5
"""Segundos de carga de más: la respuesta con la que se mata llega dentro de ellos."""
_ID: Final = re.compile(rb'"id": ?"([^"]+)"')


class Vuelta(NamedTuple):
    """Lo que dio uno en una vuelta.

    Attributes:
        por_segundo: eventos aceptados.
        cpu: segundos de CPU por evento, sin el broker.
        broker: los de su broker.
    """

    por_segundo: float
    cpu: float
    broker: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comprobado:
    """Lo que se vio de lo que promete uno.

    Attributes:
        respondidos: el `id` de cada evento que aceptó antes de morir.
        recuperados: cuántas veces guardaba cada uno al volver.
        dos_veces: los que se le enviaron dos veces.
        guardados: cuántas veces guardaba cada uno después.
        rechaza: si dijo que no al que no vale.
    """

    respondidos: Collection[str]
    recuperados: Counter[str]
    dos_veces: Collection[str]
    guardados: Counter[str]
    rechaza: bool

    @property
    def perdidos(self) -> int:
        """Los que había aceptado y ya no están."""
        return len(set(self.respondidos) - self.recuperados.keys())

    @property
    def contados_de_mas(self) -> int:
        """Cuántas veces de más guarda los que recibió dos veces."""
        return sum(max(0, self.guardados[ident] - 1) for ident in self.dos_veces)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparado:
    """Un rival, sus vueltas y lo que se vio de lo que promete."""

    rival: Rival
    vueltas: Sequence[Vuelta]
    comprobado: Comprobado

    @property
    def mediana(self) -> Vuelta:
        """La de cada cifra, por separado."""
        return Vuelta(*map(median, zip(*self.vueltas, strict=True)))


def comparar(rivales: Sequence[Rival], carpeta: Path, *, breve: bool) -> Iterator[Comparado]:
    """Da cada uno cuando está entero.

    Args:
        rivales: los que se pudieron instalar.
        carpeta: donde se instalaron.
        breve: unos segundos; da una idea, no una cifra.
    """
    vueltas, segundos = (1, 1.0) if breve else (5, 5.0)
    cifras: list[list[Vuelta]] = [[] for _ in rivales]
    with ExitStack() as pila:
        corredores = [_Corredor(rival, pila.enter_context(rival.arrancar(carpeta))) for rival in rivales]
        pila.enter_context(en_el_de_la_carga())
        for corredor in corredores:
            corredor.correr(_CALENTAMIENTO)
        for _ in range(vueltas):
            for corredor, suyas in zip(corredores, cifras, strict=True):
                suyas.append(corredor.correr(segundos))
    for rival, suyas in zip(rivales, cifras, strict=True):
        with rival.arrancar(carpeta) as en_marcha, en_el_de_la_carga():
            yield Comparado(rival=rival, vueltas=suyas, comprobado=_comprobar(rival, en_marcha, segundos))


class _Corredor:
    """Uno en marcha, con la cuenta de lo que lleva aceptado."""

    def __init__(self, rival: Rival, en_marcha: EnMarcha) -> None:
        self._rival = rival
        self._en_marcha = en_marcha
        self._aceptados = 0

    def correr(self, segundos: float) -> Vuelta:
        """Lo carga a tope y espera a que acabe con todo."""
        uno = self._en_marcha
        cpu, broker = uno.cpu(), uno.cpu_del_broker()
        resultado = _exigir(
            self._rival, correr(a_tope(uno.puerto, self._rival.fabrica(uno.puerto), segundos))
        )
        cuantos = len(resultado.demoras)
        self._aceptados += cuantos
        uno.terminar(self._aceptados)
        return Vuelta(
            resultado.por_segundo, (uno.cpu() - cpu) / cuantos, (uno.cpu_del_broker() - broker) / cuantos
        )


def _comprobar(rival: Rival, uno: EnMarcha, segundos: float) -> Comprobado:
    respondidos = _matar_bajo_carga(rival, uno, segundos)
    uno.recuperar()
    recuperados = uno.guardados(Counter(respondidos))
    nueva = rival.fabrica(uno.puerto)
    nuevos = [nueva() for _ in range(_REPETIDOS)]
    dos_veces = [_id_de(peticion) for peticion in nuevos]
    _exigir(rival, _enviar(uno, cycle(nuevos).__next__, 2 * _REPETIDOS))
    guardados = uno.guardados(Counter(dos_veces * 2))
    sin_nada = envio(uno.puerto, RUTAS["impresiones"], b'{"id":"sin-nada-mas"}')
    (estado,) = _enviar(uno, lambda: sin_nada, 1).estados
    return Comprobado(
        respondidos=respondidos,
        recuperados=recuperados,
        dos_veces=dos_veces,
        guardados=guardados,
        rechaza=estado != rival.estado,
    )


def _matar_bajo_carga(rival: Rival, uno: EnMarcha, segundos: float) -> Collection[str]:
    """Lo carga, lo mata en cuanto llega una respuesta pasados esos segundos, y devuelve lo respondido."""
    respondidos: list[str] = []
    hora = time.monotonic() + segundos
    vivo = True

    def al_atender(peticion: bytes) -> None:
        nonlocal vivo
        respondidos.append(_id_de(peticion))
        if vivo and time.monotonic() >= hora:
            vivo = False
            uno.matar()

    fabrica = rival.fabrica(uno.puerto)
    _exigir(rival, correr(a_tope(uno.puerto, fabrica, segundos + _MARGEN, al_atender=al_atender)))
    if vivo:
        raise RuntimeError(f"{rival.nombre} dejó de responder antes de que se le matara")
    return respondidos


def _id_de(peticion: bytes) -> str:
    hallado = _ID.search(peticion)
    if hallado is None:
        raise ValueError("la petición no lleva id")
    return hallado[1].decode()


def _enviar(uno: EnMarcha, fabrica: Fabrica, cuantos: int) -> Resultado:
    return correr(a_un_ritmo(uno.puerto, fabrica, _RITMO, cuantos / _RITMO))


def _exigir(rival: Rival, resultado: Resultado) -> Resultado:
    resultado.exigir(rival.estado)
    return resultado
