"""Crear claves, y tenerlas a mano donde se comprueban."""
