"""Los comandos del módulo, uno por archivo.

Un comando viaja tal cual por su tópico, y cualquier servicio puede publicarlo: sus campos tienen tipo,
pero ninguno está validado hasta que el consumidor construye la entidad.
"""

from alpespartners.modulos.tracking.aplicacion.comandos.registrar_conversion import RegistrarConversion
from alpespartners.modulos.tracking.aplicacion.comandos.registrar_impresion import RegistrarImpresion

__all__ = ["Comando", "RegistrarConversion", "RegistrarImpresion"]

Comando = RegistrarImpresion | RegistrarConversion
