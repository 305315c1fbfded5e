"""Los cuatro tópicos del módulo, por su nombre corto; el espacio de nombres lo pone la configuración."""

from typing import Final

COMANDO_REGISTRAR_IMPRESION: Final = "comando-registrar-impresion"
COMANDO_REGISTRAR_CONVERSION: Final = "comando-registrar-conversion"
EVENTO_IMPRESION_REGISTRADA: Final = "evento-impresion-registrada"
EVENTO_CONVERSION_REGISTRADA: Final = "evento-conversion-registrada"
