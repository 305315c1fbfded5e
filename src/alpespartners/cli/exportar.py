"""`alpespartners exportar`: dejar los eventos de una clase en un archivo, para analizarlos o llevárselos.

Qué es: la cara en la terminal de `traspaso/exportacion.py`, con los filtros de la API.
Qué no es: una petición a la API; lee la base de datos, esté lo demás en marcha o no.
Por qué existe: millones de eventos no se bajan página a página.
"""

from pathlib import Path
from typing import Annotated, Final

import typer

from alpespartners.cli.avance import Avance
from alpespartners.cli.clase import ALTERNATIVAS, NombreDeClase, clase_llamada, leer_nombre
from alpespartners.cli.cuantas import cuantas
from alpespartners.cli.destino import imprimible
from alpespartners.cli.no_se_pudo import no_se_pudo
from alpespartners.composicion.inicio import leer_ajustes
from alpespartners.modulos.tracking.aplicacion.consultas.leer_corriente import peticion_de_corriente
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible, FilaIlegible
from alpespartners.modulos.tracking.dominio.excepciones import DatosInvalidos

_FORMATOS: Final = ("csv", "ndjson", "parquet")
_SIGUE: Final = "Repetir la orden sigue donde estaba."


def exportar(
    clase: Annotated[
        NombreDeClase,
        typer.Argument(parser=leer_nombre, help=f"De qué eventos, {ALTERNATIVAS}."),
    ],
    archivo: Annotated[Path, typer.Argument(help="El archivo, que no debe estar: .csv, .ndjson o .parquet.")],
    *,
    formato: Annotated[
        str | None,
        typer.Option("--formato", help="csv, ndjson o parquet; si falta, el del final del nombre."),
    ] = None,
    campana: Annotated[
        str | None, typer.Option("--campaña", "--campana", help="Solo los de esta campaña.")
    ] = None,
    influencer: Annotated[
        str | None, typer.Option("--influencer", help="Solo los de este influencer.")
    ] = None,
    desde: Annotated[
        str | None, typer.Option("--desde", help="Ocurridos desde este instante: 2026-01-15T00:00:00-05:00.")
    ] = None,
    hasta: Annotated[
        str | None, typer.Option("--hasta", help="Ocurridos antes de este instante, sin incluirlo.")
    ] = None,
    reemplazar: Annotated[
        bool, typer.Option("--reemplazar", help="Pone el nuevo en lugar del que haya, o de otro a medias.")
    ] = False,
) -> None:
    """Deja en un archivo los eventos registrados hasta ahora, por orden de llegada.

    Si se interrumpe, la misma orden sigue donde estaba. Termina con 0 si el archivo tiene las filas que hay
    en la base de datos, con 1 si no y con 2 si no se pudo exportar.
    """
    from alpespartners.composicion.ordenes import exportar as exportar_con
    from alpespartners.traspaso.exportacion import NoCuadra, NoSePuedeExportar
    from alpespartners.traspaso.formatos import FaltaAlgoInstalado

    suyo = formato or archivo.suffix.lower().removeprefix(".")
    nombre = imprimible(str(archivo))
    if suyo not in _FORMATOS:
        raise no_se_pudo(f"No se sabe en qué formato va {nombre}: diga --formato csv, ndjson o parquet.")
    escritos = {"campaña_id": campana, "influencer_id": influencer, "desde": desde, "hasta": hasta}
    configuracion = leer_ajustes()
    try:
        peticion = peticion_de_corriente(
            clase_llamada(clase), {n: valor for n, valor in escritos.items() if valor is not None}
        )
        with Avance() as avance:
            filas = exportar_con(
                configuracion,
                clase_llamada(clase),
                peticion,
                formato=suyo,
                ruta=archivo,
                reemplazar=reemplazar,
                avanza=avance.avanzar,
            )
    except NoCuadra as error:
        typer.echo(
            f"{nombre} no se termina, porque no cuadra: "
            f"{cuantas(error.en_el_archivo, 'fila escrita', 'filas escritas')} y "
            f"{error.en_el_libro} en la base de datos. Borre {nombre}.parte y repítalo.",
            err=True,
        )
        raise typer.Exit(1) from None
    except DatosInvalidos as invalidos:
        raise no_se_pudo(f"No se entiende qué se pide: {invalidos}.") from None
    except NoSePuedeExportar as error:
        raise no_se_pudo(f"{nombre}: {error}.") from None
    except FaltaAlgoInstalado as error:
        raise no_se_pudo(str(error)) from None
    except (BaseDatosNoDisponible, FilaIlegible) as error:
        frase = imprimible(str(error).removesuffix("."))
        raise no_se_pudo(f"No se puede leer la base de datos: {frase}. {_SIGUE}") from None
    except KeyboardInterrupt:
        raise no_se_pudo(f"Interrumpida. {_SIGUE}") from None
    except OSError as error:
        raise no_se_pudo(f"No se puede escribir {nombre}: {error.strerror}. {_SIGUE}") from None
    son = f"{cuantas(filas, 'fila', 'filas')} de {clase_llamada(clase).plural}"
    typer.echo(f"{nombre}: {son}, lo que hay en {configuracion.lugar}.")
