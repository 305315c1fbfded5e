"""Los tipos de medio que se leen y se escriben, por su nombre (RFC 6838)."""

from typing import Final

JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"
"""Un JSON por línea."""
CSV: Final = "text/csv"
