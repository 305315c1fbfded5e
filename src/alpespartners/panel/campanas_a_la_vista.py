"""Las campañas que puede ver quien mira: todas o, si su clave es de unas, esas.

Por qué existe: quien solo ve algunas no debe saber ni que hay otras, y así entra por la misma página.
"""

from typing import Final

from starlette.requests import Request

from alpespartners.api.http.claves import permiso_de, puede_leer
from alpespartners.modulos.informes.aplicacion.puertos import LecturaDeResumenes, Pagina, Resumen

_PARECIDAS: Final = 10
_PARTES_DEL_NOMBRE: Final = (4, 3, 2, 1)
"""Cuartos del nombre por los que se buscan las que empiezan igual."""


async def campañas_a_la_vista(
    peticion: Request, resumenes: LecturaDeResumenes, prefijo: str, despues_de: str | None, limite: int
) -> Pagina:
    """Las que puede ver, como `LecturaDeResumenes.campañas`."""
    suyas = permiso_de(peticion).campañas
    if suyas is None:
        return await resumenes.campañas(prefijo, despues_de, limite)
    pendientes = sorted(
        campaña_id
        for campaña_id in suyas
        if campaña_id.startswith(prefijo) and (despues_de is None or campaña_id > despues_de)
    )
    miradas = pendientes[:limite]
    halladas = []
    for campaña_id in miradas:
        # La primera de las que empiezan así es ella, si de ella hay algo.
        pagina = await resumenes.campañas(campaña_id, None, 1)
        halladas += [resumen for resumen in pagina.elementos if resumen.identidad == campaña_id]
    return Pagina(halladas, miradas[-1] if len(pendientes) > limite else None)


async def resumen_de(resumenes: LecturaDeResumenes, campaña_id: str) -> Resumen | None:
    """El de esa campaña, si hay algo de ella: es la primera de las que empiezan así."""
    primeras = await resumenes.campañas(campaña_id, None, 1)
    return next((uno for uno in primeras.elementos if uno.identidad == campaña_id), None)


async def parecidas_a(peticion: Request, resumenes: LecturaDeResumenes, campaña_id: str) -> list[str]:
    """Las primeras, de las que se pueden leer, que empiezan como ella, o como su principio si no hay."""
    for cuartos in _PARTES_DEL_NOMBRE:
        principio = campaña_id[: -(-len(campaña_id) * cuartos // 4)]
        halladas = await resumenes.campañas(principio, None, _PARECIDAS)
        legibles = [una.identidad for una in halladas.elementos if puede_leer(peticion, una.identidad)]
        if legibles:
            return legibles
    return []
