"""Los consumidores: la orden `python -m alpespartners.modulos.tracking.infraestructura` de la semilla."""

from alpespartners.composicion.consumo import consumir
from alpespartners.composicion.inicio import leer_ajustes

if __name__ == "__main__":
    consumir(leer_ajustes())
