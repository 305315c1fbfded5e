"""De un evento como lo escribe quien programa a la línea JSON que se encola y se envía.

Qué no es: las reglas del servicio, que juzga él; aquí solo se niega lo que no se podría enviar tal cual.
"""

import json
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

OCTETOS: Final = 64 * 1024


class EventoNoValido(ValueError):
    """Este evento no se puede encolar; la frase dice qué campo y qué enviar."""


def linea_de(clase: str, evento: Mapping[str, object]) -> tuple[str, bytes]:
    """El `id` del evento y su línea; si no traía `id` o `timestamp`, se le ponen aquí.

    Raises:
        EventoNoValido: el `id` no es un texto, el importe es `float`, algo no cabe en JSON o pasa de 64 KiB.
    """
    campos = {nombre: valor for nombre, valor in evento.items() if valor is not None} | {"clase": clase}
    identidad = campos.setdefault("id", _uuid7())
    if not isinstance(identidad, str) or not identidad:
        raise EventoNoValido("id: debe ser un texto que no esté vacío; si no lo hay, no lo envíe.")
    campos.setdefault("timestamp", datetime.now(UTC).isoformat())
    importe = f', "valor": {_importe(campos.pop("valor"))}' if "valor" in campos else ""
    try:
        linea = f"{json.dumps(campos, allow_nan=False)[:-1]}{importe}}}".encode("ascii")
    except (TypeError, ValueError, RecursionError) as error:
        raise EventoNoValido(f"El evento no se puede escribir en JSON: {error}.") from error
    if len(linea) > OCTETOS:
        raise EventoNoValido(f"El evento ocupa {len(linea)} octetos y caben {OCTETOS}: acórtelo.")
    return identidad, linea


def _importe(valor: object) -> str:
    """Su literal JSON, con los mismos dígitos; `json` pasaría un `Decimal` por `float`."""
    if isinstance(valor, str):
        return json.dumps(valor)
    # Python se niega a escribir enteros de miles de cifras.
    exacto = isinstance(valor, int) and not isinstance(valor, bool) and valor.bit_length() < 10_000  # noqa: PLR2004
    if not exacto and not (isinstance(valor, Decimal) and valor.is_finite()):
        raise EventoNoValido("valor: no es un importe exacto, o no cabe: use Decimal('19.90') o '19.90'.")
    return str(valor)


def _uuid7() -> str:
    azar = uuid.uuid4().int & (1 << 76) - 1  # con la variante en su sitio (RFC 9562 §5.4 y §5.7)
    return str(uuid.UUID(int=time.time_ns() // 1_000_000 << 80 | 7 << 76 | azar))
