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

    __slots__ = ("_cabeceras", "_repetidas", "recibir", "scope", "traza")

    def __init__(self, scope: Scope, recibir: Receive) -> None:
        self.scope = scope
        self.recibir = recibir
        self.traza = ""
        cabeceras: list[tuple[bytes, bytes]] = scope["headers"]
        self._cabeceras = dict(cabeceras)
        self._repetidas = len(self._cabeceras) != len(cabeceras)

    def cabecera(self, nombre: bytes) -> Sequence[bytes]:
        """Los valores de esa cabecera, en minúsculas, en su orden; ninguno, si no está."""
        valor = self._cabeceras.get(nombre)
        if valor is None:
            return _NINGUNA
        if self._repetidas:
            return [valor for suyo, valor in self.scope["headers"] if suyo == nombre]
        return (valor,)

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
