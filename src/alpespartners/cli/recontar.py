"""`alpespartners recontar`: comprobar que los informes cuentan lo que hay en el libro, y corregirlos.

Qué es: la cara en la terminal de `informes/infraestructura/recuento.py`: avance, diferencias y totales.
Qué no es: una orden de todos los días; quien registra un evento lo cuenta en la misma transacción.
Por qué existe: a una base de datos puede tocarla otra mano, y quien paga por un informe ha de poder fiarse.
"""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from alpespartners.cli.avance import Avance
from alpespartners.cli.cuantas import cuantas
from alpespartners.cli.destino import imprimible
from alpespartners.cli.diferencias import en_json, linea
from alpespartners.cli.hallazgos_en_json import hallazgos_en_json
from alpespartners.cli.no_se_pudo import no_se_pudo
from alpespartners.composicion.inicio import leer_ajustes
from alpespartners.modulos.informes.dominio.diferencia import Diferencia, DiferenciaDeUsuarios
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible
from alpespartners.seedwork.arranque import ErrorDeArranque

if TYPE_CHECKING:
    from alpespartners.modulos.informes.infraestructura.recuento import Recontado

_DICHAS: Final = 20


def recontar(
    *,
    solo_comparar: Annotated[
        bool, typer.Option("--solo-comparar", help="Dice qué no cuadra y no corrige nada.")
    ] = False,
    json: Annotated[
        Path | None, typer.Option("--json", help="Archivo donde dejar todas las diferencias, una por línea.")
    ] = None,
) -> None:
    """Compara lo que cuentan los informes con las filas y corrige lo que no cuadre, con todo en marcha.

    Termina con 0 si todo cuadraba, con 1 si algo no, aunque lo haya corregido, y con 2 si no se pudo.
    """
    from alpespartners.composicion.ordenes import recontar as recontar_con
    from alpespartners.modulos.informes.infraestructura.recuento import CuentaIlegible

    dichas = 0
    with ExitStack() as pila:
        dejar = pila.enter_context(hallazgos_en_json(json))
        avance = pila.enter_context(Avance())

        def al_hallar(diferencia: Diferencia | DiferenciaDeUsuarios) -> None:
            nonlocal dichas
            dejar(en_json(diferencia))
            dichas += 1
            if dichas <= _DICHAS:
                avance.decir(linea(diferencia))

        try:
            hecho = recontar_con(
                leer_ajustes(), corregir=not solo_comparar, al_hallar=al_hallar, avanza=avance.avanzar
            )
        except BaseDatosNoDisponible as error:
            raise no_se_pudo(f"No se puede usar la base de datos: {str(error).removesuffix('.')}.") from None
        except CuentaIlegible as error:
            frase = f"No se pudo acabar: {error}. Lo corregido hasta ahí vale."
            raise no_se_pudo(imprimible(frase)) from None
        except ErrorDeArranque as error:
            raise no_se_pudo(str(error)) from None
    if dichas > _DICHAS:
        typer.echo(f"{dichas} en total; --json las deja todas en un archivo.")
    typer.echo(_resumen(hecho))
    if hecho.impedimento is not None:
        typer.echo(hecho.impedimento, err=True)
    if hecho.diferencias:
        raise typer.Exit(1)


def _resumen(hecho: "Recontado") -> str:
    eventos = cuantas(hecho.eventos, "evento contado", "eventos contados")
    frase = f"{eventos}: {cuantas(hecho.diferencias, 'diferencia', 'diferencias')}"
    if not hecho.diferencias:
        return f"{frase}."
    if hecho.corregidas == hecho.diferencias:
        return f"{frase}, {'corregida' if hecho.diferencias == 1 else 'corregidas'}."
    return f"{frase}, {cuantas(hecho.corregidas, 'corregida', 'corregidas')}."
