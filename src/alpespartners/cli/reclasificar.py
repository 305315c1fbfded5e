"""`alpespartners reclasificar`: leer otra vez, con las reglas de hoy, la procedencia de lo registrado.

Qué es: la cara en la terminal de `infraestructura/operacion/reclasificador.py`: avance, cambios y totales.
Qué no es: una orden de todos los días; quien registra un evento lo lee en ese momento.
Por qué existe: al actualizar se conocen más robots, y lo que se registró antes de que se leyera no lo está.
"""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from alpespartners.cli.avance import Avance
from alpespartners.cli.cuantas import cuantas
from alpespartners.cli.destino import imprimible
from alpespartners.cli.no_se_pudo import no_se_pudo
from alpespartners.composicion.inicio import leer_ajustes
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible, FilaIlegible
from alpespartners.seedwork.arranque import ErrorDeArranque

if TYPE_CHECKING:
    from alpespartners.modulos.tracking.infraestructura.operacion.reclasificador import Reclasificado

_DICHOS: Final = 40


def reclasificar(
    *,
    solo_comparar: Annotated[
        bool, typer.Option("--solo-comparar", help="Dice qué cambiaría y no escribe nada.")
    ] = False,
    campana: Annotated[
        str | None, typer.Option("--campaña", "--campana", help="Solo los de esta campaña.")
    ] = None,
) -> None:
    """Lee otra vez de dónde vino cada evento, con las reglas de hoy y todo en marcha, y dice qué cambia.

    Termina con 0, haya o no cambios, y con 2 si no se pudo.
    """
    from alpespartners.composicion.ordenes import reclasificar as reclasificar_con

    try:
        with Avance() as avance:
            hecho = reclasificar_con(
                leer_ajustes(), campaña_id=campana, escribir=not solo_comparar, avanza=avance.avanzar
            )
    except BaseDatosNoDisponible as error:
        frase = str(error).removesuffix(".")
        raise no_se_pudo(
            f"No se puede usar la base de datos: {frase}. Lo hecho hasta ahí vale; repita la orden."
        ) from None
    except FilaIlegible as error:
        raise no_se_pudo(imprimible(f"No se pudo acabar: {error}. Lo hecho hasta ahí vale.")) from None
    except ErrorDeArranque as error:
        raise no_se_pudo(str(error)) from None
    # Por su número y, a igual número, siempre en el mismo orden.
    cambios = sorted(hecho.cambios.items(), key=lambda cambio: (-cambio[1], str(cambio[0])))
    for (campo, antes, ahora), veces in cambios[:_DICHOS]:
        typer.echo(imprimible(f"{campo}: {_valor(antes)} → {_valor(ahora)}: {veces}"))
    if len(cambios) > _DICHOS:
        typer.echo(f"Y otros {len(cambios) - _DICHOS} cambios distintos, de menos eventos cada uno.")
    typer.echo(_resumen(hecho))


def _valor(valor: Any) -> str:
    match valor:
        case None | ():
            return "–"
        case bool():
            return "sí" if valor else "no"
        case tuple():
            return ", ".join(valor)
        case _:
            return str(valor)


def _resumen(hecho: "Reclasificado") -> str:
    frase = (
        f"{cuantas(hecho.mirados, 'evento leído', 'eventos leídos')} otra vez: "
        f"{cuantas(hecho.distintos, 'cambia', 'cambian')}, "
        f"{cuantas(hecho.escritos, 'fila reescrita', 'filas reescritas')}"
    )
    if hecho.sin_evaluar:
        frase += "; " + cuantas(
            hecho.sin_evaluar,
            "no se pudo leer y queda como estaba",
            "no se pudieron leer y quedan como estaban",
        )
    return f"{frase}."
