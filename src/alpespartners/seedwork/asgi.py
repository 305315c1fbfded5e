"""Los tipos de ASGI 3.0, la frontera entre el servidor HTTP y una aplicación.

Qué es: nombres para las firmas de la especificación (asgi.readthedocs.io/en/stable/specs/main.html).
Qué no es: un marco; nadie recibe nada de aquí al correr.
Por qué existe: el servidor y la aplicación se escriben aparte y tienen que encajar.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
