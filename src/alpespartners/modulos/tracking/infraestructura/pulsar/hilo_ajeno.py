"""Conservar el estado de Python de un hilo que creó la biblioteca de Pulsar.

Qué es: una llamada que hace el propio hilo, dentro de Python; vale para lo que le quede de vida.
Qué no es: un hilo, ni un cerrojo.
Por qué existe: el cliente de Pulsar avisa de cada confirmación desde un hilo suyo. Python da a ese hilo un
estado nuevo, con su pila, y lo destruye al volver: 9 de los 21 µs que costaba publicar un mensaje.
"""

import ctypes
import threading

_python = ctypes.pythonapi
_este_hilo = threading.local()


def conservar_este_hilo() -> None:
    """Cuenta un uso más del estado de este hilo; nadie lo descuenta, y por eso dura."""
    # Con la condición, `PyGILState_Ensure` no hace más que contar.
    if not hasattr(_este_hilo, "conservado") and _python.PyGILState_Check():
        _python.PyGILState_Ensure()
        _este_hilo.conservado = True
