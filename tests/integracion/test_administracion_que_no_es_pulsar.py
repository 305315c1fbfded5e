"""La revisión del broker ante quien responde tarde, a medias o lo que no es: nunca falla ni hace esperar."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from alpespartners.modulos.tracking.infraestructura.pulsar.revision import DESCONOCIDO, RevisorDelBroker

RETENCION = b'{"retentionTimeInMinutes": -1, "retentionSizeInMB": -1}'
SIN_LIMITE = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(RETENCION), RETENCION)


class _Servidor(socketserver.ThreadingTCPServer):
    daemon_threads = True


@contextmanager
def que_responde(respuesta: bytes, espera: float = 0.0) -> Iterator[RevisorDelBroker]:
    """Un revisor ante un servidor que a todo responde esos octetos, pasados esos segundos."""
    parar = threading.Event()

    class _Respuesta(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(4096)
            parar.wait(espera)
            self.request.sendall(respuesta)

    with _Servidor(("127.0.0.1", 0), _Respuesta) as servidor:
        hilo = threading.Thread(target=servidor.serve_forever, args=(0.05,))
        hilo.start()
        puerto = servidor.server_address[1]
        try:
            yield RevisorDelBroker(
                f"http://127.0.0.1:{puerto}", espacio="public/default", token=None, ca=None
            )
        finally:
            servidor.shutdown()
            hilo.join()


@pytest.mark.parametrize(
    "respuesta",
    [
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhola",
        b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n[" + b" " * 2 * 1024 * 1024 + b"]",
    ],
)
async def test_lo_que_no_es_la_administracion_de_pulsar_es_desconocido(respuesta: bytes) -> None:
    with que_responde(respuesta) as revisor:
        assert await revisor.revision() is DESCONOCIDO


async def test_una_administracion_lenta_no_hace_esperar_mas_que_su_limite() -> None:
    with que_responde(SIN_LIMITE) as revisor:
        assert (await revisor.revision()).estado.retencion == "suficiente"
    # Cada respuesta llega a tiempo; todas juntas, no.
    with que_responde(SIN_LIMITE, espera=0.6) as revisor:
        assert await revisor.revision() is DESCONOCIDO
