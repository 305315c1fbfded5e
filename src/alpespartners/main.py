"""El punto de entrada de la API: `uvicorn alpespartners.main:app`."""

from alpespartners.composicion.api import crear_app
from alpespartners.composicion.inicio import leer_ajustes

app = crear_app(leer_ajustes())
