"""Las galletas del panel (RFC 6265): lo poco que el navegador guarda de quien mira.

Por qué existe: todas valen para el servicio entero, y ninguna viaja sin cifrar si la página llegó cifrada.
"""

from typing import Final, Literal

from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.http.direccion_del_servicio import esquema_dicho

SEGUNDOS_DE_UN_AÑO: Final = 365 * 24 * 60 * 60


def poner_galleta(
    respuesta: Response,
    peticion: Request,
    nombre: str,
    valor: str,
    *,
    sitio: Literal["lax", "strict"],
    segundos: int | None = None,
) -> None:
    """La deja en la respuesta, sin que un guion la pueda leer.

    Args:
        respuesta: la que la lleva.
        peticion: a la que responde.
        nombre: el suyo.
        valor: sin espacios, comas ni punto y coma.
        sitio: si acompaña a quien llega por un enlace de otro sitio (`lax`), o tampoco (`strict`).
        segundos: lo que dura; `None`, hasta que se cierra el navegador.
    """
    respuesta.set_cookie(
        nombre,
        valor,
        max_age=segundos,
        path="/",
        secure=_llega_cifrada(peticion),
        httponly=True,
        samesite=sitio,
    )


def _llega_cifrada(peticion: Request) -> bool:
    """Dice si entre el navegador y la primera máquina hay TLS.

    Con un intermediario solo lo sabe él, o el navegador, que lo dice al enviar. No hace falta creerlos: quien
    mintiera solo se quedaría sin su propia galleta.
    """
    return (
        peticion.url.scheme == "https"
        or esquema_dicho(peticion) == "https"
        or peticion.headers.get("origin", "").startswith("https://")
    )
