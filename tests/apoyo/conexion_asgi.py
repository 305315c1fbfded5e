"""Una petición a una aplicación ASGI, sin red, que dura lo que la prueba quiera."""

import asyncio
from typing import Self

from starlette.types import ASGIApp, Message, Scope

from tests.apoyo.espera import hasta_en_el_bucle
from tests.apoyo.flujo import Interprete


class ConexionASGI(Interprete):
    """Una petición de la que se lee mientras sigue abierta.

    Attributes:
        comienzo: el estado y las cabeceras, cuando los hay.
        cuerpo: los octetos recibidos.
    """

    def __init__(
        self, api: ASGIApp, ruta: str, *, metodo: str = "GET", consulta: str = "", **cabeceras: str
    ) -> None:
        super().__init__()
        self._ida = asyncio.Event()
        self._pedido = False
        self._resto = ""
        self.comienzo: Message = {}
        self.cuerpo = b""
        nombres = {"host": "127.0.0.1", **{n.replace("_", "-"): v for n, v in cabeceras.items()}}
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": metodo,
            "scheme": "http",
            "path": ruta,
            "raw_path": ruta.encode("ascii"),
            "query_string": consulta.encode("ascii"),
            "root_path": "",
            "headers": [(n.encode("ascii"), v.encode("latin-1")) for n, v in nombres.items()],
            "client": ("127.0.0.1", 50_000),
            "server": ("127.0.0.1", 8000),
        }
        self.tarea = asyncio.ensure_future(api(scope, self._receive, self._send))

    @property
    def estado(self) -> int:
        estado: int = self.comienzo["status"]
        return estado

    @property
    def cabeceras(self) -> dict[str, str]:
        return {nombre.decode(): valor.decode() for nombre, valor in self.comienzo["headers"]}

    async def empezada(self) -> Self:
        """Vuelve cuando ha llegado el estado."""
        await hasta_en_el_bucle(lambda: self.comienzo, cada=0)
        return self

    async def situada(self) -> Self:
        """Vuelve cuando ya se sabe por dónde se lee."""
        await hasta_en_el_bucle(lambda: self.ultimo_id, cada=0)
        return self

    async def irse(self) -> None:
        """Se desconecta, y vuelve cuando el servidor lo ha notado."""
        self._ida.set()
        await self.tarea

    async def _receive(self) -> Message:
        if not self._pedido:
            self._pedido = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._ida.wait()
        return {"type": "http.disconnect"}

    async def _send(self, mensaje: Message) -> None:
        if mensaje["type"] == "http.response.start":
            self.comienzo = mensaje
            return
        trozo = mensaje.get("body", b"")
        self.cuerpo += trozo
        *lineas, self._resto = (self._resto + trozo.decode()).split("\n")
        for linea in lineas:
            self.linea(linea)
