"""Cuántos hubo de cada, para quien no lee una respuesta y puede mirar sus cabeceras."""

from collections.abc import Iterable

from alpespartners.modulos.tracking.aplicacion.recepcion import Aceptada, Suerte


def cuentas_de(suertes: Iterable[Suerte]) -> dict[str, str]:
    """Las que dicen cuántos se aceptaron, se rechazaron y se ignoraron de los que el broker confirmó."""
    comandos = [suerte.comando for suerte in suertes if isinstance(suerte, Aceptada)]
    ignorados = sum(comando.ignorada is not None for comando in comandos)
    rechazados = sum(bool(comando.faltas) for comando in comandos)
    return {
        "Alpes-Aceptados": str(len(comandos) - ignorados - rechazados),
        "Alpes-Rechazados": str(rechazados),
        "Alpes-Ignorados": str(ignorados),
    }
