"""El broker embebido visto por otro módulo: con el cliente de Pulsar y los esquemas publicados."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import pulsar
from fastavro import schemaless_reader

from alpespartners.modulos.tracking.infraestructura.mensajes.esquemas import ESQUEMAS

_ESPERA_MS = 500
_ATASCOS = 5


def puerto_del_broker(datos: Path) -> int:
    """El puerto del broker embebido de esa carpeta."""
    return int(json.loads((datos / "broker.json").read_text(encoding="utf-8"))["puerto"])


def mensajes_del_topico(datos: Path, topico: str) -> list[Any]:
    """Todos los mensajes del tópico, por orden, como los entrega el cliente.

    El embebido entrega a un lector algunos mensajes dos veces, dice a veces que no queda ninguno antes de
    entregar el último y, con mucho por leer, puede quedarse callado: por eso se insiste y se cuenta cada
    posición una sola vez.
    """
    mensajes: dict[str, Any] = {}
    with _cliente(datos) as cliente:
        for _ in range(_ATASCOS):
            lector = cliente.create_reader(_completo(topico), pulsar.MessageId.earliest)
            with suppress(pulsar.Timeout):
                while True:
                    mensaje = lector.read_next(timeout_millis=_ESPERA_MS)
                    mensajes.setdefault(str(mensaje.message_id()), mensaje)
            terminado = not _quedan(lector)
            lector.close()
            if terminado:
                return list(mensajes.values())
    raise AssertionError(f"El broker se calló {_ATASCOS} veces leyendo {topico}.")


def _quedan(lector: Any) -> bool:
    try:
        return bool(lector.has_message_available())
    except pulsar.UnknownError:  # preguntar por el final de un tópico vacío es, para el embebido, un error
        return False


def mensajes_publicados(datos: Path, topico: str) -> list[tuple[dict[str, str], dict[str, Any]]]:
    """Todos los mensajes del tópico, por orden: propiedades y campos."""
    mensajes = []
    for mensaje in mensajes_del_topico(datos, topico):
        campos: Any = schemaless_reader(BytesIO(mensaje.data()), ESQUEMAS[topico].definicion, None)
        mensajes.append((dict(mensaje.properties()), campos))
    return mensajes


def eventos_publicados(datos: Path, topico: str) -> dict[str, dict[str, Any]]:
    """Los eventos del tópico por su `id`; uno entregado dos veces cuenta una."""
    return {campos["id"]: campos for _, campos in mensajes_publicados(datos, topico)}


def publicar(
    datos: Path, topico: str, carga: bytes | None, propiedades: Mapping[str, str], clave: str | None
) -> None:
    """Publica un mensaje como lo haría otro servicio; `None` es un mensaje sin valor."""
    with _cliente(datos) as cliente:
        productor = cliente.create_producer(_completo(topico))
        productor.send(carga, properties=dict(propiedades), partition_key=clave)


@contextmanager
def _cliente(datos: Path) -> Iterator[Any]:
    cliente = pulsar.Client(
        f"pulsar://127.0.0.1:{puerto_del_broker(datos)}",
        logger=pulsar.FileLogger(pulsar.LoggerLevel.Error, "/dev/null"),
    )
    try:
        yield cliente
    finally:
        cliente.close()


def _completo(topico: str) -> str:
    return f"persistent://public/default/{topico}"
