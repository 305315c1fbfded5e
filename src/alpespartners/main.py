"""El punto de entrada de la API: `uvicorn alpespartners.main:app`."""

from alpespartners.composicion.api import crear_app
from alpespartners.config import Configuracion

app = crear_app(Configuracion())
