"""Las migraciones de la base de datos, dentro del paquete: una rueda instalada se migra a sí misma.

Qué es: la historia del esquema, una sola para todos los motores, y la función que la aplica.
Qué no es: quién puede migrar y cuándo; eso lo decide cada adaptador con su cerrojo.
Por qué existe: importar Alembic cuesta casi un segundo. Con el esquema al día, que es lo normal al
arrancar, aquí no se importa.

Una revisión nueva se escribe a partir de `script.py.mako`, y `CABEZA` pasa a nombrarla.
"""

import logging
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

if TYPE_CHECKING:
    from alembic.config import Config

CABEZA = "0002"
"""La última revisión; una prueba comprueba que Alembic dice lo mismo."""

_registro = logging.getLogger(__name__)


class EsquemaDesconocido(Exception):
    """El esquema es de una revisión que este programa no conoce: lo creó uno posterior."""


def actualizar(conexion: Connection) -> None:
    """Lleva el esquema a `CABEZA` dentro de la transacción de la conexión: entera o nada.

    Raises:
        EsquemaDesconocido: el esquema es posterior a este programa.
    """
    if revision(conexion) == CABEZA:
        return
    # Cuenta sus pasos en inglés, alguno ya al importarse.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from alembic import command  # noqa: PLC0415 — importarlo cuesta casi un segundo
    from alembic.util import CommandError  # noqa: PLC0415 — ídem

    try:
        command.upgrade(configuracion(conexion), "head")
    except CommandError as error:
        raise EsquemaDesconocido(str(error)) from error
    _registro.info("La base de datos queda en la revisión %s.", CABEZA)


def configuracion(conexion: Connection) -> "Config":
    """La configuración de Alembic para esa conexión; no hay ningún `alembic.ini`."""
    from alembic.config import Config  # noqa: PLC0415 — ídem

    configuracion = Config(attributes={"connection": conexion})
    configuracion.set_main_option("script_location", "alpespartners:migraciones")
    return configuracion


def revision(conexion: Connection) -> str | None:
    """La revisión del esquema de esa base de datos, o `None` si nadie la ha migrado aún."""
    if not inspect(conexion).has_table("alembic_version"):
        return None
    escrita: str | None = conexion.scalar(text("SELECT version_num FROM alembic_version"))
    return escrita
