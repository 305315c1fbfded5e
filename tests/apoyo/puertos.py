"""Puertos para pruebas que corren a la vez que otras."""

import socket


def puerto_libre() -> int:
    """Un puerto TCP de 127.0.0.1 libre en este momento."""
    with socket.socket() as enchufe:
        enchufe.bind(("127.0.0.1", 0))
        puerto: int = enchufe.getsockname()[1]
        return puerto
