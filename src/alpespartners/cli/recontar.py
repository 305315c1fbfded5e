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
from alpespartners.cli.destino import imprimible
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
            dejar(_en_json(diferencia))
            dichas += 1
            if dichas <= _DICHAS:
                avance.decir(_linea(diferencia))

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
    frase = f"{hecho.eventos} eventos contados: {hecho.diferencias} diferencias"
    if not hecho.diferencias:
        return f"{frase}."
    if hecho.corregidas == hecho.diferencias:
        return f"{frase}, corregidas."
    return f"{frase}, {hecho.corregidas} corregidas."


def _en_json(diferencia: Diferencia | DiferenciaDeUsuarios) -> dict[str, object]:
    if isinstance(diferencia, DiferenciaDeUsuarios):
        contados, hay = diferencia.contados, diferencia.hay
        return {
            "tabla": diferencia.tabla,
            "campaña_id": diferencia.campana_id,
            "desde": diferencia.desde,
            "contados": None if contados is None else contados.eventos,
            "hay": hay.eventos,
            "usuarios_contados": None if contados is None else contados.distintos.valor,
            "usuarios": hay.distintos.valor,
        }
    return {
        "tabla": diferencia.tabla,
        "campaña_id": diferencia.campana_id,
        "desde": diferencia.desde,
        "tipo": diferencia.tipo,
        "moneda": diferencia.moneda,
        "influencer_id": diferencia.influencer_id,
        "cupon": diferencia.cupon,
        "contados": diferencia.contada.cuantos,
        "hay": diferencia.hay.cuantos,
        "valor_contado": diferencia.contada.valor,
        "valor": diferencia.hay.valor,
    }


def _linea(diferencia: Diferencia | DiferenciaDeUsuarios) -> str:
    if isinstance(diferencia, DiferenciaDeUsuarios):
        return _linea_de_usuarios(diferencia)
    nombres = {
        "campaña": diferencia.campana_id,
        "desde": diferencia.desde.isoformat(timespec="minutes"),
        "influencer": diferencia.influencer_id,
        "cupón": diferencia.cupon,
        "tipo": diferencia.tipo,
        "moneda": diferencia.moneda,
    }
    partes = [f"{nombre} {valor}" for nombre, valor in nombres.items() if valor]
    partes.append(f"contados {diferencia.contada.cuantos}, hay {diferencia.hay.cuantos}")
    if diferencia.contada.valor or diferencia.hay.valor:
        partes.append(f"valor contado {diferencia.contada.valor}, hay {diferencia.hay.valor}")
    return imprimible(f"{diferencia.tabla}: {' · '.join(partes)}")


def _linea_de_usuarios(diferencia: DiferenciaDeUsuarios) -> str:
    contados, hay = diferencia.contados, diferencia.hay
    de_quien = f"campaña {diferencia.campana_id} · desde {diferencia.desde.isoformat(timespec='minutes')}"
    dice = "no se entiende"
    if contados is not None:
        dice = f"contados {contados.eventos} con {contados.distintos.valor} usuarios"
        if contados.boceto != hay.boceto and contados.distintos == hay.distintos:
            dice += ", que no son los mismos"
    return imprimible(f"{diferencia.tabla}: {de_quien} · {dice}, hay {hay.eventos} con {hay.distintos.valor}")
