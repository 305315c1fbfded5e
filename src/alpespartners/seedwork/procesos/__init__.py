"""Procesos de una máquina: supervisarlos, turnarse con cerrojos, servir HTTP y terminar con su padre."""
