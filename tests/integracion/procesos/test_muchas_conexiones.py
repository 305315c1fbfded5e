"""Quien abre una conexión no espera una vuelta del bucle por cada una de las que abrieron antes que él."""

import asyncio
import socket
import threading
from typing import Any

from alpespartners.seedwork.procesos.servidor_http import ServidorHTTP, en_copias

CONEXIONES = 60


class Aplicacion:
    """Para el bucle hasta que se le diga, y cuenta las vueltas que da desde ahí hasta atender a todas."""

    def __init__(self) -> None:
        self.parada = threading.Event()
        self.seguir = threading.Event()
        self.atendidas = self.vueltas = 0

    async def __call__(self, peticion: Any, _recibir: Any, responder: Any) -> None:
        if peticion["path"] == "/parar":
            self.parada.set()
            self.seguir.wait(60)
            self._contar_vueltas()
        else:
            self.atendidas += 1
        await responder({"type": "http.response.start", "status": 204, "headers": []})
        await responder({"type": "http.response.body"})

    def _contar_vueltas(self) -> None:
        if self.atendidas < CONEXIONES:
            self.vueltas += 1
            asyncio.get_running_loop().call_soon(self._contar_vueltas)


def pedir(direccion: tuple[str, int], ruta: str) -> socket.socket:
    conexion = socket.create_connection(direccion, timeout=60)
    conexion.sendall(f"GET {ruta} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return conexion


def test_sesenta_conexiones_que_llegan_a_la_vez_se_aceptan_en_pocas_vueltas() -> None:
    aplicacion = Aplicacion()
    servidor = ServidorHTTP(aplicacion, 5)
    servidor.config.lifespan = "off"
    enchufe = socket.create_server(("127.0.0.1", 0), backlog=CONEXIONES + 1)
    direccion = enchufe.getsockname()
    hilo = threading.Thread(target=servidor.run, kwargs={"sockets": en_copias(enchufe)})
    hilo.start()
    conexiones = [pedir(direccion, "/parar")]
    try:
        assert aplicacion.parada.wait(60)
        conexiones += [pedir(direccion, "/") for _ in range(CONEXIONES)]
        aplicacion.seguir.set()
        assert {conexion.recv(12) for conexion in conexiones} == {b"HTTP/1.1 204"}
    finally:
        aplicacion.seguir.set()
        servidor.should_exit = True
        hilo.join()
        for conexion in conexiones:
            conexion.close()
    assert aplicacion.vueltas < CONEXIONES / 2
