"""Los tipos de medio que se leen y se escriben, por su nombre (RFC 6838)."""

from typing import Final

JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"
"""Un JSON por línea."""
CLOUDEVENT: Final = "application/cloudevents+json"
LOTE_DE_CLOUDEVENTS: Final = "application/cloudevents-batch+json"
FORMULARIO: Final = "application/x-www-form-urlencoded"
CSV: Final = "text/csv"
