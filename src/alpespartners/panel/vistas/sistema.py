"""`/panel/sistema`: si el servicio funciona, si se pierde algo y en qué acabó cada envío."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.http.claves import Alcance
from alpespartners.api.http.parametros import sin_parametros
from alpespartners.api.http.rutas import Ruta
from alpespartners.modulos.tracking.aplicacion.clases import CLASES
from alpespartners.modulos.tracking.aplicacion.consultas.consultar_balance import BalanceDeTopico
from alpespartners.modulos.tracking.dominio.destinos import Duplicada, Ignorada, Ilegible, Rechazada
from alpespartners.panel.barra import partes
from alpespartners.panel.direcciones import SISTEMA
from alpespartners.panel.estado_del_sistema import leer_estado
from alpespartners.panel.fuentes import Fuentes
from alpespartners.panel.lectura_compartida import LecturaCompartida
from alpespartners.panel.paginas import Paginas

_VALE_DURANTE: Final = 1.0
"""Segundos que todas las pestañas comparten una lectura."""

_CON_LISTA: Final = {
    "duplicadas": Duplicada.estado,
    "rechazadas": Rechazada.estado,
    "ignoradas": Ignorada.estado,
    "ilegibles": Ilegible.estado,
}


def rutas(fuentes: Fuentes, paginas: Paginas) -> list[Ruta]:
    """La del sistema."""
    estado = LecturaCompartida(
        partial(
            leer_estado,
            fuentes.averiguar,
            fuentes.aceptado_hasta,
            fuentes.lecturas,
            fuentes.administracion,
            fuentes.clics,
            fuentes.instalacion,
            fuentes.reloj,
        ),
        _VALE_DURANTE,
    )

    async def sistema(peticion: Request) -> Response:
        sin_parametros(peticion)
        actual = await estado()
        cuentas = () if actual.balance is None else actual.balance.comandos
        return paginas.pagina(
            peticion,
            "sistema.html",
            trozo="estado",
            sistema=actual,
            clases=CLASES,
            cuentas=cuentas,
            barras=[partes(_recuentos(cuenta)) for cuenta in cuentas],
            renglones=_renglones(cuentas),
        )

    return [
        Ruta(
            plantilla=SISTEMA,
            metodo="GET",
            atencion=sistema,
            alcance=Alcance.OPERACION,
            al_fallar=paginas.al_fallar,
        )
    ]


@dataclass(frozen=True, slots=True)
class _Renglon:
    """Cuántas acabaron así, una cifra por clase; con `motivo`, las que lo tienen.

    `lista` es el estado por el que se piden, si no son filas del libro.
    """

    estado: str
    motivo: str | None
    cuantas: Sequence[int]
    lista: str | None = None


def _renglones(cuentas: Sequence[BalanceDeTopico]) -> list[_Renglon]:
    """Los de todas las clases, con los motivos que haya en alguna."""
    recuentos = [_recuentos(cuenta) for cuenta in cuentas]
    por_motivo = {
        "rechazadas": [cuenta.rechazadas for cuenta in cuentas],
        "ignoradas": [cuenta.ignoradas for cuenta in cuentas],
    }
    renglones: list[_Renglon] = []
    for estado in recuentos[0] if recuentos else ():
        cuantas = [suyos[estado] for suyos in recuentos]
        renglones.append(_Renglon(estado, None, cuantas, _CON_LISTA.get(estado)))
        con_motivo = por_motivo.get(estado, [])
        renglones += [
            _Renglon(estado, motivo, [suyos.get(motivo, 0) for suyos in con_motivo])
            for motivo in sorted({motivo for suyos in con_motivo for motivo in suyos})
        ]
    return renglones


def _recuentos(cuenta: BalanceDeTopico) -> Mapping[str, int]:
    """Lo que suma su total."""
    return {
        "registradas": cuenta.registradas,
        "duplicadas": cuenta.duplicadas,
        "rechazadas": sum(cuenta.rechazadas.values()),
        "ignoradas": sum(cuenta.ignoradas.values()),
        "ilegibles": cuenta.ilegibles,
    }
