"""`alpespartners conciliar`: comprobar, con lo que guardan los tópicos, que no falta ni sobra nada.

Qué es: la cara en la terminal de `infraestructura/operacion/conciliador.py`, y de un recuento de los informes
que no corrige: avance, balance por tópico y hallazgos.
Qué no es: una reparación; no escribe nada, y puede ejecutarse con todo en marcha.
Por qué existe: «ninguno se pierde, ninguno se cuenta dos veces» tiene que poder comprobarlo cualquiera.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Final

import typer

from alpespartners.cli.avance import Avance
from alpespartners.cli.cuantas import cuantas
from alpespartners.cli.destino import imprimible
from alpespartners.cli.diferencias import linea
from alpespartners.cli.hallazgos_en_json import hallazgos_en_json
from alpespartners.cli.no_se_pudo import no_se_pudo
from alpespartners.composicion.inicio import leer_ajustes
from alpespartners.modulos.informes.dominio.diferencia import Diferencia, DiferenciaDeUsuarios
from alpespartners.modulos.tracking.aplicacion.conciliacion import Cuenta, Hallazgo, TipoDeHallazgo
from alpespartners.modulos.tracking.aplicacion.puertos import (
    BaseDatosNoDisponible,
    BrokerNoDisponible,
    EsquemaDesconocido,
    FilaIlegible,
)
from alpespartners.seedwork.arranque import ErrorDeArranque
from alpespartners.seedwork.orden import ORDEN

_DE_CADA_TIPO: Final = 20


def conciliar(
    *,
    espera: Annotated[
        float,
        typer.Option(
            min=0, max=3600, help="Segundos, de 0 a 3600, tras los que se vuelve a mirar lo que falta."
        ),
    ] = 10.0,
    margen: Annotated[
        float,
        typer.Option(
            min=0,
            max=86_400,
            help="Segundos, de 0 a 86400, que un comando sin destino puede ir por detrás de los demás.",
        ),
    ] = 60.0,
    json: Annotated[
        Path | None, typer.Option("--json", help="Archivo donde dejar todos los hallazgos, uno por línea.")
    ] = None,
) -> None:
    """Compara los tópicos y los informes con la base de datos y nombra lo que falta o sobra.

    Termina con 0 si todo cuadra, con 1 si algo no cuadra y con 2 si no se pudo comprobar.
    """
    from alpespartners.composicion.ordenes import conciliar as conciliar_con
    from alpespartners.modulos.informes.infraestructura.recuento import CuentaIlegible

    dichos: Counter[TipoDeHallazgo] = Counter()
    with ExitStack() as pila:
        dejar = pila.enter_context(hallazgos_en_json(json))
        avance = pila.enter_context(Avance())

        def al_hallar(hallazgo: Hallazgo) -> None:
            dichos[hallazgo.tipo] += 1
            dejar(hallazgo)
            if hallazgo.tipo.es_discrepancia and dichos[hallazgo.tipo] <= _DE_CADA_TIPO:
                avance.decir(_linea(hallazgo))

        def al_diferir(diferencia: Diferencia | DiferenciaDeUsuarios) -> None:
            al_hallar(Hallazgo(tipo=TipoDeHallazgo.INFORME, detalle=linea(diferencia)))

        try:
            cuentas = conciliar_con(
                leer_ajustes(),
                al_hallar=al_hallar,
                al_diferir=al_diferir,
                avanza=avance.avanzar,
                espera=espera,
                margen=margen,
            )
        except BrokerNoDisponible:
            raise no_se_pudo("El broker no responde; pruebe otra vez cuando vuelva.") from None
        except (BaseDatosNoDisponible, FilaIlegible, CuentaIlegible) as error:
            frase = f"No se puede leer la base de datos: {str(error).removesuffix('.')}."
            raise no_se_pudo(imprimible(frase)) from None
        except EsquemaDesconocido as error:
            raise no_se_pudo(f"{error} y repita la orden.") from None
        except ErrorDeArranque as error:
            raise no_se_pudo(str(error)) from None
    if _informar(cuentas, dichos):
        raise typer.Exit(1)


def _informar(cuentas: Sequence[Cuenta], dichos: Mapping[TipoDeHallazgo, int]) -> int:
    """Escribe el balance y devuelve cuántas discrepancias hay."""
    for cuenta in cuentas:
        typer.echo(_balance(cuenta))
    discrepancias = {tipo: cuantos for tipo, cuantos in dichos.items() if tipo.es_discrepancia}
    for tipo, cuantos in discrepancias.items():
        if cuantos > _DE_CADA_TIPO:
            typer.echo(f"{tipo}: {cuantos} en total; --json los deja todos en un archivo.")
    if TipoDeHallazgo.INFORME in discrepancias:
        typer.echo(f"Las de los informes las corrige `{ORDEN} recontar`.")
    total = sum(discrepancias.values())
    typer.echo(f"{cuantas(total, 'discrepancia', 'discrepancias')}.")
    return total


def _balance(cuenta: Cuenta) -> str:
    partes = [
        cuantas(cuenta.mensajes, "mensaje", "mensajes"),
        cuantas(cuenta.distintos, "distinto", "distintos"),
    ]
    partes += [f"{nombre} {cuantos}" for nombre, cuantos in sorted(cuenta.cuadran.items())]
    if cuenta.en_camino:
        partes.append(f"en camino {cuenta.en_camino}")
    partes += [f"{tipo}: {cuantos}" for tipo, cuantos in sorted(cuenta.hallazgos.items())]
    return f"{cuenta.topico}: {', '.join(partes)}"


def _linea(hallazgo: Hallazgo) -> str:
    nombres = {
        "id": hallazgo.evento_id,
        "comando_id": hallazgo.comando_id,
        "posición": hallazgo.posicion,
        "detalle": hallazgo.detalle,
    }
    datos = [f"{nombre} {valor}" for nombre, valor in nombres.items() if valor is not None]
    partes = datos if hallazgo.topico is None else [hallazgo.topico, *datos]
    return imprimible(f"{hallazgo.tipo}: {' · '.join(partes)}")
