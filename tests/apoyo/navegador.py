"""Un Chromium sin ventana, gobernado por su protocolo de depuración: lo que ve una persona, sin ella."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
from websockets.sync.client import ClientConnection, connect

from tests.apoyo.espera import hasta

CHROMIUM = shutil.which("chromium")

_LIMITE = 120.0

_OPCIONES = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
    "--window-size=1280,2000",
    # Nada sale de esta máquina: una página que necesite a otra se ve rota.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


class Pestaña:
    """Una pestaña abierta.

    Attributes:
        quejas: lo que el navegador anotó como error en esta página, incluido lo que le prohíbe su CSP.
        pedidas: las direcciones que esta página ha pedido.
    """

    def __init__(self, conexion: ClientConnection) -> None:
        self._conexion = conexion
        self._ultimo = 0
        self.quejas: list[str] = []
        self.pedidas: list[str] = []
        for dominio in ("Log", "Network", "Page", "Runtime"):
            self._pedir(f"{dominio}.enable")

    def ir(self, direccion: str) -> None:
        """Abre esa dirección, sin nada de la anterior."""
        # Desde una página en blanco: lo que se mire después no puede ser aún de la anterior.
        self._pedir("Page.navigate", url="about:blank")
        self.quejas.clear()
        self.pedidas.clear()
        self._pedir("Page.navigate", url=direccion)

    def evaluar(self, expresion: str) -> Any:
        """El valor de una expresión de JavaScript en la página; una promesa se espera."""
        respuesta = self._pedir(
            "Runtime.evaluate", expression=expresion, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in respuesta, respuesta
        return respuesta["result"].get("value")

    def _pedir(self, metodo: str, **parametros: object) -> Any:
        self._ultimo += 1
        self._conexion.send(json.dumps({"id": self._ultimo, "method": metodo, "params": parametros}))
        while True:
            mensaje = json.loads(self._conexion.recv(_LIMITE))
            if mensaje.get("id") == self._ultimo:
                return mensaje["result"]
            self._anotar(mensaje)

    def _anotar(self, suceso: dict[str, Any]) -> None:
        match suceso:
            case {"method": "Log.entryAdded", "params": {"entry": {"level": "error", "text": texto}}}:
                self.quejas.append(texto)
            case {"method": "Runtime.exceptionThrown", "params": {"exceptionDetails": {"text": texto}}}:
                self.quejas.append(texto)
            case {"method": "Network.requestWillBeSent", "params": {"request": {"url": direccion}}}:
                self.pedidas.append(direccion)


@contextmanager
def pestaña(perfil: Path) -> Iterator[Pestaña]:
    """Un navegador con un perfil nuevo, que al salir termina."""
    assert CHROMIUM is not None
    with (perfil.parent / "chromium.log").open("wb") as salida:
        proceso = subprocess.Popen(
            [CHROMIUM, *_OPCIONES, f"--user-data-dir={perfil}", "about:blank"],
            stdout=salida,
            stderr=salida,
        )
    try:
        archivo = perfil / "DevToolsActivePort"
        hasta(lambda: archivo.exists() and archivo.stat().st_size)
        puerto = archivo.read_text(encoding="ascii").splitlines()[0]
        with httpx2.Client(trust_env=False) as http:
            pestañas: Any = hasta(lambda: http.get(f"http://127.0.0.1:{puerto}/json/list").json())
        (direccion,) = [una["webSocketDebuggerUrl"] for una in pestañas if una["type"] == "page"]
        # Sin latidos: en una máquina ocupada tarda en contestarlos más de lo que esperan, y está bien.
        with connect(direccion, max_size=None, proxy=None, ping_interval=None) as conexion:
            yield Pestaña(conexion)
    finally:
        proceso.terminate()
        proceso.wait(60)
