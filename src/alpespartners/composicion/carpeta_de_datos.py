"""La carpeta de datos vista sin abrirla: si la usa ya otro servicio, y dónde atiende su broker.

Qué es: dos preguntas que hace `iniciar` antes de arrancar nada y al anunciarse.
Qué no es: lo que impide que la usen dos; eso son los cerrojos que toma cada proceso, que valen también para
dos que arranquen a la vez.
"""

from contextlib import suppress

from alpespartners.broker_embebido.carpeta import Carpeta
from alpespartners.config import Configuracion
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.turno import exigir_sin_consumidor


def exigir_libre(configuracion: Configuracion) -> None:
    """Comprueba que nadie consume ya sobre el SQLite de la carpeta; sobre PostgreSQL pueden varios.

    Raises:
        ErrorDeArranque: la usa otro servicio.
    """
    if configuracion.base_datos is None:
        # Si la carpeta no se puede usar, lo dirá con su frase quien la abra.
        with suppress(OSError):
            exigir_sin_consumidor(configuracion.datos)


def broker(configuracion: Configuracion) -> str:
    """Dónde está el broker, para quien quiera conectarse a él: su URL, y si es el embebido."""
    if configuracion.pulsar_url is not None:
        return configuracion.pulsar_url
    puerto = Carpeta(configuracion.datos).puerto_activo()
    return "embebido" if puerto is None else f"pulsar://127.0.0.1:{puerto}, embebido"
