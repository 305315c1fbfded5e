"""Cómo se dice en la terminal, y en un archivo, que una cuenta de los informes no es la de las filas."""

from alpespartners.cli.destino import imprimible
from alpespartners.modulos.informes.dominio.diferencia import Diferencia, DiferenciaDeUsuarios


def en_json(diferencia: Diferencia | DiferenciaDeUsuarios) -> dict[str, object]:
    """Sus datos, con los nombres de un archivo de diferencias."""
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
        "clase": diferencia.clase,
        "moneda": diferencia.moneda,
        "influencer_id": diferencia.influencer_id,
        "cupon": diferencia.cupon,
        "dimension": diferencia.dimension,
        "dato": diferencia.dato,
        "contados": diferencia.contada.cuantos,
        "hay": diferencia.hay.cuantos,
        "valor_contado": diferencia.contada.valor,
        "valor": diferencia.hay.valor,
    }


def linea(diferencia: Diferencia | DiferenciaDeUsuarios) -> str:
    """Una frase para la terminal: de qué cuenta es, qué dice y qué hay."""
    if isinstance(diferencia, DiferenciaDeUsuarios):
        return _linea_de_usuarios(diferencia)
    nombres = {
        "campaña": diferencia.campana_id,
        "desde": diferencia.desde.isoformat(timespec="minutes"),
        "influencer": diferencia.influencer_id,
        "cupón": diferencia.cupon,
        **({} if diferencia.dimension is None else {diferencia.dimension: diferencia.dato}),
        "tipo": diferencia.tipo,
        "clase": diferencia.clase,
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
