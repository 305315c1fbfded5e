"""Los errores de SQL: qué significa lo que respondió la base de datos, por su SQLSTATE.

Qué es: la clasificación (ISO/IEC 9075 y PostgreSQL, apéndice A) y la frase que puede leer una persona.
Qué no es: qué se hace con un error; eso es de quien pidió la transacción.
Por qué existe: de si la culpa es de los datos o de la base de datos depende que un evento se rechace para
siempre o que espere.
"""

from typing import Final

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

REPETIBLES: Final = {"40001", "40P01"}
OCUPADA: Final = ("40", "55", "57014")
"""Choca con la transacción de otro, o no terminó a tiempo."""
INTEGRIDAD: Final = "23"
"""Las reglas de una tabla que no miran los datos: otro la cambió, o dejó en ella lo suyo."""
DE_LA_CONEXION: Final = ("22", "28", "3D", "42")
"""Al conectar: un parámetro, la contraseña, el nombre de la base de datos o un permiso."""
NO_EXISTE: Final = "3D000"
SOLO_LECTURA: Final = "25006"

_DE_LOS_DATOS: Final = ("22", "23514")
"""Excepción de datos, y una regla de la tabla sobre ellos.

Las demás violaciones de integridad no las causan los datos, que el dominio ya miró, sino que otro cambió la
tabla: rechazarlos por eso no tendría vuelta atrás.
"""
_CAUSAS: Final = {
    SOLO_LECTURA: "solo admite lecturas",
    "28": "no admite a este usuario",
    "42501": "a este usuario le falta un permiso",
    "53100": "no le queda sitio en el disco",
    "53200": "no le queda memoria",
    "53300": "no le quedan conexiones",
    "57P03": "no atiende todavía",
    "58030": "no puede leer o escribir en su disco",
}
"""Lo que ha de arreglar quien lo administra, por el SQLSTATE o como empieza.

El servidor lo dice en su idioma, y quien lee el registro puede no saber a qué obedece.
"""


def estado_de(error: DBAPIError) -> str:
    """El SQLSTATE de la respuesta; vacío si no fue una respuesta, o si el motor no los tiene (SQLite)."""
    return getattr(error.orig, "sqlstate", None) or ""


def por_los_datos(error: DBAPIError) -> bool:
    """Dice si la culpa es de los datos de la sentencia."""
    if estado := estado_de(error):
        return estado.startswith(_DE_LOS_DATOS)
    # asyncpg rechaza él mismo, con un ValueError, lo que no puede escribir en el tipo de la columna.
    causa = error.orig.__cause__ if error.orig is not None else None
    return isinstance(error, (DataError, IntegrityError)) or isinstance(causa, ValueError)


def sin_datos(error: DBAPIError) -> BaseException | None:
    """La causa que se puede encadenar: la de un error de datos los cita en su detalle."""
    return None if por_los_datos(error) or estado_de(error).startswith(INTEGRIDAD) else error.orig


def con_su_causa(estado: str, error: BaseException | None) -> str:
    """La frase del servidor en una línea, con su causa delante si es de las que tienen nombre."""
    frase = " ".join(str(error).split())
    causa = next((causa for comienzo, causa in _CAUSAS.items() if estado.startswith(comienzo)), None)
    return frase if causa is None else f"{causa} ({estado}): {frase}"
