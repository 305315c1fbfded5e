"""Las campañas que puede ver quien mira: todas o, si su clave es de unas, esas.

Por qué existe: quien solo ve algunas no debe saber ni que hay otras, y así entra por la misma página.
"""

from starlette.requests import Request

from alpespartners.api.http.claves import permiso_de
from alpespartners.modulos.informes.aplicacion.puertos import LecturaDeResumenes, Pagina


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
