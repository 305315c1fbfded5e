"""Quien pide algo y no lo lee no ocupa su sitio para siempre."""

import asyncio
import socket
from contextlib import closing

import pytest
from starlette.types import Receive, Scope, Send

from alpespartners.seedwork.procesos import servidor_http
from tests.apoyo.espera import hasta_en_el_bucle


@pytest.mark.skipif(
    not hasattr(socket, "TCP_USER_TIMEOUT"), reason="este sistema no sabe cortar a quien no lee"
)
async def test_a_quien_no_acepta_nada_se_le_corta_aunque_no_se_haya_ido(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(servidor_http, "MILISEGUNDOS_SIN_ACEPTAR_NADA", 500)
    se_fue = asyncio.Event()

    async def sin_fin(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        envio = asyncio.create_task(_enviar_sin_fin(send))
        await receive()
        envio.cancel()
        se_fue.set()

    enchufe = servidor_http.abrir_puerto("127.0.0.1", 0, 16, "el puerto")
    with closing(socket.socket()) as mudo:
        mudo.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        async with servidor_http.sirviendo(sin_fin, enchufe, 1):
            await asyncio.to_thread(mudo.connect, enchufe.getsockname())
            mudo.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            await hasta_en_el_bucle(se_fue.is_set)


async def _enviar_sin_fin(send: Send) -> None:
    while True:
        await send({"type": "http.response.body", "body": b"x" * 4096, "more_body": True})
