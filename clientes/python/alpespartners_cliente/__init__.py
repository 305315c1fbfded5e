"""Cliente de Alpes Partners · Tracking: encola impresiones y conversiones y las envía por lotes."""

from alpespartners_cliente.cliente import Cliente, ColaLlena, Envio, Informe, SinEnviar
from alpespartners_cliente.cola import ColaOcupada
from alpespartners_cliente.eventos import EventoNoValido

__all__ = ["Cliente", "ColaLlena", "ColaOcupada", "Envio", "EventoNoValido", "Informe", "SinEnviar"]
__version__ = "0.1.0"
