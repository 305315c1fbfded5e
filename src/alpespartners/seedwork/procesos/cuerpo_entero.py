"""La extensión de ASGI con que un servidor dice que el cuerpo de una petición ya llegó entero.

Por qué existe: leerlo no espera, y quien lo lee no tiene que poner un plazo. La dice nuestro servidor y la
mira la API, que no debe importarlo: quien la sirve con otro no paga por él.
"""

from typing import Final

CUERPO_ENTERO: Final = "alpespartners.cuerpo_entero"
"""Está en `scope["extensions"]`, donde ASGI deja que un servidor diga lo suyo, desde que el cuerpo llegó."""
