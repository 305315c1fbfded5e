"""Meta p: lo que tarda en el servidor la página de una campaña grande, y lo que espera mientras quien envía.

Qué es: la página de una campaña de un millón de eventos, pedida como la pide un navegador y por turnos con lo
que costaría sin ella: su informe en JSON, y una página sin datos. Y la demora de un envío con doce pestañas
abiertas en la página de una campaña de cuarenta mil influencers, y sin ellas.
Qué no es: lo que tarda en verse: faltan la red y el navegador.
Por qué existe: una página que tarda no se abre, y una que frena los envíos acaba cerrada.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import repeat
from statistics import median, quantiles
from typing import Final, NamedTuple

from alpespartners.medicion.carga import a_tope, a_un_ritmo, correr
from alpespartners.medicion.eventos import mezcla
from alpespartners.medicion.medida import Medida
from alpespartners.medicion.montaje import Proceso, montaje, parando
from alpespartners.medicion.nucleos import en_el_de_la_carga, en_el_de_los_servidores
from alpespartners.medicion.programa import ejecutar
from alpespartners.modulos.informes.aplicacion.pedido import en_miles
from rendimiento.llenado import Reparto, llenar_sqlite, recontar
from rendimiento.pestanas import Pestañas, pedir_pagina

_CAMPAÑA: Final = "cmp-0"
_PAGINA: Final = f"/panel/campa%C3%B1as/{_CAMPAÑA}"
_INFORME: Final = f"/tracking/campa%C3%B1as/{_CAMPAÑA}/informe"
_SIN_DATOS: Final = "/panel/evento"
_DIAS: Final = 180
"""Noventa, y otros tantos con que compararlos."""
_INFLUENCERS: Final = 1_000
_USUARIOS: Final = 300_000
_OBJETIVO: Final = 300
_MUCHOS_INFLUENCERS: Final = 40_000
_DIAS_DE_MUCHOS: Final = 30
_POR_INFLUENCER: Final = 10
_PESTAÑAS: Final = 12
_POR_SEGUNDO: Final = 100
_CENTIL: Final = 94
_MILISEGUNDOS: Final = 1e3


class _Gasto(NamedTuple):
    """Lo que tardó cada respuesta, y el procesador que gastó, de media, en segundos."""

    demoras: Sequence[float]
    cpu: float

    @property
    def mediana(self) -> float:
        return median(self.demoras) * _MILISEGUNDOS

    @property
    def percentil_95(self) -> float:
        return quantiles(self.demoras, n=100)[_CENTIL] * _MILISEGUNDOS

    def __str__(self) -> str:
        return f"{self.mediana:.1f} ms, y {self.cpu * _MILISEGUNDOS:.1f} de CPU"


def medir(*, breve: bool) -> Sequence[Medida]:
    """Devuelve las filas de la meta p."""
    return [*_de_la_pagina(breve=breve), *_de_los_envios(breve=breve)]


def _de_la_pagina(*, breve: bool) -> Iterator[Medida]:
    eventos, vueltas, segundos = (5_000, 2, 0.2) if breve else (1_000_000, 10, 1.0)
    hoy = datetime.now(UTC).date()
    noventa = f"?desde={hoy - timedelta(days=89)}&hasta={hoy + timedelta(days=1)}&comparar=periodo_anterior"
    with _llena(eventos, timedelta(days=_DIAS), _INFLUENCERS) as api:
        direcciones = {
            "la de siempre": (_PAGINA, f"{_INFORME}?incluir=usuarios_unicos"),
            "90 días, comparados": (
                f"{_PAGINA}{noventa}",
                f"{_INFORME}{noventa}&incluir=usuarios_unicos",
            ),
        }
        gastos = _por_turnos(api, [_SIN_DATOS, *sum(direcciones.values(), ())], vueltas, segundos)
        for nombre, (pagina, informe) in direcciones.items():
            yield Medida(
                meta="p",
                nombre=f"Página de una campaña de {en_miles(eventos)} eventos, {nombre}, percentil 95",
                medido=f"{gastos[pagina]}",
                techo=f"{gastos[informe]}, su informe en JSON; {gastos[_SIN_DATOS]}, una página sin datos",
                cifra=gastos[pagina].percentil_95,
                objetivo=_OBJETIVO,
                unidad="ms",
            )


def _de_los_envios(*, breve: bool) -> Iterator[Medida]:
    influencers, vueltas, segundos = (500, 1, 2.0) if breve else (_MUCHOS_INFLUENCERS, 3, 6.0)
    pestañas = Pestañas(campaña_id=_CAMPAÑA, de_la_campaña=_PESTAÑAS)
    with _llena(influencers * _POR_INFLUENCER, timedelta(days=_DIAS_DE_MUCHOS), influencers) as api:
        _envios(api, Pestañas(), 1.0)
        hechas = [
            (_envios(api, Pestañas(), segundos), _envios(api, pestañas, segundos)) for _ in range(vueltas)
        ]
    sin_ellas, con_ellas = (
        _Gasto([una for gasto in suyos for una in gasto.demoras], median(gasto.cpu for gasto in suyos))
        for suyos in zip(*hechas, strict=True)
    )
    yield Medida(
        meta="p",
        nombre=f"Un envío, a {_POR_SEGUNDO}/s, con {_PESTAÑAS} pestañas en la página de una campaña de"
        f" {en_miles(influencers)} influencers, mediana",
        medido=f"{con_ellas}; percentil 95, {con_ellas.percentil_95:.1f} ms",
        techo=f"{sin_ellas}, sin ellas; percentil 95, {sin_ellas.percentil_95:.1f} ms",
        cifra=con_ellas.mediana,
        unidad="ms",
    )


def _por_turnos(
    api: Proceso, direcciones: Sequence[str], vueltas: int, segundos: float
) -> Mapping[str, _Gasto]:
    """Lo que tarda y gasta cada una, tras pedirla una vez."""
    demoras: dict[str, list[float]] = {direccion: [] for direccion in direcciones}
    cpu = dict.fromkeys(direcciones, 0.0)
    for vuelta in range(vueltas + 1):
        for direccion, suyas in demoras.items():
            fabrica = repeat(pedir_pagina(api.puerto, direccion)).__next__
            antes = api.cpu
            resultado = correr(a_tope(api.puerto, fabrica, segundos, conexiones=1))
            resultado.exigir(200)
            if vuelta:
                cpu[direccion] += api.cpu - antes
                suyas.extend(resultado.demoras)
    return {direccion: _Gasto(suyas, cpu[direccion] / len(suyas)) for direccion, suyas in demoras.items()}


def _envios(api: Proceso, pestañas: Pestañas, segundos: float) -> _Gasto:
    with pestañas.abiertas(api.puerto):
        antes = api.cpu
        resultado = correr(a_un_ritmo(api.puerto, mezcla(api.puerto), _POR_SEGUNDO, segundos))
        gastado = api.cpu - antes
    resultado.exigir(202)
    return _Gasto(resultado.demoras, gastado / len(resultado.demoras))


@contextmanager
def _llena(eventos: int, duracion: timedelta, influencers: int) -> Iterator[Proceso]:
    """La API de un libro con una campaña de tantos eventos, que acaban ahora."""
    reparto = Reparto(
        eventos=eventos,
        influencers=influencers,
        usuarios=_USUARIOS,
        comienzo=datetime.now(UTC) - duracion,
        cada=duracion / eventos,
        con_conversiones=True,
    )
    with ExitStack() as pila:
        servicio = pila.enter_context(montaje())
        llenar_sqlite(servicio.datos, reparto)
        recontar({"ALPES_DATOS": str(servicio.datos)})
        with en_el_de_los_servidores():
            api = servicio.api()
        pila.enter_context(parando(api))
        pila.enter_context(en_el_de_la_carga())
        yield api


if __name__ == "__main__":
    ejecutar("Lo que tarda la página de una campaña grande, y lo que espera quien envía mientras.", medir)
