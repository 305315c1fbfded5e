"""Cuántos consumidores viven ahora: si lo aceptado va a avanzar."""

from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible, Presencia


async def consumidores_vivos(presencia: Presencia) -> int | None:
    """Devuelve cuántos consumidores viven ahora, o `None` si no se pudo averiguar."""
    try:
        return await presencia.consumidores()
    except BaseDatosNoDisponible:
        return None
