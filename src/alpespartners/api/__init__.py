"""Borde HTTP: convierte peticiones en comandos y consultas, y sus resultados en respuestas.

Aquí no hay reglas de negocio ni se sabe qué broker o base de datos hay detrás.
"""
