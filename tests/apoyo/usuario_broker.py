"""Un proceso que usa el broker embebido de una carpeta hasta que se cierra su entrada.

Se ejecuta con ``python usuario_broker.py <carpeta> <segundos de gracia>`` y escribe la dirección cuando está
listo.
"""

import sys
from pathlib import Path

from alpespartners.broker_embebido import BrokerEmbebido

if __name__ == "__main__":
    with BrokerEmbebido(Path(sys.argv[1]), gracia=float(sys.argv[2])) as broker:
        sys.stdout.write(broker.url + "\n")
        sys.stdout.flush()
        sys.stdin.read()
