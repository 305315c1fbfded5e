"""Los consumidores: la orden `python -m alpespartners.modulos.tracking.infraestructura` de la semilla."""

from alpespartners.composicion.consumo import consumir
from alpespartners.config import Configuracion

if __name__ == "__main__":
    consumir(Configuracion())
