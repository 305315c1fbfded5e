"""Cómo se escribe en una terminal la orden del producto, cuando se le dice a alguien que la ejecute.

Qué es: lo que `./bin/iniciar` y la imagen de Docker instalan, desde la carpeta del producto.
Qué no es: la ruta de este proceso, que no se le enseña a quien mira desde otra máquina.
Por qué existe: `alpespartners` a secas no está en el PATH, y una orden que no se puede copiar no ayuda.
"""

from typing import Final

ORDEN: Final = ".venv/bin/alpespartners"
