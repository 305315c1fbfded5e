"""`alpespartners informe`: cuánto hubo en una campaña, contado a una persona.

Qué es: el informe de `GET /tracking/campañas/{campaña_id}/informe`, con sus mismos parámetros; en una tabla
o, si se pide, los octetos de su CSV.
Qué no es: lo que se cuenta (`modulos/informes`); no escribe nada ni necesita que haya nada en marcha.
Por qué existe: para ver cómo va una campaña no debería hacer falta un navegador ni una hoja de cálculo.
"""

from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from alpespartners.cli.destino import imprimible
from alpespartners.cli.no_se_pudo import no_se_pudo
from alpespartners.composicion.inicio import leer_ajustes
from alpespartners.modulos.informes.aplicacion.faltas import InformeImposible
from alpespartners.modulos.informes.aplicacion.pedido import DE_CAMPAÑA, Incluible, pedido_de_informe
from alpespartners.modulos.informes.aplicacion.puertos import UsuariosIlegibles
from alpespartners.modulos.informes.dominio.bots import Bots
from alpespartners.modulos.informes.dominio.comparaciones import Comparacion
from alpespartners.modulos.informes.dominio.intervalos import Granularidad
from alpespartners.modulos.tracking.dominio.excepciones import CampoInvalido
from alpespartners.modulos.tracking.dominio.objetos_valor import identificador
from alpespartners.seedwork.arranque import ErrorDeArranque
from alpespartners.seedwork.orden import ORDEN

_DIMENSIONES: Final = DE_CAMPAÑA.dimensiones


def informe(  # noqa: PLR0913 (una opción por parámetro del informe)
    campana: Annotated[str, typer.Argument(metavar="CAMPAÑA", help="El id de la campaña.")],
    *,
    desde: Annotated[
        str | None,
        typer.Option(
            "--desde", help="Desde esta fecha o instante, incluido: 2026-01-01. Si falta, treinta días."
        ),
    ] = None,
    hasta: Annotated[
        str | None, typer.Option("--hasta", help="Hasta esta fecha o instante, sin incluirlo. Si falta, hoy.")
    ] = None,
    zona: Annotated[
        str | None, typer.Option("--zona", help="De quién son los días: America/Bogota. Si falta, UTC.")
    ] = None,
    granularidad: Annotated[
        str | None, typer.Option("--granularidad", help=f"{', '.join(Granularidad)}. Si falta, dia.")
    ] = None,
    por: Annotated[
        str | None,
        typer.Option("--por", help=f"Una fila por cada uno, con comas: {', '.join(_DIMENSIONES)}."),
    ] = None,
    comparar: Annotated[
        str | None, typer.Option("--comparar", help=f"Con qué se compara: {', '.join(Comparacion)}.")
    ] = None,
    bots: Annotated[
        str | None,
        typer.Option(
            "--bots", help=f"Si las cifras los llevan: {', '.join(Bots)}. Si falta, {Bots.INCLUIR}."
        ),
    ] = None,
    incluir: Annotated[
        str | None, typer.Option("--incluir", help=f"Lo que se cuenta además: {', '.join(Incluible)}.")
    ] = None,
    csv: Annotated[
        bool, typer.Option("--csv", help="Escribe el CSV, con todas las columnas, en vez de la tabla.")
    ] = False,
) -> None:
    """Cuenta cuánto hubo en una campaña, exacto, por intervalos y por grupos.

    Termina con código 2 si no se entiende lo que se pide, o no se puede responder.
    """
    from rich.console import Console

    from alpespartners.api.http.formatos import Formato
    from alpespartners.api.informes.presentacion import informe as presentar
    from alpespartners.api.informes.tabla import escritura_de
    from alpespartners.cli.tabla_de_informe import escribir_tabla
    from alpespartners.composicion.ordenes import hacer_informe

    escritos = {
        "desde": desde,
        "hasta": hasta,
        "zona": zona,
        "granularidad": granularidad,
        "por": por,
        "comparar": comparar,
        "bots": bots,
        "incluir": incluir,
    }
    try:
        configuracion = leer_ajustes()
        pedido = pedido_de_informe(
            identificador("CAMPAÑA", campana),
            {nombre: valor for nombre, valor in escritos.items() if valor is not None},
            datetime.now(UTC),
        )
        hecho = presentar(hacer_informe(configuracion, pedido), pedido)
    except CampoInvalido as invalido:
        raise no_se_pudo(f"Ninguna campaña puede tener ese id: {invalido.fallo.mensaje}.") from None
    except InformeImposible as imposible:
        faltas = "\n".join(f"--{falta.parametro}: {falta.frase}." for falta in imposible.faltas)
        raise no_se_pudo(faltas) from None
    except UsuariosIlegibles as ilegibles:
        frase = f"No se puede responder: {ilegibles}; los corrige `{ORDEN} recontar`."
        raise no_se_pudo(imprimible(frase)) from None
    except ErrorDeArranque as error:
        raise no_se_pudo(error.frase) from None
    if csv:
        typer.echo(escritura_de(hecho, Formato.CSV).entera(hecho.filas), nl=False)
        return
    no_caben = escribir_tabla(hecho, pedido.sujeto_id, Console(highlight=False))
    if not hecho.total.valor and not hecho.total.impresiones:
        typer.echo(f"Se miró en {configuracion.lugar}.")
    if no_caben:
        typer.echo(f"No caben a lo ancho: {', '.join(no_caben)}. --csv lo tiene todo.", err=True)
