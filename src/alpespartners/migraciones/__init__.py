"""Las migraciones de la base de datos, dentro del paquete: una rueda instalada se migra a sí misma.

Qué es: la historia del esquema, una sola para todos los módulos y todos los motores, y la función que la
aplica. No importa nada del resto del programa: una revisión hace siempre lo mismo, cambie lo que cambie.
Qué no es: quién puede migrar y cuándo; eso lo decide cada adaptador con su cerrojo.
Por qué existe: importar Alembic cuesta casi un segundo. Con el esquema al día, que es lo normal al
arrancar, aquí no se importa.

Una revisión nueva se escribe a partir de `script.py.mako` con los tipos de `tipos.py`.
"""

import logging
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sqlalchemy import Connection, MetaData, inspect, text

if TYPE_CHECKING:
    from alembic.config import Config

_PROPIAS = Path(__file__).parent / "versions"

# Los módulos, tengan o no su fuente: en algunas instalaciones solo está lo compilado.
CABEZA = max(revision.name[:4] for revision in pkgutil.iter_modules([str(_PROPIAS)]))
"""La última revisión, que da nombre a su archivo; una prueba comprueba que Alembic dice lo mismo."""
_CONGELADOS = {"Texto": "TEXTO", "Instante": "INSTANTE", "Importe": "IMPORTE", "TextoJson": "TEXTO_JSON"}
"""De cada tipo de hoy, por su nombre, el que se escribe en una revisión."""

_registro = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Historia:
    """Las revisiones que hay.

    Attributes:
        cabeza: la última.
        otras_carpetas: dónde hay más que las del paquete.
    """

    cabeza: str = CABEZA
    otras_carpetas: tuple[Path, ...] = ()


HISTORIA = Historia()


class EsquemaDesconocido(Exception):
    """El esquema es de una revisión que este programa no conoce: lo creó uno posterior."""


class MigracionFallida(Exception):
    """Una revisión no se pudo aplicar; dice cuál y por qué.

    Attributes:
        causa: lo que la hizo fallar.
    """

    def __init__(self, revision: str, causa: Exception) -> None:
        # De un error de SQL, solo lo que dijo la base de datos: la sentencia está en el registro.
        dicho = " ".join(str(getattr(causa, "orig", None) or causa).split())
        super().__init__(f"falló la revisión {revision} ({type(causa).__name__}: {dicho})")
        self.causa = causa


def actualizar(conexion: Connection, historia: Historia = HISTORIA) -> None:
    """Lleva el esquema a su última revisión dentro de la transacción de la conexión: entera o nada.

    Raises:
        EsquemaDesconocido: el esquema es posterior a este programa.
        MigracionFallida: falló una revisión; deshacer la transacción lo deja todo como estaba.
    """
    escrita = revision(conexion)
    if escrita == historia.cabeza:
        return
    # Cuenta sus pasos en inglés, alguno ya al importarse.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from alembic import command  # noqa: PLC0415 — importarlo cuesta casi un segundo

    aplicadas: list[object] = []
    pendientes: list[str] = []
    ajustes = configuracion(conexion, historia, al_aplicar=lambda **paso: aplicadas.append(paso["step"]))
    try:
        pendientes += _pendientes(ajustes, escrita)
        command.upgrade(ajustes, "head")
    except EsquemaDesconocido:
        raise
    except Exception as error:
        faltan = [*pendientes[len(aplicadas) :], historia.cabeza]
        _registro.exception("La revisión %s de la base de datos falló.", faltan[0])
        raise MigracionFallida(faltan[0], error) from error
    _registro.info("La base de datos queda en la revisión %s.", historia.cabeza)


def configuracion(
    conexion: Connection,
    historia: Historia = HISTORIA,
    *,
    metadatos: MetaData | None = None,
    al_aplicar: Callable[..., None] | None = None,
) -> "Config":
    """La configuración de Alembic para esa conexión; no hay ningún `alembic.ini`.

    Args:
        conexion: sobre la que se migra.
        historia: las revisiones que hay.
        metadatos: las tablas de hoy, para quien escribe una revisión comparando con ellas. Migrar no las
            necesita: la historia no depende de ellas.
        al_aplicar: recibe en `step` cada revisión que acaba de aplicarse.
    """
    from alembic.config import Config  # noqa: PLC0415 — importarlo cuesta casi un segundo

    atributos = {"conexion": conexion, "metadatos": metadatos, "al_aplicar": al_aplicar}
    ajustes = Config(attributes=atributos)
    ajustes.set_main_option("script_location", "alpespartners:migraciones")
    ajustes.set_main_option("path_separator", "newline")
    ajustes.set_main_option("sourceless", "true")
    carpetas = (_PROPIAS, *historia.otras_carpetas)
    ajustes.set_main_option("version_locations", "\n".join(map(str, carpetas)).replace("%", "%%"))
    return ajustes


def revision(conexion: Connection) -> str | None:
    """La revisión del esquema de esa base de datos, o `None` si nadie la ha migrado aún."""
    if not inspect(conexion).has_table("alembic_version"):
        return None
    escrita: str | None = conexion.scalar(text("SELECT version_num FROM alembic_version"))
    return escrita


def tipo_congelado(que: str, objeto: object, _contexto: object) -> str | Literal[False]:
    """Cómo escribe Alembic un tipo de hoy en una revisión nueva: con el nombre del que no cambia."""
    return _CONGELADOS.get(type(objeto).__name__, False) if que == "type" else False


def _pendientes(ajustes: "Config", escrita: str | None) -> list[str]:
    """Las revisiones que siguen a esa, en su orden."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 — ídem
    from alembic.script.revision import ResolutionError  # noqa: PLC0415 — ídem

    directorio = ScriptDirectory.from_config(ajustes)
    try:
        siguientes = directorio.iterate_revisions("head", escrita or "base")
        return [siguiente.revision for siguiente in siguientes][::-1]
    except ResolutionError:
        raise EsquemaDesconocido(str(escrita)) from None
