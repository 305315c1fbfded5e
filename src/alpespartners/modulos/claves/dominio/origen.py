"""El origen de una página: esquema, anfitrión y puerto (RFC 6454 §4, y «origin» de HTML).

Qué es: cómo se escribe uno, de cuál es una dirección, y si uno de los registrados la admite.
Qué no es: una prueba de quién envía. Un programa escribe en `Origin` lo que quiere; un navegador no, y es a
las páginas de otros a las que esto cierra la puerta.
Por qué existe: la clave de una página está a la vista, y copiada en otra no debe servir.
"""

import ipaddress
import re
from collections.abc import Collection
from typing import Final

LONGITUD_DE_UN_ORIGEN: Final = 255
_LONGITUD_DE_UNA_DIRECCION: Final = 4_096
_COMODIN: Final = "*."
_PUERTO_MAXIMO: Final = 65_535
_POR_OMISION: Final = {"http": 80, "https": 443}
_ORIGEN: Final = re.compile(
    r"(https?)://(\*\.)?((?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}|\[[0-9a-f:.]{2,45}\])(?::([0-9]{1,5}))?"
)
_FIN_DEL_ORIGEN: Final = re.compile(r"[/?#]")


def leer_origen(escrito: str) -> str:
    """Uno que se registra, en su forma: en minúsculas y sin el puerto que su esquema ya tiene.

    Con `*.` delante del anfitrión vale cualquier nombre de los que cuelgan de él, y él no.

    Raises:
        ValueError: no es `https://anfitrión[:puerto]`, lleva algo más, o su comodín alcanzaría a todos los
            nombres de un dominio de primer nivel.
    """
    origen = _en_su_forma(escrito.strip())
    if origen is None or (_COMODIN in origen and not _alcanza_lo_justo(origen)):
        raise ValueError("no es el origen de una página")
    return origen


def origen_de(direccion: str) -> str | None:
    """El de una página, por su `Origin` o su dirección; `None` si no tiene uno que se pueda registrar.

    El `null` de una página aislada o de un archivo no es de nadie.
    """
    esquema, separador, resto = direccion[:_LONGITUD_DE_UNA_DIRECCION].partition("://")
    if not separador:
        return None
    anfitrion = _FIN_DEL_ORIGEN.split(resto, maxsplit=1)[0]
    origen = _en_su_forma(f"{esquema}://{anfitrion}")
    return None if origen is None or _COMODIN in origen else origen


def admite(registrados: Collection[str], origen: str) -> bool:
    """Dice si alguno de los registrados es ese, o lo alcanza con su comodín."""
    if origen in registrados:
        return True
    esquema, _, anfitrion = origen.partition("://")
    _, *padres = anfitrion.split(".")
    return any(
        f"{esquema}://{_COMODIN}{'.'.join(padres[desde:])}" in registrados for desde in range(len(padres))
    )


def es_de_esta_maquina(origen: str) -> bool:
    """Dice si lo sirve la misma máquina en que se mira: `localhost`, 127.0.0.0/8 o `[::1]`."""
    hallado = _ORIGEN.fullmatch(origen)
    if hallado is None:
        return False
    anfitrion = hallado[3].strip("[]")
    if anfitrion == "localhost":
        return True
    try:
        return ipaddress.ip_address(anfitrion).is_loopback
    except ValueError:
        return False


def _en_su_forma(escrito: str) -> str | None:
    hallado = _ORIGEN.fullmatch(escrito.lower()) if len(escrito) <= LONGITUD_DE_UN_ORIGEN else None
    if hallado is None:
        return None
    esquema, comodin, anfitrion, puerto = hallado.groups(default="")
    if not puerto or int(puerto) == _POR_OMISION[esquema]:
        return f"{esquema}://{comodin}{anfitrion}"
    return f"{esquema}://{comodin}{anfitrion}:{int(puerto)}" if 0 < int(puerto) <= _PUERTO_MAXIMO else None


def _alcanza_lo_justo(origen: str) -> bool:
    nombre = origen.partition(_COMODIN)[2].partition(":")[0]
    return "." in nombre and not nombre.replace(".", "").isdecimal()
