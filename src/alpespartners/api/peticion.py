"""Una petición HTTP: lo que ASGI entrega de ella, con las cabeceras a mano.

Qué es: el `scope`, las cabeceras por su nombre y la lectura del cuerpo, trozo a trozo.
Qué no es: una interpretación; cada quien lee de sus octetos lo que le toca.
Por qué existe: acceso, traza, cuerpo y preferencias miran las mismas cabeceras, y recorrerlas una vez por
cada uno costaba más que todo lo que se hacía con ellas.
"""

from collections.abc import Iterable, Sequence

from alpespartners.seedwork.asgi import Receive, Scope

_NINGUNA: Sequence[bytes] = ()


class ClienteAusente(Exception):
    """Quien envió la petición se fue antes de terminarla: ya no hay a quién responder."""


class Peticion:
    """Una petición.

    Attributes:
        scope: el de ASGI.
        recibir: el `receive` de ASGI.
        traza: su `traceparent`; lo pone quien la recibe.
    """

    __slots__ = ("_cabeceras", "recibir", "scope", "traza")

    def __init__(self, scope: Scope, recibir: Receive) -> None:
        self.scope = scope
        self.recibir = recibir
        self.traza = ""
        self._cabeceras: dict[bytes, list[bytes]] = {}
        for nombre, valor in scope["headers"]:
            if nombre in self._cabeceras:
                self._cabeceras[nombre].append(valor)
            else:
                self._cabeceras[nombre] = [valor]

    def cabecera(self, nombre: bytes) -> Sequence[bytes]:
        """Los valores de esa cabecera, en minúsculas, en su orden; ninguno, si no está."""
        return self._cabeceras.get(nombre, _NINGUNA)

    @property
    def nombres(self) -> Iterable[bytes]:
        """Los de sus cabeceras, en minúsculas, cada uno una vez."""
        return self._cabeceras

    async def trozo(self) -> tuple[bytes, bool]:
        """El trozo siguiente del cuerpo, y si hay más.

        Raises:
            ClienteAusente: se fue antes de terminar.
        """
        mensaje = await self.recibir()
        if mensaje["type"] == "http.disconnect":
            raise ClienteAusente
        return mensaje.get("body", b""), mensaje.get("more_body", False)
